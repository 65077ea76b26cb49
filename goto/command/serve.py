"""`goto serve`: the standalone host from start to end."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from typing import TYPE_CHECKING

from goto import __version__
from goto.api.access import EXPOSED, Access, Hosts
from goto.command.runtime import allow_files, run
from goto.config.errors import ConfigError
from goto.config.watch import contents, watch
from goto.errors import ApiError
from goto.hosts.standalone.host import StandaloneHost
from goto.instance.identity import pod_ip
from goto.instance.plugins import PluginError, with_plugins
from goto.registry.address import Address
from goto.registry.worker import Worker
from goto.tls.settings import FilePath, ListenerTls, as_option
from goto.traffic.accesslog import AccessLog
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener
from goto.words.token import GivenToken

if TYPE_CHECKING:
    from goto.config.document import Document

complaints = logging.getLogger("goto")
_OPTIONS = {"tls.cert": "--cert", "tls.key": "--key", "tls.names": "--cert-name", "tls": "--cert"}
"""The options that stand for fields."""

GC_ALLOCATIONS = 20_000
"""Objects made between two looks of the collector. Exchanges leave no cycles, so looking often only costs time."""

CONNECTIONS = 65_000
"""Connections a process is allowed to have, clients' and upstreams' together, as far as the system lets it."""


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the exit status: 0, or 2 where the port cannot be had."""
    logging.basicConfig(level=logging.WARNING, format="goto: %(message)s", stream=sys.stderr)
    allow_files(CONNECTIONS)
    return run(_serve(options))


async def _serve(options: argparse.Namespace) -> int:
    if options.watch and not options.config:
        return _refuse("--watch says what to do with the files of --config: name one")
    log = AccessLog(sys.stdout.fileno(), options.log_format, enabled=not options.quiet)
    try:
        features = with_plugins(options.feature)
    except PluginError as error:
        return _refuse(error)
    host = StandaloneHost(log, options.host, fast=options.fast, features=features)
    content = contents(options.config) if options.watch else ()
    try:
        document = _read(options, host)
    except ConfigError as error:
        return _refuse(*error.problems)
    except ValueError as error:
        return _refuse(error)
    for limit in options.limit:
        LIMITS.set(limit)
    access = host.instance.access
    if reason := _check_address(options, access):
        return _refuse(reason)
    host.instance.registry.url = options.registry
    ended = _signals()
    try:
        tls = _tls(options)
        listener = await host.start(options.port, options.label or "", document, protocol=options.protocol, tls=tls)
    except OSError as error:
        return _refuse(f"cannot listen on port {options.port}: {error.strerror or error}")
    except ApiError as error:
        return _refuse(as_option(error.message, _OPTIONS))
    if access.port:
        try:
            await host.open_admin(access.port)
        except OSError as error:
            await host.stop(0)
            return _refuse(f"cannot listen on admin port {access.port}: {error.strerror or error}")
    if not options.quiet:
        where = f"{options.protocol}://{options.host or 'localhost'}:{options.port}"
        print(f"goto {__version__} serves {where} as {listener.name}; {_api(options, host)}", flush=True)
        if access.exposed(options.host, managed=host.instance.listeners.managed):
            complaints.warning(EXPOSED)
    worker = _worker(options, host, listener)
    if worker is not None:
        worker.start()
    watching = asyncio.create_task(watch(options.config, host.instance.config.reload, content)) if options.watch else None
    # what is here now stays to the end: the collector need not look at it again
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)
    await ended.wait()
    if watching is not None:
        watching.cancel()
    if worker is not None:
        await worker.stop()
    await host.stop(options.grace.seconds)
    return 0


def _api(options: argparse.Namespace, host: StandaloneHost) -> str:
    """Where management is, for the start line."""
    access = host.instance.access
    for listener in host.instance.listeners.by_port.values():
        port = access.managed_port(listener.port, managed=listener.managed)
        if port is not None:
            curl = "curl -k https" if port == listener.port and listener.protocol == "https" else "curl http"
            return f"its API: {curl}://{options.host or 'localhost'}:{port}/goto/help"
    return "its API is off"


def _tls(options: argparse.Namespace) -> ListenerTls | None:
    """What the first listener shows, as far as it was said. Raises `BadInput`."""
    if not (options.cert or options.key or options.cert_name):
        return None
    return ListenerTls(FilePath(options.cert or ""), FilePath(options.key or ""), options.cert_name)


def _refuse(*reasons: object) -> int:
    """Say why nothing is served; the exit status."""
    for reason in reasons:
        print(f"goto: {reason}", file=sys.stderr)
    return 2


def _read(options: argparse.Namespace, host: StandaloneHost) -> Document | None:
    """The document of the files named, if any are; the command line wins over it. Raises `ConfigError` or ValueError."""
    config = host.instance.config
    given = {
        "label": options.label,
        "registry.url": options.registry,
        "admin.port": options.admin_port,
        "admin.host": _hosts(options.admin_host),
        "admin.off": options.no_admin,
        "admin.token": GivenToken.of(options.admin_token, "GOTO_ADMIN_TOKEN"),
        "registry.token": GivenToken.of(options.registry_token, "GOTO_REGISTRY_TOKEN"),
    }
    config.overrides = {path: value for path, value in given.items() if value}
    document = config.read(options.config) if options.config else None
    host.instance.take(document)
    if document is None:
        return None
    if url := document.process.get("registry.url"):
        options.registry = url.value
    if limits := document.process.get("limits"):
        host.instance.limits.start(limits.value)
    return document


def _hosts(names: list[str]) -> Hosts | None:
    """Raises ValueError."""
    try:
        return Hosts.parse(",".join(names)) if names else None
    except ValueError as error:
        raise ValueError(f"--admin-host: {error}") from None


def _check_address(options: argparse.Namespace, access: Access) -> str:
    """Settle which address is registered; what is wrong with it, or nothing."""
    if options.address and not options.registry:
        return "--address says what is registered: it needs --registry, or registry.url in a file"
    if options.registry and not options.address:
        port = access.managed_port(options.port, managed=not access.off)
        if port is None:
            return "--registry: the registry's calls need a port, --admin-port, since management is off"
        ip = pod_ip()
        try:
            scheme = "https://" if port == options.port and options.protocol == "https" else ""
            options.address = Address.parse(scheme + (f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"))
        except ValueError as error:
            return f"POD_IP: {error}"
    if options.registry:
        access.own_host = options.address.host.lower()
    return ""


def _worker(options: argparse.Namespace, host: StandaloneHost, listener: Listener) -> Worker | None:
    """What registers the first listener, where a registry was named. Its label does not change any more."""
    if not options.registry:
        return None
    from goto.client.feature import Client

    client = listener.feature(Client)
    token = host.instance.access.registry_token
    return Worker(host.instance.upstream, client, options.registry, listener.name, options.address, token)


def _signals() -> asyncio.Event:
    """Set at the first SIGTERM or SIGINT; the second ends the process at once."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        ended.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    return ended
