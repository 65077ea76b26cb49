"""A call to an upstream: where it goes, and what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from goto.counting.tally import Tally
from goto.http.fields import Field
from goto.http.record import MadeCall, Record
from goto.tls.client import ClientTls
from goto.words.hosts import bracketed, host_without_zone, lookup_host

DEFAULT_TIMEOUT = 30.0
"""Seconds from the last byte of a request to the head of its response, where a target says nothing."""


class Origin(NamedTuple):
    """Where connections go. Connections are shared by all calls to an equal origin."""

    scheme: str
    """`http` or `https`."""
    host: str
    """A name or an address as it is looked up: in ASCII; IPv6 without brackets, its zone behind `%`."""
    port: int
    """From 1 to 65535."""
    tls: ClientTls | None = None
    """How an https origin is connected to; None for the usual way."""

    @classmethod
    def of(cls, url: str, tls: ClientTls | None = None) -> Origin:
        """Where the connections of an http or https URL go."""
        parts = urlsplit(url)
        host = lookup_host(parts.hostname or "")
        return cls(parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80), tls)

    @property
    def authority(self) -> str:
        """As `Host` names it: without the scheme's own port, IPv6 in brackets and without a zone (RFC 9110, 7.2)."""
        host = bracketed(host_without_zone(self.host))
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def server_name(self) -> str:
        """What TLS asks for and expects in the certificate: neither a zone nor a dot at the end (RFC 6066, 3)."""
        if self.tls is not None and self.tls.server_name:
            return self.tls.server_name.removesuffix(".")
        return host_without_zone(self.host).removesuffix(".")

    @property
    def resolvable(self) -> str:
        """What the system is asked for: most do not know `localhost.`, which is this machine all the same (RFC 6761, 6.3)."""
        return "localhost" if self.host == "localhost." else self.host


@dataclass(slots=True)
class Call:
    """What goes to one upstream for one exchange. Its body is that of the exchange."""

    target: str
    """The name of what it is sent for, as the access log shows it."""
    origin: Origin
    """Where it goes."""
    method: str
    """The method of the request sent."""
    path: str
    """The request target, query included, as it is written on the wire."""
    headers: list[Field] = field(default_factory=list)
    """Without hop-by-hop fields and without a length: the sender adds what frames the body."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds from the last byte of the request to the head of the response."""
    failure: str = ""
    """Why it cannot be sent, if that is so: it is answered 502 with this text."""
    upgrade: str = ""
    """The protocol to switch to, as `Upgrade` names it; the connection then becomes a tunnel."""
    tally: Tally | None = None
    """Where it is counted what comes of it."""
    made: MadeCall | None = field(default=None, init=False)
    """For hosts: where it is kept what comes of it, if anybody wants to know."""
    id: str = ""
    """`name[replica][n]`, n running over the target's requests of one invocation."""
    trailers: bool = field(default=False, init=False)
    """For hosts: those of the answer can be passed on (RFC 9110, 6.5)."""
    body_timeout: float | None = field(default=None, init=False)
    """Seconds for which the body of the response may pause, `inf` for any; None for a minute, and for any where it is a stream of
    events."""
    looped: bool = field(default=False, init=False)
    """`failure` says that the request came through goto too often: it is answered 508."""


def keep_calls(record: Record, calls: Sequence[Call]) -> None:
    """For hosts: these calls are about to be sent, and what comes of them is to be kept."""
    for call in calls:
        call.made = record.calling(call.target, f"{call.origin.scheme}://{call.origin.authority}{call.path}")
