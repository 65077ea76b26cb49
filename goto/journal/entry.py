"""One exchange in the journal: there from the head of its request on, it fills as things become known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal, Protocol
from urllib.parse import unquote

from goto.flow import Flow, Times
from goto.http.fields import Field, Headers
from goto.http.messages import Request
from goto.http.reasons import REASONS
from goto.http.record import Copy, MadeCall, Record
from goto.http.request_id import REQUEST_ID
from goto.http.targets import query_value
from goto.journal.heads import Keeper, KeptFields

End = Literal["completed", "client_gone", "aborted", "broke_off", "upstream_failed"]
"""How an exchange ended."""

OVERHEAD: Final = 1024
"""Bytes of memory that an entry takes besides its heads and bodies, as measured."""

OVERHEAD_OF_CALL: Final = 400
"""The same for a call to an upstream."""

_RULE: Final = "rule:"


class Pending(Protocol):
    """Who waits for more of an exchange to be known."""

    def look(self, entry: Entry) -> bool:
        """Look at what is known now; whether that is all it wants to know."""


class Told(Protocol):
    """Who is told of what becomes of an entry."""

    def look(self, entry: Entry) -> None:
        """More of it is known, which somebody waits for."""

    def grew(self, entry: Entry, size: int) -> None:
        """It takes so many bytes more, or less."""


class Terms:
    """What holds for all entries that are made from now on, as it was set."""

    __slots__ = ("answers", "bodies", "requests")

    def __init__(self, mask: frozenset[bytes] = frozenset(), bodies: int = 0) -> None:
        """`mask`: names in lower case, of the headers whose values are not kept."""
        self.bodies = bodies
        """Bytes that are kept of each body."""
        self.requests = Keeper(mask)
        self.answers = Keeper(mask)


class Entry:
    """One exchange. While it is open it looks things up in the flow; from its end on it keeps only what is shown."""

    __slots__ = (
        "_answer",
        "_head",
        "_terms",
        "_told",
        "charged",
        "client",
        "connection",
        "cut",
        "end",
        "flow",
        "head_size",
        "id",
        "kept",
        "listener",
        "marks",
        "memory",
        "method",
        "on_connection",
        "pending",
        "record",
        "scheme",
        "seq",
        "target",
        "time",
        "took",
        "touched",
        "version",
    )

    def __init__(self, seq: int, listener: int, flow: Flow, terms: Terms, told: Told) -> None:
        request, peer = flow.request, flow.peer
        head = terms.requests.keep(request.headers.fields)
        self._head = head
        self._terms = terms
        self._told: Told = told
        self._answer: KeptFields | None = None
        """The fields of the answer, once it is over."""
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
        self.head_size = request.head_size
        """Bytes of the head of the request, as they came; -1 where that is not known."""
        self.id = head.id
        if REQUEST_ID in request.query:
            in_query = query_value(request.query, REQUEST_ID)
            if in_query is not None:
                self.id = in_query
        self.memory = OVERHEAD + len(request.method) + len(request.target) + head.memory
        """Bytes of memory that it takes."""
        self.marks: Sequence[str] = ()
        self.took: float | None = None
        """Seconds from the head of the request to the end; None while it is open."""
        self.end: End | None = None
        """How it ended; None while it is open."""
        self.touched = 0
        """The number of its beginning or its end, whichever came last, among those of all entries; 0 while it is in no ring."""
        self.kept = False
        """It is in a ring."""
        self.cut = ""
        """What goto did to its answer, where it ended the exchange on purpose: `reset`, `closed` or `garbled`."""
        self.pending: list[Pending] | None = None
        """Who waits for more of it to be known, see `wait`."""
        self.charged = 0
        """Bytes of `memory` for bodies."""

    # ------------------------------------------------------------ as it goes on
    def opened(self, record: Record) -> None:
        """What passes of it is kept here from now on."""
        self.record = record
        if not record.request.over:
            # a body that is over tells nothing, and so would never let go of the entry
            record.request.on_over = self._body_over
            if record.request.most:
                record.request.tell(self._grow)
        if record.response.most:
            record.response.tell(self._grow)

    def wait(self, look: Pending) -> None:
        """Have this look again whenever more is known, until that is all it wants to know."""
        self.pending = [*(self.pending or ()), look]
        if self.flow is not None:
            self.record.on_head = self._headed

    def _headed(self) -> None:
        """The head of its answer is out."""
        if self.pending:
            self._told.look(self)

    def _body_over(self) -> None:
        """Nothing more of the request's body comes, which may be after the exchange has ended."""
        if self.pending:
            self._told.look(self)
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
            self._told.grew(self, size)

    def over(self, flow: Flow) -> None:
        """It has ended, and all is known of it."""
        record = self.record
        self.flow = None
        self.end = end_of(flow)
        if flow.marks:
            self.marks = flow.marks
        if flow.aborted and flow.delivery is not None:
            delivery = flow.delivery
            self.cut = "garbled" if delivery.raw is not None else {"reset": "reset", "close": "closed"}.get(delivery.end, "")
        self.took = (record.started if flow.ended is None else flow.ended) - record.started
        record.on_head = None
        record.response.stop()

    def pack(self) -> int:
        """Keep for good only what is shown of it, as far as it is over. Returns how many bytes more that takes."""
        record = self.record
        self._answer = self._terms.answers.keep(record.fields)
        record.fields = ()
        size = self._answer.memory
        if record.calls:
            size += OVERHEAD_OF_CALL * len(record.calls)
        if self.charged:
            size += self._cut_bodies()
        self.memory += size
        return size

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
    def status(self) -> int | None:
        """That of the answer; None while it is unknown, 0 where none was sent."""
        status = self.record.status
        return 0 if status is None and self.end is not None else status

    @property
    def attempt(self) -> int | None:
        """Which attempt it is, as the client counts them."""
        return self._head.attempt

    @property
    def masked(self) -> frozenset[bytes]:
        """The masked headers that its request has, in lower case."""
        return self._head.masked

    @property
    def bodies(self) -> int:
        """Bytes that are kept of each body."""
        return self._terms.bodies

    @property
    def fields(self) -> list[Field]:
        """The fields of the request's head, masked."""
        return self._head.fields

    @property
    def response_fields(self) -> list[Field]:
        """The fields of the answer's head, masked."""
        answer = self._answer
        return (KeptFields(self.record.fields, self._terms.answers.mask) if answer is None else answer).fields

    @property
    def request_body(self) -> Copy:
        return self.record.request

    @property
    def response_body(self) -> Copy:
        return self.record.response

    @property
    def calls(self) -> Sequence[MadeCall]:
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


def stamp(ns: int) -> str:
    """A time in ns since 1970 in RFC 3339, in microseconds."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"
