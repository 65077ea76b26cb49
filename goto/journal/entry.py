"""One exchange in the journal: there from the head of its request on, it fills as things become known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal, Protocol
from urllib.parse import unquote

from goto.flow import Flow, Times
from goto.http.fields import Field, Headers, Index, decode
from goto.http.messages import Request
from goto.http.reasons import REASONS
from goto.http.record import Copy, MadeCall, Record
from goto.http.request_id import REQUEST_ID
from goto.http.targets import query_value

End = Literal["completed", "client_gone", "aborted", "broke_off", "upstream_failed"]
"""How an exchange ended."""

MASKED: Final = b"***"
"""What stands for the value of a masked header."""

OVERHEAD: Final = 1024
"""Bytes of memory that an entry takes besides its heads and bodies."""

OVERHEAD_OF_CALL: Final = 400
"""The same for a call to an upstream."""

_ATTEMPT: Final = b"x-envoy-attempt-count"
_REQUEST_ID: Final = REQUEST_ID.encode()
_RULE: Final = "rule:"
_SEPARATOR: Final = b"\n"
_NOTHING_MASKED: Final[frozenset[bytes]] = frozenset()


class Pending(Protocol):
    """Who waits for more of an exchange to be known."""

    def look(self, entry: Entry) -> bool:
        """Look at what is known now; whether that is all it wants to know."""


class Keeper(Protocol):
    """Who is told of what becomes of an entry."""

    def look(self, entry: Entry) -> None:
        """More of it is known, which somebody waits for."""

    def grew(self, entry: Entry, size: int) -> None:
        """It takes so many bytes more, or less."""


class Entry:
    """One exchange. While it is open it looks things up in the flow; from its end on it keeps only what is shown."""

    __slots__ = (
        "_fields",
        "_mask",
        "_response_fields",
        "attempt",
        "bodies",
        "charged",
        "client",
        "connection",
        "cut",
        "end",
        "flow",
        "head_size",
        "id",
        "keeper",
        "kept",
        "listener",
        "marks",
        "masked",
        "memory",
        "method",
        "on_connection",
        "pending",
        "record",
        "scheme",
        "seq",
        "status",
        "target",
        "time",
        "took",
        "touched",
        "version",
    )

    def __init__(self, seq: int, listener: int, flow: Flow, mask: frozenset[bytes], bodies: int, keeper: Keeper) -> None:
        """`mask`: names in lower case, of the headers whose values are not kept. `bodies`: bytes kept of each body."""
        request, peer = flow.request, flow.peer
        index = request.headers.index
        self.seq = seq
        self.listener = listener
        self.flow: Flow | None = flow
        """The exchange itself, while it is open."""
        self.record: Record = NO_RECORD
        """What has passed of it."""
        self.time = time.time_ns()
        """When the head of the request arrived, in ns since 1970."""
        self.client = peer.address
        self.connection = peer.number
        self.scheme = "https" if peer.secure else "http"
        """That of what the client asked for."""
        self.on_connection = peer.requests
        self.method = request.method
        self.target = request.target
        self.version = request.version
        fields = request.headers.fields
        size = len(request.method) + len(request.target) + 14 + 4 * len(fields)
        for name, value in fields:
            size += len(name) + len(value)
        self.head_size = size
        """Bytes of the head of the request, as they came."""
        masked = _NOTHING_MASKED
        for name in mask:
            if name in index:
                masked = masked | {name}
        self.masked = masked
        """The masked headers that it has, in lower case."""
        self._mask = mask
        self._fields: list[Field] | bytes = hidden(fields, masked) if masked else fields.copy()
        self._response_fields = b""
        self.id = _id_of(request, index)
        self.attempt = _number(index[_ATTEMPT][0][1]) if _ATTEMPT in index else None
        self.bodies = bodies
        """Bytes that are kept of each body."""
        self.memory = OVERHEAD + size
        """Bytes of memory that it takes."""
        self.status: int | None = None
        """That of the answer; None while it is unknown, 0 where none was sent."""
        self.marks: Sequence[str] = ()
        self.took: float | None = None
        """Seconds from the head of the request to the end; None while it is open."""
        self.end: End | None = None
        """How it ended; None while it is open."""
        self.touched = 0
        """The number of its beginning or its end among those of all entries; 0 where nobody is told of it."""
        self.kept = False
        """It is in a ring."""
        self.cut = ""
        """What goto did to its answer, where it ended the exchange on purpose: `reset`, `closed` or `garbled`."""
        self.pending: list[Pending] | None = None
        """Who waits for more of it to be known."""
        self.charged = 0
        """Bytes of `memory` for bodies."""
        self.keeper: Keeper = keeper

    # ------------------------------------------------------------ as it goes on
    def opened(self, record: Record) -> None:
        """What passes of it is kept here from now on."""
        self.record = record
        record.on_head = self._headed
        if not record.request.over:
            record.request.on_over = self._body_over
        if record.request.most:
            record.request.tell(self._grow)
        if record.response.most:
            record.response.tell(self._grow)

    def _headed(self) -> None:
        """The head of its answer is out."""
        self.status = self.record.status
        if self.pending:
            self.keeper.look(self)

    def _body_over(self) -> None:
        """Nothing more of the request's body comes, which may be after the exchange has ended."""
        if self.pending:
            self.keeper.look(self)
        if self.flow is None:
            self._changed(self._cut_bodies())

    def _grow(self, size: int) -> None:
        """Bytes of a body are kept."""
        self.charged += size
        self._changed(size)

    def _changed(self, size: int) -> None:
        """It takes so many bytes more, or less."""
        if size:
            self.memory += size
            self.keeper.grew(self, size)

    def over(self, flow: Flow) -> None:
        """It has ended, and all is known of it."""
        record = self.record
        self.flow = None
        self.end = end_of(flow)
        if self.status is None:
            self.status = 0
        if flow.marks:
            self.marks = flow.marks
        if flow.aborted and flow.delivery is not None:
            delivery = flow.delivery
            self.cut = "garbled" if delivery.raw is not None else {"reset": "reset", "close": "closed"}.get(delivery.end, "")
        self.took = (record.started if flow.ended is None else flow.ended) - record.started
        record.on_head = None
        record.response.stop()

    def pack(self) -> None:
        """Keep for good only what is shown of it, as far as it is over."""
        if not isinstance(self._fields, bytes):
            self._fields = _packed(self._fields, _NOTHING_MASKED)
        record = self.record
        self._response_fields = _packed(record.fields, self._mask)
        record.fields = ()
        size = len(self._response_fields)
        if record.calls:
            size += OVERHEAD_OF_CALL * len(record.calls)
        if self.charged:
            size += self._cut_bodies()
        self._changed(size)

    def _cut_bodies(self) -> int:
        """Keep no more of the bodies, as far as they are over, than is to be kept. Returns how many bytes more that takes."""
        record, kept = self.record, 0
        for body in (record.request, record.response):
            if body.over:
                body.keep(self.bodies)
            kept += len(body.data)
        more, self.charged = kept - self.charged, kept
        return more

    # ------------------------------------------------------------ what is known
    @property
    def by(self) -> Sequence[str]:
        """The marks of the exchange."""
        return self.marks if self.flow is None else self.flow.marks

    @property
    def rules(self) -> list[str]:
        """The names of the rules that struck it."""
        return [unquote(mark[len(_RULE) :].removesuffix("!")) for mark in self.by if mark.startswith(_RULE)]

    @property
    def reason(self) -> str:
        """The phrase behind the status; empty where there is none."""
        return self.record.reason or REASONS.get(self.status or 0, "")

    @property
    def fields(self) -> list[Field]:
        """Those of the request, masked."""
        return _unpacked(self._fields) if isinstance(self._fields, bytes) else self._fields

    @property
    def response_fields(self) -> list[Field]:
        """Those of the answer, masked."""
        return _unpacked(self._response_fields) if self._response_fields else hidden(self.record.fields, self._mask)

    @property
    def request_body(self) -> Copy:
        return self.record.request

    @property
    def response_body(self) -> Copy:
        return self.record.response

    @property
    def calls(self) -> list[MadeCall]:
        return self.record.calls

    def request(self) -> Request:
        """The head of the request, masked."""
        return Request(self.method, self.target, Headers(self.fields), version=self.version)

    @property
    def times(self) -> Times:
        """How long it was held, the upstream took, and it took to the head and to the end, as far as it has come."""
        record = self.record
        return Times(record.held, record.upstream, record.head, self.took)

    @property
    def stamp(self) -> str:
        """When the head of the request arrived, in RFC 3339."""
        return stamp(self.time)


