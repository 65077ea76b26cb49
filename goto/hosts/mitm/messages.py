"""Between mitmproxy's messages and goto's own."""

from __future__ import annotations

import errno
import os
import re

from mitmproxy import http
from mitmproxy.flow import Error

from goto.flow import Call, Field, Headers, Origin, Request, Response, decode, encode
from goto.hosts.mitm import private
from goto.http.authority import is_authority
from goto.http.forwards import hops_field, take_hops
from goto.http.hops import end_to_end
from goto.http.messages import Hops
from goto.http.reasons import REASONS
from goto.http.requests import host_fault, target_fault
from goto.http.wire import NO_BODY, date_field, has_date, identified

SHOWN_WHOLE = 1 << 20
"""Bodies of traffic that nobody routed are held for mitmproxy's views and addons up to this many bytes; longer ones stream."""

_FRAMING = frozenset((b"content-length", b"transfer-encoding"))
_OF_CONNECTION = _FRAMING | {b"connection"}
_ERRNO = re.compile(r"\[Errno (-?\d+)\]")


def request_of(request: http.Request) -> Request:
    """As features see it: an absolute-form's or HTTP/2's authority stands for `Host` (RFC 9112, 3.2.2; RFC 9113, 8.3.1)."""
    fields = list(request.headers.fields)
    authority = request.data.authority
    if authority:
        fields = [(b"Host", authority.rpartition(b"@")[2]), *(field for field in fields if field[0].lower() != b"host")]
    seen = Request(
        request.method,
        decode(request.data.path),
        Headers(fields),
        version=(2, 0) if request.is_http2 else (1, 0) if request.http_version == "HTTP/1.0" else (1, 1),
        has_body=may_have_body(request),
    )
    seen.head_size = private.head_sizes.get(request, -1)
    if "goto-hops" in request.headers:
        take_hops(seen)
    return seen


def fault_of(request: http.Request) -> str:
    """Why a request is refused, of what mitmproxy takes; empty where it is not."""
    if fault := target_fault(request.method, decode(request.data.path)):
        return fault
    authority, hosts = request.data.authority, [encode(value) for value in request.headers.get_all("host")]
    if authority and not is_authority(authority):
        return "the target has no host, or what is none"
    version = (1, 0) if request.http_version == "HTTP/1.0" else (1, 1)
    if fault := host_fault(hosts, (1, 0) if request.is_http2 and authority else version):
        return fault
    return "HTTP/1.0 has no Transfer-Encoding" if version == (1, 0) and "transfer-encoding" in request.headers else ""


def join_cookies(request: http.Request) -> None:
    """Make the cookies of a request one field, as HTTP/1.1 has them: HTTP/2 may send each in its own (RFC 9113, 8.2.3)."""
    cookies = request.headers.get_all("cookie")
    if request.is_http2 and len(cookies) > 1:
        request.headers["cookie"] = "; ".join(cookies)


def awaits_continue(request: http.Request) -> bool:
    """Whether the client sends its body only once it is asked to (RFC 9110, 10.1.1)."""
    return bool(request.headers.get("expect", "").lower() == "100-continue")


def ends_with_connection(response: http.Response, request: http.Request) -> bool:
    """Whether only the end of the client's connection tells where the body of a response ends (RFC 9112, 6.3)."""
    framed = "content-length" in response.headers or "transfer-encoding" in response.headers
    return not (framed or request.is_http2 or request.method == "HEAD" or response.status_code in NO_BODY)


def is_killed(flow: http.HTTPFlow) -> bool:
    """Whether somebody has killed a flow."""
    return flow.error is not None and bool(flow.error.msg == Error.KILLED_MESSAGE)


def may_have_body(request: http.Request) -> bool:
    """In HTTP/2 only the end of a stream tells."""
    headers = request.headers
    if "content-length" in headers:
        return bool(headers["content-length"] != "0")
    return "transfer-encoding" in headers or (request.is_http2 and request.method not in ("GET", "HEAD", "OPTIONS"))


def is_short(headers: http.Headers) -> bool:
    """Whether a body says how long it is, and that this is not long."""
    length = headers.get("content-length") or ""
    return bool(length.isdecimal() and int(length) <= SHOWN_WHOLE)


