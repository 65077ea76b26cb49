"""Who may make management calls, and by which name of the host: tokens, pages in browsers, `Host`.

What a route asks for stands at the route (`goto.routes.Who`). All of it is looked at once a route was found, so that traffic does
not pay for it. docs/security.md has the whole as a table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, ClassVar

from goto.errors import ApiError, Forbidden, Misdirected, Unauthorized
from goto.flow import Request
from goto.routes import Who
from goto.settings import setting
from goto.words import Port
from goto.words.token import Token, bearer_token


def refusals(who: Who) -> tuple[type[ApiError], ...]:
    """What a call to a route may be refused with: 403, 401 where a token may be needed, and 421 on an admin port."""
    return (*(() if who.anybody else (Unauthorized,)), Forbidden, *(() if who.everywhere else (Misdirected,)))


NO_HOST = "none"

EXPOSED = (
    "whoever reaches this instance may manage it: set a token in GOTO_ADMIN_TOKEN, or listen on 127.0.0.1 alone "
    "(docs/security.md)"
)
"""The warning at the start of an instance that is open to others."""

_NAME = re.compile(r"[a-z0-9._-]+")
_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)", re.I)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]*)(?::(\d*))?", re.I)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Hosts(frozenset[str]):
    """The only hosts that management goes by, with commas between, without ports; `none` takes it off the traffic ports."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["goto.example,localhost", NO_HOST]}

    @classmethod
    def parse(cls, text: str) -> Hosts:
        hosts = cls(comparable(word.strip()) for word in text.split(","))
        for host in sorted(hosts):
            if not _NAME.fullmatch(host) and not _is_address(host):
                raise ValueError(f"{host!r} is not a name or address of a host: write it without scheme and port")
        if NO_HOST in hosts and len(hosts) > 1:
            raise ValueError(f"{NO_HOST} goes with no other host: write it alone, or leave it out")
        return hosts