NO_RECORD: Final = Record(0.0)
"""Of an entry that was not opened."""


def end_of(flow: Flow) -> End:
    """How an exchange ended that has ended."""
    if flow.aborted:
        return "aborted"
    if flow.completed:
        return "upstream_failed" if flow.unanswered else "completed"
    return "broke_off" if flow.broken else "client_gone"


def hidden(fields: Sequence[Field], masked: frozenset[bytes]) -> list[Field]:
    """Fields with the values of masked ones hidden; `masked` are names in lower case."""
    return [(name, MASKED) if name.lower() in masked else (name, value) for name, value in fields]


def stamp(ns: int) -> str:
    """A time in ns since 1970 in RFC 3339, in microseconds."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"


def _packed(fields: Sequence[Field], mask: frozenset[bytes]) -> bytes:
    """Fields as one piece of memory: a name or a value has no line end in it (RFC 9110, 5.5)."""
    parts: list[bytes] = []
    for name, value in fields:
        parts.append(name)
        parts.append(MASKED if mask and name.lower() in mask else value)
    return _SEPARATOR.join(parts)


def _unpacked(data: bytes) -> list[Field]:
    if not data:
        return []
    parts = data.split(_SEPARATOR)
    return list(zip(parts[::2], parts[1::2], strict=False))


def _id_of(request: Request, index: Index) -> str | None:
    if REQUEST_ID in request.query:
        value = query_value(request.query, REQUEST_ID)
        if value is not None:
            return value
    fields = index.get(_REQUEST_ID)
    return None if fields is None else decode(fields[0][1])


def _number(value: bytes) -> int | None:
    return int(value) if value.isdigit() and len(value) <= 9 else None