def framing(fields: tuple[Field, ...]) -> list[Field]:
    """What delimits the body on the wire; mitmproxy goes by these fields."""
    return [field for field in fields if field[0].lower() in _FRAMING]


def unframed(fields: list[Field]) -> list[Field]:
    """Fields without those that belong to the connection, and delimit the body on it."""
    return [field for field in fields if field[0].lower() not in _OF_CONNECTION]


def aim_at_own_upstream(flow: http.HTTPFlow, hops: Hops, *, keeps_host: bool, websocket: bool) -> None:
    """Make a request ready for mitmproxy's own upstream. In reverse mode `Host` was kept for goto; now it is that upstream's.

    A mark of hops that it has is one higher, so that a circle through other proxies ends; it is given none.
    """
    request = flow.request
    if "goto-hops" in request.headers:
        request.headers["goto-hops"] = hops_field(hops)[1]
    if "upgrade" in request.headers and not websocket:
        for name in ("upgrade", "http2-settings", "connection"):
            request.headers.pop(name, None)
    if flow.client_conn.proxy_mode.type_name == "reverse" and not request.is_http2:
        request.authority = ""
        if not keeps_host:
            request.host_header = Origin(request.scheme, request.host, request.port).authority


def aim_at_target(request: http.Request, call: Call, upgrade: str) -> None:
    """Make a request into a call. `upgrade` is the protocol to switch to, if any."""
    fields = [*call.headers, *framing(request.headers.fields)]
    if "expect" in request.headers:
        fields.append((b"Expect", b"100-continue"))  # mitmproxy meets it itself
    if upgrade:
        fields += [(b"Connection", b"Upgrade"), (b"Upgrade", encode(upgrade))]
    request.scheme, request.host, request.port = call.origin.scheme, call.origin.resolvable, call.origin.port
    request.data.path = encode(call.path)
    request.headers = http.Headers(fields)
    if request.is_http2:
        request.authority = decode(dict(call.headers).get(b"Host", encode(call.origin.authority)))
        request.headers.pop("host", None)
    else:
        request.authority = ""


def made(response: Response, identity: list[Field], method: str, *, close: bool = False) -> http.Response:
    """A response of goto's own as mitmproxy has it, which would send a body with HEAD, 204 and 304. It may name a length itself
    where it has no body.
    """
    bare = response.status in NO_BODY
    fields = identified(response, identity)
    if not has_date(fields):
        fields.append((b"Date", date_field()[6:-2]))
    # 205 has no content, which its length says (RFC 9110, 15.3.6); that of an upstream, which has its own reason, stays as it is
    content = b"" if response.status == 205 and response.reason is None else response.body
    if not bare and "content-length" not in response.headers:
        fields.append((b"Content-Length", b"%d" % len(content)))
    if close:
        fields.append((b"Connection", b"close"))
    body = b"" if bare or method == "HEAD" else content
    reason = REASONS.get(response.status, "") if response.reason is None else response.reason
    return http.Response(
        b"HTTP/1.1", response.status, reason.encode("latin-1", "replace"), http.Headers(fields), body, None, 0, 0
    )


def passed_on(response: http.Response) -> http.Response:
    """An upstream's response without what belongs to its connection. Another object: mitmproxy goes on reading the first."""
    fields = response.headers.fields
    if response.status_code != 101:
        fields = (*end_to_end(fields), *framing(fields))
    data = response.data
    return http.Response(b"HTTP/1.1", data.status_code, data.reason, http.Headers(fields), None, None, data.timestamp_start, None)


def says_gone(message: str) -> bool:
    """Whether mitmproxy's message is that the client has left."""
    return message.startswith(("Client disconnected", "stream reset by client"))


def spoken_error(message: str) -> str:
    """Why an upstream failed, in the words of the standalone host where mitmproxy's can be told."""
    if found := _ERRNO.search(message):
        number = int(found[1])
        if number in errno.errorcode:
            return os.strerror(number)
    if message == "server closed connection":
        return "closed the connection without an answer"
    if message.startswith("Cannot parse HTTP response: "):
        return f"answered with invalid HTTP: {message.partition(': ')[2]}"
    return message or "failed"