class Access:
    """Who may manage a process. It is settled at the start, by `take`."""

    token: Token | None = None
    registry_token: Token | None = None
    hosts: Hosts | None = None
    port: Port | None = None
    off: bool | None = None
    interface: str | None = None
    """What is listened on, None for all."""
    own_host = ""
    """Where a registry reaches this instance: a host that management goes by as well."""

    def take(self, given: Mapping[str, Any]) -> None:
        """Take over what was given, by the paths of the settings below."""
        self.token = given.get("admin.token")
        self.registry_token = given.get("registry.token")
        self.hosts = given.get("admin.host")
        self.port = given.get("admin.port")
        self.off = given.get("admin.off")

    # ------------------------------------------------------------ configuration
    @setting("admin.token", start=True)
    def configured_token(self) -> Token | None:
        """What management calls have to show, as `Authorization: Bearer …`. Better given by GOTO_ADMIN_TOKEN."""
        return self.token

    @setting("admin.port", start=True)
    def configured_port(self) -> Port | None:
        """A port of its own for management calls."""
        return self.port

    @setting("admin.host", start=True)
    def configured_hosts(self) -> Hosts | None:
        """Answer management calls only for these hosts; to others they are traffic."""
        return self.hosts

    @setting("admin.off", start=True)
    def configured_off(self) -> bool | None:
        """Take management off the first listener: its paths are traffic there."""
        return self.off

    @setting("registry.token", start=True)
    def configured_registry_token(self) -> Token | None:
        """What workers and the registry show each other. Better given by GOTO_REGISTRY_TOKEN."""
        return self.registry_token

    # ------------------------------------------------------------ where
    def serves(self, request: Request, who: Who, *, managed: bool) -> bool:
        """Whether a request that came to a listener is a management call there. `who` is that of its route."""
        if who.everywhere and self.port is None:
            return True
        return managed and self._goes_by(request)

    @property
    def on_traffic_ports(self) -> bool:
        """Management is served on listeners, where it is not taken off them one by one."""
        return self.hosts is None or NO_HOST not in self.hosts

    def managed_port(self, port: int, *, managed: bool) -> int | None:
        """Where a listener is managed: at its own port or, where that is off, at the admin port if there is one."""
        return port if managed and self.on_traffic_ports else self.port

    def exposed(self, address: str | None, *, managed: bool) -> bool:
        """Whether others than those on this machine may manage it. `address` is the interface that is listened on, None for all.

        `managed` is whether management is served on any listener.
        """
        served = self.port is not None or (managed and self.on_traffic_ports)
        return served and self.token is None and not _is_loopback(address)

    def _goes_by(self, request: Request) -> bool:
        if self.hosts is None:
            return True
        host = host_of(request)
        return self.on_traffic_ports and host != "" and (host in self.hosts or host == self.own_host)

    # ------------------------------------------------------------ who
    def admit(self, request: Request, who: Who, *, apart: bool) -> None:
        """Let a management call in. Raises `Unauthorized`, `Forbidden` or, on a port `apart` from traffic, `Misdirected`.

        What it has shown is taken off it, whatever becomes of it: an invocation sends its own headers on, and hosts show theirs.
        """
        token = bearer_token(request.headers)
        is_peer = token is not None and self.registry_token is not None and self.registry_token.matches(token)
        is_admin = token is not None and self.token is not None and self.token.matches(token)
        if self.token is not None or is_peer:
            request.headers.remove("authorization")
        if apart and self.on_traffic_ports and not who.everywhere and not self._goes_by(request):
            raise Misdirected(f"management is not served for {host_of(request) or 'no host'} (--admin-host)")
        if is_cross_site(request):
            raise Forbidden("a page of another site may not manage goto")
        if who.anybody or is_admin or (who.peers and is_peer) or not self._needs_token(request, who):
            return
        if token is None:
            raise Unauthorized("this call needs a token: send the header Authorization: Bearer TOKEN")
        raise Unauthorized("the token of this call does not open this route")

    def _needs_token(self, request: Request, who: Who) -> bool:
        """With a registry token alone, calls of peers need it; people may go on using a worker's client without."""
        if self.token is not None or self.registry_token is None:
            return self.token is not None
        return who.peers and (not who.mark or who.mark in request.headers)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _is_loopback(address: str | None) -> bool:
    if address is None or not _is_address(address):
        return address == "localhost"
    return ip_address(address).is_loopback


def host_of(request: Request) -> str:
    """The host that is asked for, without port and as it is compared; empty where that is not clear."""
    values = request.headers.get_all("host")
    found = _AUTHORITY.fullmatch(values[0].strip()) if len(values) == 1 else None
    return comparable(found[1]) if found else ""


def comparable(host: str) -> str:
    """A host as it is compared: in lower case, without brackets and a dot at its end (RFC 9110, 4.2.3; RFC 1034, 3.1)."""
    return host.strip("[]").lower().removesuffix(".")


def is_cross_site(request: Request) -> bool:
    """Whether a browser sends this for a page of another site (Fetch Metadata Request Headers; RFC 6454, 7).

    Other programs send neither of the two headers. Browsers leave out `Sec-Fetch-Site` for plain http to anything but localhost;
    `Origin` still comes with all that a page could change something by. A link that is followed is let in: it changes nothing,
    and the page that it stands on does not see the answer. In a frame it is not, since what is shown there can be overlaid.
    """
    headers = request.headers
    if sites := headers.get_all("sec-fetch-site"):
        if all(site in ("same-origin", "none") for site in sites):
            return False
        navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return not (navigates and request.method in ("GET", "HEAD"))
    return not all(_is_own(origin, request) for origin in headers.get_all("origin"))


def _is_own(origin: str, request: Request) -> bool:
    hosts = request.headers.get_all("host")
    found = _ORIGIN.fullmatch(origin.strip())
    if found is None or len(hosts) != 1:
        return False
    scheme = found[1].lower()
    theirs, ours = _AUTHORITY.fullmatch(found[2]), _AUTHORITY.fullmatch(hosts[0].strip())
    if theirs is None or ours is None:
        return False
    port = _DEFAULT_PORTS[scheme]
    return (comparable(theirs[1]), theirs[2] or port) == (comparable(ours[1]), ours[2] or port)
