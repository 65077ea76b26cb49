"""One request to an upstream, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from goto.flow import Field
from goto.tally import Tally
from goto.tls.client import ClientTls

DEFAULT_TIMEOUT = 30.0
"""Seconds from the last byte of a request to the head of its response, where a target says nothing."""


class Origin(NamedTuple):
    """Where connections go. Connections are shared by all calls to an equal origin."""

    scheme: str
    host: str
    port: int
    tls: ClientTls | None = None
    """How an https origin is connected to; None for the usual way."""

    @classmethod
    def of(cls, url: str, tls: ClientTls | None = None) -> Origin:
        """Where the connections of an http or https URL go."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host.isascii():
            host = host.encode("idna").decode()
        return cls(parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80), tls)

    @property
    def authority(self) -> str:
        """As `Host` names it: without the scheme's own port, IPv6 in brackets (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


@dataclass(slots=True)
class Call:
    """What goes to one upstream for one exchange.

    `path` is the raw request target, query included. `headers` hold neither hop-by-hop fields nor a length:
    whoever sends frames the body. `timeout` is in seconds. `failure`, if not empty, says why this call cannot
    be sent: it is answered 502 with that text.
    """

    target: str
    origin: Origin
    method: str
    path: str
    headers: list[Field] = field(default_factory=list)
    timeout: float = DEFAULT_TIMEOUT
    failure: str = ""
    upgrade: str = ""
    """The protocol to switch to, as `Upgrade` names it; the connection then becomes a tunnel."""
    tally: Tally | None = None
    """Where it is counted what comes of it."""
    id: str = ""
    """`name[replica][n]`, n running over the target's requests of one invocation."""
