"""What `Host` may hold, and the authority of a target in absolute form (RFC 9110, 7.2; RFC 3986, 3.2)."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

# letters, digits, what is unreserved or a sub-delimiter but the comma: two fields that were joined look so
_NAME: Final = re.compile(rb"(?:[0-9A-Za-z._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+")
_IN_BRACKETS: Final = re.compile(rb"\[([0-9A-Fa-f:.]+)\]")
_PORT: Final = re.compile(rb"[0-9]*")
_HIGHEST_PORT: Final = 65535


def is_authority(value: bytes) -> bool:
    """Whether it is `host` or `host:port`, without user info. The port may be empty, and an IPv6 address has no zone."""
    if value.startswith(b"["):
        found = _IN_BRACKETS.match(value)
        if found is None or not _is_ipv6(found[1]):
            return False
    else:
        found = _NAME.match(value)
        if found is None:
            return False
    rest = value[found.end() :]
    return not rest or (rest.startswith(b":") and _is_port(rest[1:]))


def is_host(value: bytes) -> bool:
    """Whether it may be the value of `Host`: an authority, or nothing."""
    return not value or is_authority(value)


def _is_ipv6(address: bytes) -> bool:
    try:
        IPv6Address(address.decode())
    except AddressValueError:
        return False
    return True


def _is_port(digits: bytes) -> bool:
    """Digits of a port; zeros before them do not matter."""
    if not _PORT.fullmatch(digits):
        return False
    digits = digits.lstrip(b"0")
    return len(digits) <= 5 and int(digits or b"0") <= _HIGHEST_PORT
