"""The bytes of a target's requests: made once where they are all alike, else put together of parts that were."""

from __future__ import annotations

from base64 import b64decode
from random import randrange
from typing import Final

from goto import __version__
from goto.client.target import ClientTarget
from goto.client.variables import Template
from goto.flow import Field, encode
from goto.http.numbered_id import MIX
from goto.http.request_id import REQUEST_ID, fresh_id
from goto.http.targets import ascii_only, has_parameter
from goto.http.wire import CLOSE, REPEATABLE, request_head
from goto.upstream.upload import ONE_WRITE

_HTTP: Final = b" HTTP/1.1\r\n"
_LENGTH: Final = b"Content-Length: %d\r\n\r\n"
_LAST: Final = [b"%02x" % number for number in range(256)]
"""The last two digits of a count."""


class PreparedRequest:
    """Gives the requests of a target one after the other: `next()` is the bytes of one, a long body apart from it in `body`."""

    __slots__ = (
        "_begin",
        "_body",
        "_closing",
        "_count",
        "_fields",
        "_head",
        "_ids",
        "_keeping",
        "_one",
        "_one_closing",
        "_paths",
        "_random",
        "_run",
        "_same",
        "_same_closing",
        "_short",
        "bare",
        "body",
        "repeatable",
    )

    def __init__(self, target: ClientTarget, run: str = "") -> None:
        """`run`: what ids name their run as, where they say which number they are (see `goto.http.numbered_id`)."""
        self._count = 0
        self._run = encode(run)
        self._random = target.pick == "random"
        self._begin = encode(f"{target.method} ")
        self._ids = fresh_id()[:-12].encode()
        """Of ids: each is random but for the last twelve digits, which are a count."""
        self._fields: Template | None = None
        """The fields of the head, where variables are in them or in the body."""
        self._body: Template | None = None
        """The body, where variables are in it."""
        body = b64decode(target.body_base64) if target.body_base64 else target.body.encode()
        if target.variables:
            template = Template(target.body)
            self._body = template if template.variable else None
        self.body = b""
        """A long body, which is sent after what `next` gave, and never copied; otherwise empty."""
        headers = _headers(target)
        # the length of a body with variables is added to each
        head = request_head(target.method, "/", headers, 0 if self._body is not None else len(body)).partition(_HTTP)[2]
        if self._body is not None:
            head = head.removesuffix(b"\r\n").removesuffix(b"Content-Length: 0\r\n")
        elif len(body) > ONE_WRITE:
            self.body = body
            body = b""
        if target.variables:
            fields = Template(head.decode("utf-8", "surrogateescape"))
            self._fields = fields if fields.variable or self._body is not None else None
        self._short = body
        """A body that is sent with the head, where there are no variables in it."""
        self._keeping = head + body
        """What follows the request line: the rest of the head, and a short body."""
        self._closing = CLOSE + head + body
        self._paths = [_path(url, target) for url in (target.url, *target.urls)]
        """Of each URL its path and query, and whether an id follows."""
        self._same = b""
        """The whole request, where all are alike."""
        self._same_closing = b""
        path, with_id = self._paths[0]
        if len(self._paths) == 1 and not (with_id or path.variable or self._fields is not None):
            self._same = b"%b%b%b%b" % (self._begin, path.literal, _HTTP, self._keeping)
            self._same_closing = b"%b%b%b%b" % (self._begin, path.literal, _HTTP, self._closing)
        self._one: tuple[bytes, bytes] | None = None
        """What is before and behind the id of a request, where all are alike but for that."""
        self._one_closing = (b"", b"")
        self._head = b""
        """What is before the last two digits of such an id, which 256 requests have in common."""
        if len(self._paths) == 1 and with_id and not (path.variable or self._fields is not None):
            before = self._begin + path.literal
            self._one = (before, _HTTP + self._keeping)
            self._one_closing = (before, _HTTP + self._closing)
        self.bare = target.method == "HEAD"
        """The answer has no body, whatever its head says (RFC 9110, 9.3.2)."""
        self.repeatable = target.method in REPEATABLE and not target.body and not target.body_base64
        """The request may be sent again if it is not known whether it arrived (RFC 9110, 9.2.2)."""

    def next(self, replica: int = 1, closing: bool = False) -> bytes:
        """The next request, which the replica of this number sends. `closing`: it is the last one of its connection."""
        if self._same:
            return self._same_closing if closing else self._same
        self._count += 1
        if self._one is not None:
            before, behind = self._one_closing if closing else self._one
            if self._run:
                return b"%b%08x-%b%b" % (before, (self._count - 1) * MIX & 0xFFFFFFFF, self._run, behind)
            last = self._count & 0xFF
            if not last or not self._head:
                self._head = b"%b%b%010x" % (before, self._ids, self._count >> 8)
            return self._head + _LAST[last] + behind
        paths = self._paths
        at = 0 if len(paths) == 1 else randrange(len(paths)) if self._random else (self._count - 1) % len(paths)
        path, with_id = paths[at]
        target = path.fill(self._count, replica) if path.variable else path.literal
        if with_id:
            if self._run:
                target = b"%b%08x-%b" % (target, (self._count - 1) * MIX & 0xFFFFFFFF, self._run)
            else:
                target = b"%b%b%012x" % (target, self._ids, self._count)
        if self._fields is None:
            return b"%b%b%b%b" % (self._begin, target, _HTTP, self._closing if closing else self._keeping)
        return self._filled(target, replica, closing)

    @property
    def number(self) -> int:
        """That of the latest request, from 0, where there are ids."""
        return self._count - 1

    def _filled(self, target: bytes, replica: int, closing: bool) -> bytes:
        assert self._fields is not None
        head = b"%b%b%b%b%b" % (self._begin, target, _HTTP, CLOSE if closing else b"", self._fields.fill(self._count, replica))
        if self._body is None:
            return head + self._short
        body = self._body.fill(self._count, replica)
        self.body = body if len(body) > ONE_WRITE else b""
        return head + _LENGTH % len(body) + (b"" if self.body else body)


def _headers(target: ClientTarget) -> list[Field]:
    headers = [(encode(name), encode(value)) for name, value in target.headers]
    given = {name.lower() for name, _ in headers}
    if b"host" not in given:
        headers.insert(0, (b"Host", target.origin.authority.encode()))
    if b"user-agent" not in given:
        headers.append((b"User-Agent", b"goto/%b" % __version__.encode()))
    if target.proxy is not None and target.proxy.authorization and target.origin.scheme == "http":
        headers.append((b"Proxy-Authorization", target.proxy.authorization.encode()))
    return headers


def _path(url: str, target: ClientTarget) -> tuple[Template, bool]:
    path = _written(url)
    query = path.partition("?")[2]
    with_id = (target.send_id or target.reconcile) and not has_parameter(query, REQUEST_ID)
    if with_id:
        path += f"{'&' if query else '' if path.endswith('?') else '?'}{REQUEST_ID}="
    if target.proxy is not None and target.origin.scheme == "http":
        path = f"http://{target.origin.authority}{path}"  # a proxy is told which origin it goes to (RFC 9112, 3.2.2)
    return Template(path, variables=target.variables, in_url=True), with_id


def request_target(url: str) -> str:
    """The path and query of a url, as they were written; what is no ASCII is percent-encoded."""
    return ascii_only(_written(url))


def _written(url: str) -> str:
    rest = url.partition("://")[2]
    at = min((at for mark in "/?" if (at := rest.find(mark)) >= 0), default=len(rest))
    path = rest[at:]
    return path if path.startswith("/") else f"/{path}"
