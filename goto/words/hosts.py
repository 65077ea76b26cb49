"""Hosts of URLs and addresses: how they are written, and how they are looked up."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv6Address
from typing import Any, ClassVar
from urllib.parse import unquote

from goto.words.names import one_line


class Interface(str):
    """A name or an address of this machine to listen on. The brackets of an IPv6 address are removed."""

    @classmethod
    def parse(cls, text: str) -> Interface:
        text = one_line(text).strip()
        if not text:
            raise ValueError("must not be empty: leave it out for all interfaces")
        return cls(lookup_host(text[1:-1] if text.startswith("[") and text.endswith("]") else text))


class HostPort(str):
    """A host with a port, `10.0.0.7:8080`, `[::1]:8080` or `worker.local:8080`."""

    host: str
    """As it is looked up: without brackets."""
    port: int

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^.+:[0-9]+$", "examples": ["10.0.0.7:8080", "[::1]:8080"]}

    @classmethod
    def parse(cls, text: str) -> HostPort:
        found = _HOST_PORT.fullmatch(one_line(text).strip())
        port = int(found["port"]) if found else 0
        if found is None or not 1 <= port <= 65535:
            raise ValueError(f"{text!r} is not a host with a port: write it like 10.0.0.7:8080, [::1]:8080 or worker.local:8080")
        made = cls(found[0])
        # plain types: uvloop takes no others
        made.host, made.port = lookup_host(found["v6"] or found["host"]), port
        return made


_HOST_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]/@\s]*:[^\[\]/@\s]*)\]|(?P<host>[^\[\]:/@\s?#]+)):(?P<port>[0-9]{1,5})", re.ASCII)
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""The characters that separate the labels of a name (UTS 46, 4)."""


def lookup_host(host: str) -> str:
    """The form of a host for looking it up; IPv6 has no brackets. Raises ValueError with the reason.

    The zone of an IPv6 address is the name of the interface, without the `25` of a URI: `fe80::1%eth0`. Letters past ASCII are
    converted by UTS 46, nontransitional; labels in ASCII stay as they are.
    """
    if ":" in host:
        return _with_zone(host)
    if host.isascii():
        return host
    labels = _DOTS.split(host)
    if not all(labels[:-1]) or labels == [""]:
        raise ValueError(f"{host!r} has an empty label between two dots: leave one of them out")
    return ".".join(map(_ascii_label, labels))


def host_without_zone(host: str) -> str:
    """A host without its zone, as it is in `Host` and in certificates: a zone means something on this machine only."""
    return host.partition("%")[0] if ":" in host else host


def missing_interface(host: str) -> str:
    """The interface that a host names, if this machine does not have it; else empty. A number always passes."""
    _, percent, zone = host.partition("%")
    if percent and ":" in host and not zone.isdecimal():
        try:
            socket.if_nametoindex(zone)
        except OSError:
            return zone
    return ""


def bracketed(host: str) -> str:
    """A host in the form of URLs: an IPv6 address in brackets, with `%25` before its zone (RFC 6874, 2)."""
    return f"[{host.replace('%', '%25')}]" if ":" in host else host


def _with_zone(host: str) -> str:
    address, percent, zone = host.partition("%")
    try:
        parsed = IPv6Address(address)
    except ValueError:
        raise ValueError(f"{host!r} is not a valid IPv6 address: write it like ::1 or [::1]:8080") from None
    if not percent:
        return address
    # written as in a URI (RFC 6874, 2), or as everywhere else (RFC 9844)
    name = unquote(zone[2:]) if zone.startswith("25") and len(zone) > 2 else zone
    if not name or not name.isprintable() or re.search(r"[\s/%]", name):
        raise ValueError(f"{host!r} names no interface behind the %: write it like fe80::1%eth0")
    if not parsed.is_link_local:
        raise ValueError(f"{host!r} names an interface, but is not link-local: leave out the % and what follows it")
    return f"{address}%{name}"


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    import idna  # imported on demand: its tables take time, and few hosts need them

    try:
        return idna.encode(label, uts46=True, transitional=False).decode()
    except UnicodeError as error:
        raise ValueError(f"{label!r} cannot be converted to ASCII ({error}): write it as xn--…") from None
