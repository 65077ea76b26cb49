"""Where a peer is reached: `host:port`, `[v6]:port`, or a bare host or IP, which stands for port 80.

It begins with `https://` if the peer's listener has the protocol https. An instance of the original does not understand that.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Any, ClassVar

from goto.flow import Origin
from goto.words import Port, one_line
from goto.words.hosts import lookup_host

_SECURE = "https://"
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")


class Address(str):
    """A peer's address in one spelling: IPv6 compressed and in brackets, otherwise as it was given."""

    host: str
    """As it is looked up: without brackets."""
    port: int
    secure: bool
    """Whether it is reached by https."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["10.0.0.7:8080", "[::1]:8080"]}

    @classmethod
    def parse(cls, text: str) -> Address:
        text = one_line(text).strip()
        secure = text[: len(_SECURE)].lower() == _SECURE
        if secure:
            text = text[len(_SECURE) :]
        if not text:
            raise ValueError("must not be empty")
        host, port = _split(text)
        if ":" in host:
            address, percent, zone = lookup_host(host).partition("%")
            host = f"{IPv6Address(address)}{percent}{zone}"
            shown = f"[{host}]"
        else:
            shown, host = host, lookup_host(host)
            if not _HOST.fullmatch(host):
                raise ValueError(f"{text!r} is not a valid address: write it like 10.0.0.7:8080, [::1]:8080 or worker.local:8080")
        # a plain int: getaddrinfo takes no other
        number = (443 if secure else 80) if port is None else int(Port.parse(port))
        made = cls((_SECURE if secure else "") + (shown if port is None else f"{shown}:{number}"))
        made.host, made.port, made.secure = host, number, secure
        return made

    @property
    def origin(self) -> Origin:
        """Where connections to it go."""
        return Origin("https" if self.secure else "http", self.host, self.port)


def _split(text: str) -> tuple[str, str | None]:
    """Host without brackets, and the port's text if there is one."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is not a valid address: write IPv6 like [::1]:8080")
        if ":" not in host:
            raise ValueError(f"{host!r} is not a valid IPv6 address: write it like ::1 or [::1]:8080")
        return host, rest[1:] if rest else None
    if text.count(":") > 1:
        if "%" in text:
            raise ValueError(f"{text!r} has a zone, which stands in brackets: write it like [fe80::1%eth0]:8080")
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None
