"""The bytes of a target's requests, prepared once; only the id differs from one to the next."""

from __future__ import annotations

from goto import __version__
from goto.client.target import ClientTarget
from goto.flow import encode
from goto.http.request_id import REQUEST_ID, fresh_id
from goto.http.targets import has_parameter
from goto.http.wire import REPEATABLE, request_head
from goto.upstream.upload import ONE_WRITE

_END_OF_TARGET = b" HTTP/1.1\r\n"  # a request target holds no space


class PreparedRequest:
    """The bytes of a target's request. `next()` gives them with a fresh id; a long body is apart, in `body`."""

    __slots__ = ("_count", "_head", "_ids", "_tail", "bare", "body", "repeatable", "size")

    def __init__(self, target: ClientTarget) -> None:
        path = request_target(target.url)
        query = path.partition("?")[2]
        with_id = target.send_id and not has_parameter(query, REQUEST_ID)
        if with_id:
            path += f"{'&' if query else '' if path.endswith('?') else '?'}{REQUEST_ID}="
        headers = [(encode(name), encode(value)) for name, value in target.headers]
        given = {name.lower() for name, _ in headers}
        if b"host" not in given:
            headers.insert(0, (b"Host", target.origin.authority.encode()))
        if b"user-agent" not in given:
            headers.append((b"User-Agent", b"goto/%b" % __version__.encode()))
        body = target.body.encode()
        head = request_head(target.method, path, headers, len(body))
        self.body = b""
        """A long body, which is sent after what `next` gives, and never copied; otherwise empty."""
        if len(body) > ONE_WRITE:
            self.body = body
        else:
            head += body
        before, end_of_target, after = head.partition(_END_OF_TARGET)
        self._head = head
        self._tail = b""
        self._ids = b""
        if with_id:
            # each id is random but for the last twelve digits, which are a count
            self._ids = fresh_id()[:-12].encode()
            self._head, self._tail = before + self._ids, end_of_target + after
        self._count = 0
        self.bare = target.method == "HEAD"
        """The answer has no body, whatever its head says (RFC 9110, 9.3.2)."""
        self.repeatable = target.method in REPEATABLE and not body
        """The request may be sent again if it is not known whether it arrived (RFC 9110, 9.2.2)."""
        self.size = len(self.next()) + len(self.body)
        """Length of one request with its body, in bytes."""

    def next(self) -> bytes:
        """The next request, without what is in `body`."""
        if not self._ids:
            return self._head
        self._count += 1
        return b"%b%012x%b" % (self._head, self._count, self._tail)


def request_target(url: str) -> str:
    """The path and query of a url, as they were written."""
    rest = url.partition("://")[2]
    at = min((at for mark in "/?" if (at := rest.find(mark)) >= 0), default=len(rest))
    path = rest[at:]
    return path if path.startswith("/") else f"/{path}"
