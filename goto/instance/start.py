"""The start of a process, and the end of what it began. It is the same in both hosts, which add only how they listen:

    start = Start(instance, options)      the files are read and checked; nothing has changed
    spec = start.take(port)               limits, who may manage, the registry: what has to hold before anything is served
    first = …                             the host opens its first listener as `spec` says, `start.seed` before it serves
    await start.serve(first, …)           the admin port, what is to run, the registration; the instance is ready
    start.warn()                          where it is open to others
    await start.stop()                    deregistered

All that is wrong is raised as a `ConfigError`, or as an `ApiError` that begins with the path of a setting. A host says it of the
option that stands for the setting, see `as_option`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goto.api.access import EXPOSED, comparable
from goto.client.feature import Client
from goto.errors import BadInput, Conflict
from goto.instance.identity import check_identity, pod_ip
from goto.instance.wiring import Instance
from goto.registry.address import Address
from goto.registry.worker import Worker
from goto.tls.settings import ListenerTls
from goto.traffic.limits import LIMITS, ConfiguredLimits
from goto.traffic.listener import Listener, ListenerSpec
from goto.words import Label, Port

if TYPE_CHECKING:
    from goto.config.document import Document

log = logging.getLogger("goto")

MOST_NOTES = 20
"""Remarks on files that a start logs."""


@dataclass(frozen=True)
class StartOptions:
    """What a process is started with: by its command line, or by options of mitmproxy."""

    files: Sequence[str] = ()
    """Configuration files, merged in order."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Settings by path. They win over the files; what is empty was not given."""
    limits: Sequence[ConfiguredLimits] = ()
    """They win over the files too."""
    address: Address | None = None
    """Where the registry reaches the first listener. None for this machine's address and the port where it is managed."""


class Start:
    """The start of a process."""

    def __init__(self, instance: Instance, options: StartOptions) -> None:
        """Read the files. Raises `ConfigError`."""
        self._instance = instance
        self._options = options
        self._given = {path: value for path, value in options.settings.items() if value}
        instance.config.overrides = self._given
        self._document: Document | None = instance.config.read(options.files) if options.files else None
        self._address: Address | None = None
        self._worker: Worker | None = None

    def take(self, port: Port, protocol: str = "http", tls: ListenerTls | None = None) -> ListenerSpec:
        """Let hold what has to before anything is served; the first listener, as it is to be opened. Raises `BadInput`."""
        check_identity()
        instance, access = self._instance, self._instance.access
        said = {path: given.value for path, given in self._document.process.items()} if self._document is not None else {}
        said |= self._given
        if limits := said.get("limits"):
            instance.limits.start(limits)
        for limit in self._options.limits:
            LIMITS.set(limit)
        access.take(said)
        instance.registry.url = said.get("registry.url")
        instance.registry.token = access.registry_token
        label = self._given.get("label")
        spec = ListenerSpec(port, protocol, Label(label or ""), admin=not access.off, tls=tls)
        self._address = self._reached_at(spec)
        if self._address is not None:
            access.own_host = comparable(self._address.host)
        return spec

    def _reached_at(self, spec: ListenerSpec) -> Address | None:
        """What is registered of the first listener; None without a registry. Raises `BadInput`."""
        address = self._options.address
        if self._instance.registry.url is None:
            if address is not None:
                raise BadInput("address: says what is registered, so it needs a registry")
            return None
        if address is not None:
            return address
        port = self._instance.access.managed_port(spec.port, managed=spec.admin)
        if port is None:
            raise BadInput("registry.url: the registry's calls need a port, and management is off: give an admin port")
        ip = pod_ip()
        scheme = "https://" if port == spec.port and spec.protocol == "https" else ""
        try:
            return Address.parse(scheme + (f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"))
        except ValueError as error:
            raise BadInput(f"POD_IP: {error}") from None

    async def seed(self) -> None:
        """Bring about what the files say; the first listener is there and need not serve yet. Raises `ApiError`."""
        if self._document is not None:
            await self._instance.config.seed(self._document)
            remarks = self._document.remarks
            for remark in remarks[:MOST_NOTES]:
                log.warning("note: %s", remark)
            if len(remarks) > MOST_NOTES:
                log.warning("note: and %d more like these, see goto check", len(remarks) - MOST_NOTES)

    async def serve(self, first: Listener, open_admin: Callable[[int], Awaitable[None]]) -> None:
        """The first listener is open: begin what goes with it. Raises `ApiError`."""
        instance, access = self._instance, self._instance.access
        if access.port:
            try:
                await open_admin(access.port)
            except OSError as error:
                raise Conflict(f"admin.port: cannot listen on {access.port}: {error.strerror or error}") from None
        if self._document is not None:
            instance.config.settle()
        if self._address is not None and instance.registry.url is not None:
            # the label that it is registered under stays the one of now
            client, url, token = first.feature(Client), instance.registry.url, access.registry_token
            self._worker = Worker(instance.upstream, client, url, first.name, self._address, token)
            self._worker.start()
        instance.about.ready = True

    def warn(self) -> None:
        """Say so where others than those on this machine may manage it."""
        access = self._instance.access
        if access.exposed(access.interface, managed=self._instance.listeners.managed):
            log.warning(EXPOSED)

    async def stop(self) -> None:
        """Deregister, where it was registered."""
        if self._worker is not None:
            await self._worker.stop()
