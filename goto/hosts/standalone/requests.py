"""What a parsed message asks: whether it is refused at once, and the request that features see."""

from __future__ import annotations

from goto.flow import Headers, Request, encode
from goto.hosts.standalone.connection import Message
from goto.traffic.limits import LIMITS


def refusal_of(message: Message) -> tuple[int, str] | None:
    """Why a request is answered at once, before any feature sees it."""
    if message.method == "CONNECT":
        return 501, "CONNECT is not served"
    size = len(message.path) + sum(len(name) + len(value) + 4 for name, value in message.raw_headers)
    if size > LIMITS.head:
        LIMITS.hit["head"] += 1
        return 431, f"the head is over {LIMITS.head} bytes"
    for name, value in message.raw_headers:
        if len(name) == 17 and name.lower() == b"transfer-encoding" and value.strip().lower() != b"chunked":
            # other codings would have to be undone before the message's end is known (RFC 9112, 6.1)
            return 400, "the only transfer coding that is understood is chunked"
    return None


def request_of(message: Message, *, has_body: bool) -> Request:
    """The request in origin-form; an absolute-form's authority stands for its `Host` (RFC 9112, 3.2.2)."""
    target, fields = message.path, list(message.raw_headers)
    if target[:1] not in "/*":
        scheme, _, rest = target.partition("://")
        if scheme.lower() in ("http", "https"):
            cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
            authority, target = rest[:cut], rest[cut:]
            if not target.startswith("/"):
                target = "/" + target
            fields = [field for field in fields if field[0].lower() != b"host"]
            fields.insert(0, (b"Host", encode(authority.rpartition("@")[2])))
    major, minor = message.version
    return Request(message.method, target, Headers(fields), version=(major, minor), has_body=has_body)
