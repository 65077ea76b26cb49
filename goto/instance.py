"""One goto process: its listeners, what they share, and its API."""

from __future__ import annotations

from goto.features import FEATURES
from goto.identity import goto_host
from goto.listener import Listener
from goto.management import Management
from goto.routes import RouteTable
from goto.services.about import About
from goto.services.listeners import Carrier, Listeners
from goto.services.registry import Registry
from goto.upstream import Upstream

SERVICES: tuple[type, ...] = (Listeners, Registry, About)


def route_table() -> RouteTable:
    """Every route of the API."""
    return RouteTable((SERVICES[0], Listener, *FEATURES, *SERVICES[1:]))


class Instance:
    """What a process has once. A host carries its traffic."""

    def __init__(self, carrier: Carrier) -> None:
        self.host = goto_host()
        self.upstream = Upstream()
        self.table = route_table()
        self.listeners = Listeners(carrier, self._listener)
        self.registry = Registry(self.upstream)
        self.about = About(lambda: self.table)
        self.management = Management(self.table, (self.listeners, self.registry, self.about), self.listeners.by_port.get)

    def _listener(self, port: int, label: str, protocol: str) -> Listener:
        return Listener(port, self.host, self.upstream, label=label, protocol=protocol)

    async def stop(self) -> None:
        self.about.ready = False
        for listener in self.listeners.by_port.values():
            listener.stop()
        self.registry.stop()
        await self.upstream.close()
