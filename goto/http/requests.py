"""The head of a request, read exactly (RFC 9112, 3 and 5). What is not plain comes here, see `goto.http.heads`.

A head is taken as it is meant, or refused: no reader behind goto may see another request than goto does. Where several things are
wrong with it, the first of these decides: its target, its method, the shape of its first line, its version, `Host`, its framing,
its fields.
"""

from __future__ import annotations

import re
from typing import Final

from goto.http.authority import is_authority, is_host
from goto.http.fields import Field, Headers, decode
from goto.http.heads import CHUNKED
from goto.http.memo import Memo
from goto.http.messages import Request

Asking = tuple[Request, str, int, bool, bool]
"""A request; its target as it came; the length of its body in bytes, or CHUNKED; whether the connection stays; whether the client
waits for a `100 Continue`."""

_FIRST_LINE: Final = re.compile(rb"[^\r\n]*")
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_VISIBLE: Final = re.compile(rb"[\x21-\x7e]*")
_VERSION: Final = re.compile(rb"HTTP/([0-9])\.([0-9])")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_SCHEME: Final = re.compile(r"([A-Za-z][0-9A-Za-z+.-]*):")
_WEB: Final = re.compile(r"(?i:https?)://([^/?]*)(.*)")


class Refused(Exception):
    """What came is no request that is served: the status and the text that it is answered with."""

    def __init__(self, status: int, reason: str, method: str = "-", target: str = "-") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.method = method
        """That of its head, as far as it was read."""
        self.target = target


class Malformed(ValueError):
    """A line that is no field, or none between chunks; the text says why."""

    def __init__(self, reason: str, line: bytes = b"") -> None:
        super().__init__(reason)
        self.line = line
        """The line between chunks that is at fault, without its end."""


def read_field(line: bytes) -> Field:
    """One field, without the blanks around its value. Raises `Malformed`."""
    name, colon, value = line.partition(b":")
    if line[:1] == b" " or line[:1] == b"\t":
        raise Malformed("a field goes on in the next line: write it in one")
    if not colon:
        raise Malformed("a line of the head has no colon")
    if b"\r" in line or b"\n" in line:
        raise Malformed("a line of the head ends in a bare CR or LF")
    if not _TOKEN.fullmatch(name):
        if _TOKEN.fullmatch(name.rstrip(b" \t")):
            raise Malformed("a field has a blank before its colon")
        raise Malformed("the name of a field is no token")
    value = value.strip(b" \t")
    if not _VALUE.fullmatch(value):
        raise Malformed("the value of a field has a control character")
    return name, value


_field_of: Final = Memo(read_field, group=lambda line: line.partition(b":")[0]).__getitem__


def target_fault(method: str, target: str) -> str:
    """What is wrong with a target in that it is none of the four forms (RFC 9112, 3.2); empty where nothing is.

    CONNECT has a form of its own, which is not looked at.
    """
    if "#" in target:
        return "the target has a #: a fragment is not sent, and in a path it is written %23"
    if target.startswith("/"):
        return ""
    if target == "*":
        return "" if method == "OPTIONS" else "the target * is for OPTIONS alone"
    if method == "CONNECT":
        return ""
    scheme = _SCHEME.match(target)
    if scheme is None:
        return "the target begins neither with / nor with http://"
    web = _WEB.fullmatch(target)
    if web is None:
        return f"the target has the scheme {scheme[1]}: only http://host and https://host are served"
    if "@" in web[1]:
        return "the target has user info before its host: send Authorization"
    if not is_authority(web[1].encode("utf-8", "surrogateescape")):
        return "the target has no host, or what is none"
    return ""


def host_fault(values: list[bytes], version: tuple[int, int]) -> str:
    """What is wrong with the `Host` fields of a request (RFC 9112, 3.2); empty where nothing is."""
    if len(values) > 1:
        return "there are two Host fields"
    if not values:
        return "there is no Host field" if version >= (1, 1) else ""
    return "" if is_host(values[0]) else "Host is not host or host:port"


