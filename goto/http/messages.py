"""A request and a response, as features see them."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from mypy_extensions import mypyc_attr

from goto.http.fields import Headers, decode, encode


class Hops(NamedTuple):
    """How a request has come through instances of goto."""

    times: int
    """How often."""
    ids: tuple[bytes, ...]
    """The listeners that sent it to several at once."""


NOT_COME: Final = Hops(0, ())
"""Of a request that comes from a client."""


@mypyc_attr(allow_interpreted_subclasses=True, serializable=True)
class Request:
    """The head of a request. Its body may still be on its way."""

    __slots__ = ("has_body", "head_size", "headers", "hops", "method", "path", "query", "target", "version")

    def __init__(
        self,
        method: str,
        target: str,
        headers: Headers | None = None,
        *,
        version: tuple[int, int] = (1, 1),
        has_body: bool = False,
    ) -> None:
        self.method = method
        """As sent: methods are case-sensitive (RFC 9110, 9.1)."""
        self.target = target
        """The origin-form, byte for byte: path and query (RFC 9112, 3.2.1)."""
        self.headers: Headers = Headers() if headers is None else headers
        """Its header fields."""
        self.version = version
        """Of HTTP: `(1, 1)`."""
        self.has_body = has_body
        """Whether a body may follow."""
        self.hops: Hops = NOT_COME
        """For hosts: how it has come through goto before."""
        self.head_size: int = -1
        """For hosts: bytes of its head on the wire; -1 where that is not known, as in HTTP/2."""
        path, query = target, ""
        if "?" in target:
            path, _, query = target.partition("?")
        self.path: str = path
        """The target without its query, still percent-encoded."""
        self.query: str = query
        """What follows the first `?`, still percent-encoded; empty where there is none."""

    @property
    def requested_status(self) -> int | None:
        """The n of a request for `/status/{n}`, if goto can answer with it (200 to 599); else None."""
        if not self.path.startswith("/status/"):
            return None
        word = self.path[8:].removesuffix("/")
        if len(word) == 3 and word.isascii() and word.isdecimal() and 200 <= int(word) <= 599:
            return int(word)
        return None

    @property
    def upgrade(self) -> str:
        """The protocol that `Upgrade` asks for, in lower case; empty where `Connection` does not name it (RFC 9110, 7.8)."""
        index = self.headers.index
        if b"upgrade" not in index:
            return ""
        connection = b",".join([value for _, value in index.get(b"connection", ())]).lower().split(b",")
        if b"upgrade" not in (word.strip() for word in connection):
            return ""
        return decode(index[b"upgrade"][0][1]).strip().lower()


_NONE: Final[frozenset[bytes]] = frozenset()


class Body(Protocol):
    """The body of an upstream's answer that is still to come. The host streams it to the client."""

    @property
    def length(self) -> int | None:
        """Its size in bytes; None where only its end will tell."""

    def abort(self) -> None:
        """End the connection that the body comes over, since nobody wants the rest."""


@mypyc_attr(allow_interpreted_subclasses=True, serializable=True)
class Response:
    """The head of a response with its whole `body`, or with a `stream` of it that a host passes on."""

    __slots__ = ("body", "headers", "reason", "replaced", "status", "stream")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        headers: Headers | None = None,
        *,
        reason: str | None = None,
        stream: Body | None = None,
    ) -> None:
        self.status = status
        """The status code."""
        self.reason = reason
        """The phrase behind the status; None for the usual one."""
        self.headers: Headers = Headers() if headers is None else headers
        """Its header fields. Those that frame the body are added when it is sent."""
        self.body = body
        """The whole body, where there is no stream."""
        self.stream = stream
        """A body that is still to come from an upstream; it is passed on as it comes."""
        self.replaced: frozenset[bytes] = _NONE
        """Names in lower case, of fields that the host adds to all responses and leaves out of this one."""

    @classmethod
    def text(cls, status: int, text: str) -> Response:
        """An answer of a line of text; its end is added."""
        return cls(status, encode(text + "\n"), Headers([(b"Content-Type", b"text/plain; charset=utf-8")]))

    @classmethod
    def json(cls, status: int, body: bytes) -> Response:
        """An answer of a JSON document, given encoded."""
        return cls(status, body, Headers([(b"Content-Type", b"application/json")]))
