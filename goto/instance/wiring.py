"""One goto process: its listeners, what they share, and its API."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from goto.api.access import Access
from goto.api.changes import Changes
from goto.api.docs import Docs
from goto.api.management import Management
from goto.api.table import RouteTable
from goto.api.ui import Ui
from goto.client.feature import Client
from goto.client.sent import Sent
from goto.config.keys import Keys
from goto.config.service import Config
from goto.counting.numbers import Shelf
from goto.feature import Feature
from goto.features import FEATURES
from goto.features.arrivals.feature import Arrivals
from goto.features.arrivals.service import ArrivedRuns
from goto.instance.about import About
from goto.instance.identity import goto_host, own_names
from goto.instance.limits import ProcessLimits
from goto.instance.metrics import Metrics
from goto.instance.watch import Watch
from goto.journal.service import Recorder
from goto.registry.service import Registry
from goto.tls.authority import Authority
from goto.traffic.listener import Listener, ListenerSpec
from goto.traffic.listeners import Carrier, Listeners
from goto.upstream.answer import Upstream
from goto.words import Port
from goto.words.unseen import OneLine

log = logging.getLogger("goto")
_ONE_LINE = OneLine()

SERVICES: tuple[type, ...] = (Listeners, Registry, Config, Recorder, Watch, ProcessLimits, ArrivedRuns, About, Ui, Docs, Metrics)
"""What a process has once and what has routes, in the order in which they are listed. `Instance` makes one of each."""

Features = Sequence[type[Feature]]


def route_table(features: Features = FEATURES) -> RouteTable:
    """Every route of the API."""
    return RouteTable((SERVICES[0], Listener, *features, *SERVICES[1:]))


def config_keys(features: Features = FEATURES) -> Keys:
    """Every key of a configuration. Raises `KeyClash`."""
    return Keys((Listener, *features), (Access, *SERVICES))


class Instance:
    """What a process has once. A host carries its traffic. `features` are what its listeners have, in the order of traffic."""

    def __init__(self, carrier: Carrier, features: Features = FEATURES) -> None:
        log.addFilter(_ONE_LINE)
        self._carrier = carrier
        self.host = goto_host()
        self.access = Access()
        self.upstream = Upstream()
        self.authority = Authority(own_names)
        self.listeners = Listeners(carrier, self._listener, self.authority)
        self.registry = Registry(self.upstream)
        self.arrived = ArrivedRuns()
        self.sent: Shelf[Sent] = Shelf()
        self.journal = Recorder(self.listeners)
        self.limits = ProcessLimits()
        self.about = About(lambda: self.table)
        self.ui = Ui()
        self.docs = Docs(lambda: self.table, self.access)
        self.metrics = Metrics(carrier, self.listeners, self.registry, self.upstream, self.access)
        self.changes = Changes(lambda: self.table, lambda owner: owner is Listener or issubclass(owner, Feature))
        self.watch = Watch(carrier, self.listeners, self.journal, self.changes)
        self.config = Config(
            lambda: config_keys(self.features),
            self.listeners,
            self._parts(),
            lambda: self._listener(ListenerSpec(Port())),
            self.changes.changed,
        )
        self.use(features)

    def use(self, features: Features) -> None:
        """Have these features, in each listener made from now on."""
        self.features = features
        self.table = route_table(features)
        served = self.changes.called
        self.management = Management(self.table, self._parts(), self.listeners.by_port.get, self.access, served)

    def _parts(self) -> dict[type, object]:
        """What has routes or settings, by its type."""
        return {type(part): part for part in vars(self).values() if isinstance(part, (Access, *SERVICES))}

    def _listener(self, spec: ListenerSpec, mode: str = "") -> Listener:
        host = self._carrier
        listener = Listener(
            spec, self.host, self.upstream, mode=mode, features=self.features, carrier=host.name, abilities=host.abilities
        )
        if listener.has(Arrivals):
            listener.feature(Arrivals).count_in(self.arrived, listener.port)
        if listener.has(Client):
            listener.feature(Client).reconcile_with(self.arrived, self.sent)
        self.journal.join(listener)
        return listener

    async def stop(self) -> None:
        self.about.ready = False
        for listener in self.listeners.by_port.values():
            listener.stop()
        self.registry.stop()
        await self.upstream.close()