def read_request(head: bytes) -> Asking:
    """The request of a head that is here up to its empty line. Raises `Refused`."""
    found = _FIRST_LINE.match(head)
    line = found[0] if found is not None else b""
    words = line.split(b" ")
    if words[0] == b"PRI":
        raise Refused(400, "HTTP/2 is not spoken here: use HTTP/1.1")
    named = decode(words[0]) if _TOKEN.fullmatch(words[0]) else ""
    target = decode(words[1]) if len(words) > 1 else "/"
    visible = len(words) < 2 or _VISIBLE.fullmatch(words[1]) is not None
    if fault := target_fault(named, target):
        raise Refused(400, fault)
    if not visible:
        raise Refused(400, "the target has a byte that is no visible ASCII: percent-encode it")
    if not named:
        raise Refused(400, "the method is no token")
    version = _VERSION.fullmatch(words[2]) if len(words) == 3 else None
    if version is None or not words[1]:
        raise Refused(400, "the first line is not a method, a target and a version, with one blank between them")
    if version[1] != b"1":
        spoken = words[2].decode()
        raise Refused(505, f"{spoken} is not spoken here: use HTTP/1.1", named, target)
    if named == "CONNECT":
        raise Refused(501, "CONNECT is not served", named, target)
    # what a higher minor version adds can be left out (RFC 9110, 2.5)
    spoken_version = (1, 0) if version[2] == b"0" else (1, 1)
    return _read_fields(head[len(line) :], named, target, spoken_version)


def _read_fields(rest: bytes, method: str, target: str, version: tuple[int, int]) -> Asking:
    """What the fields ask. `rest` is what stands behind the first line."""
    fields: list[Field] = []
    hosts: list[bytes] = []
    lengths: list[bytes] = []
    codings: list[bytes] = []
    options: list[bytes] = []
    expected: list[bytes] = []
    fault = ""
    lines = rest.split(b"\r\n")
    if lines[0] or lines[-1] or lines[-2]:
        fault = "a line of the head ends in a bare CR or LF"
        lines = re.split(rb"\r\n|\r|\n", rest)
    for line in lines[1:-2]:
        try:
            field = _field_of(line)
        except Malformed as malformed:
            fault = fault or str(malformed)
            continue
        fields.append(field)
        name, value = field
        size = len(name)
        if size == 4 and name.lower() == b"host":
            hosts.append(value)
        elif size == 14 and name.lower() == b"content-length":
            lengths.append(value)
        elif size == 17 and name.lower() == b"transfer-encoding":
            codings += _items(value)
        elif size == 10 and name.lower() == b"connection":
            options += _items(value)
        elif size == 6 and name.lower() == b"expect":
            expected += _items(value)
    if host := host_fault(hosts, version):
        raise Refused(400, host, method, target)
    coded = any(len(name) == 17 and name.lower() == b"transfer-encoding" for name, _ in fields)
    if coded and version < (1, 1):
        raise Refused(400, "HTTP/1.0 has no Transfer-Encoding", method, target)
    if fault:
        raise Refused(400, fault, method, target)
    length = _length(lengths, codings, coded=coded, method=method, target=target)
    request = request_of(method, target, fields, version, has_body=length != 0)
    keep = b"close" not in options and (version >= (1, 1) or b"keep-alive" in options)
    return request, target, length, keep, length != 0 and version >= (1, 1) and b"100-continue" in expected


def _items(value: bytes) -> list[bytes]:
    """The items of a list, in lower case (RFC 9110, 5.6.1)."""
    return [item for item in [item.strip(b" \t") for item in value.lower().split(b",")] if item]


def _length(lengths: list[bytes], codings: list[bytes], *, coded: bool, method: str, target: str) -> int:
    """The length of the body, or CHUNKED (RFC 9112, 6.3). Raises `Refused`."""
    if coded and lengths:
        raise Refused(400, "there are both Transfer-Encoding and Content-Length", method, target)
    if coded:
        for coding in codings:
            if coding != b"chunked":
                # it would have to be undone before the message's end is known (RFC 9112, 6.1)
                raise Refused(501, "the only transfer coding that is understood is chunked", method, target)
        if len(codings) != 1:
            raise Refused(400, "Transfer-Encoding is not chunked, once", method, target)
        return CHUNKED
    if len(lengths) > 1:
        raise Refused(400, "there are two Content-Length fields", method, target)
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise Refused(400, "Content-Length is not a number of bytes", method, target)
    return int(lengths[0]) if lengths else 0


def request_of(method: str, target: str, fields: list[Field], version: tuple[int, int], *, has_body: bool) -> Request:
    """The request in origin-form; an absolute-form's authority stands for its `Host` (RFC 9112, 3.2.2)."""
    web = None if target[0:1] == "/" or target[0:1] == "*" else _WEB.fullmatch(target)
    if web is not None:
        authority, target = web[1], web[2]
        if not target and method == "OPTIONS":
            target = "*"  # RFC 9112, 3.2.4
        elif target[0:1] != "/":
            target = "/" + target
        fields = [field for field in fields if field[0].lower() != b"host"]
        fields.insert(0, (b"Host", authority.encode("utf-8", "surrogateescape")))
    return Request(method, target, Headers(fields), version=version, has_body=has_body)
