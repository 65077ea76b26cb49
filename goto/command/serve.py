"""`goto serve`: the standalone host from start to end."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Sequence

from goto import __version__
from goto.api.access import Hosts
from goto.command import signals
from goto.command.runtime import allow_files, run
from goto.config.errors import ConfigError
from goto.config.watch import Watch, contents
from goto.errors import ApiError
from goto.hosts.standalone.host import StandaloneHost
from goto.instance.plugins import PluginError, with_plugins
from goto.instance.start import Start, StartOptions
from goto.tls.settings import FilePath, ListenerTls, as_option
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener
from goto.words import Port
from goto.words.failures import system_reason
from goto.words.hosts import bracketed
from goto.words.token import TokenOption
from goto.words.unseen import escaped

complaints = logging.getLogger("goto")

_OPTIONS = {
    "address": "--address",
    "registry.url": "--registry",
    "admin.port": "--admin-port",
    "tls.cert": "--cert",
    "tls.key": "--key",
    "tls.names": "--cert-name",
    "tls": "--cert",
}
"""The command-line options of settings and fields, for messages."""

GC_ALLOCATIONS = 20_000
"""Objects made between two runs of the garbage collector. Exchanges leave no cycles, so running it often only costs time."""

NO_FAST_PATH = "--no-fast-path has no effect any more, since all requests go one way: leave it out, it will be an error later"

CONNECTIONS = 65_000
"""Connections that a process may have, those of clients and upstreams together, as far as the system allows."""


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP; the exit status: 0, or 2 where the port cannot be had."""
    logging.basicConfig(level=logging.WARNING, format="goto: %(message)s", stream=sys.stderr)
    allow_files(CONNECTIONS)
    log = AccessLog(sys.stdout.fileno(), options.log_format, enabled=not options.quiet, encoding=sys.stdout.encoding)
    try:
        return run(_serve(options, log))
    finally:
        log.flush()  # an exchange that ends with the loop has its line too
        signals.release()


async def _serve(options: argparse.Namespace, log: AccessLog) -> int:
    if options.watch and not options.config:
        return _refuse("--watch needs a file to watch: give one with --config")
    try:
        host = StandaloneHost(log, options.host, features=with_plugins(options.feature))
    except PluginError as error:
        return _refuse(error)
    host.instance.access.interface = options.host
    if options.no_fast_path:
        complaints.warning(NO_FAST_PATH)
    content = contents(options.config) if options.watch else ()
    ended = asyncio.Event()
    try:
        start, first = await _start(options, host, ended)
    except (ConfigError, ApiError, OSError, ValueError) as error:
        await host.stop(0)
        return _refuse(*_reasons(error, options.port))
    if not options.quiet:
        where = f"{options.protocol}://{_shown_host(options)}:{first.port}"
        log.say(f"goto {__version__} serves {where} as {first.name}; {_api(options, host)}")
        start.warn()
    watching = asyncio.create_task(Watch(options.config, host.instance.config, content).run()) if options.watch else None
    # the objects made so far live until the end, so the garbage collector need not check them again
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)
    await ended.wait()
    if watching is not None:
        watching.cancel()
    await start.stop()
    await host.stop(options.grace.seconds)
    return 0


async def _start(options: argparse.Namespace, host: StandaloneHost, ended: asyncio.Event) -> tuple[Start, Listener]:
    """Start serving. Returns the start and the first listener. Raises `ConfigError`, `ApiError`, OSError or ValueError.

    A signal ends the process at once up to here, and sets `ended` from when there may be exchanges in flight or a registration.
    """
    port = options.port or Port(await host.reserve())
    start = Start(host.instance, _start_options(options, options.admin_port if options.admin_port != 0 else await host.reserve()))
    spec = start.take(port, options.protocol, _tls(options))
    first = await host.instance.listeners.start(spec, start.seed)
    loop = asyncio.get_running_loop()
    signals.take(lambda number: loop.call_soon_threadsafe(ended.set))
    await start.serve(first, host.open_admin)
    return start, first


def _start_options(options: argparse.Namespace, admin_port: int | None) -> StartOptions:
    """Raises ValueError."""
    settings = {
        "label": options.label,
        "registry.url": options.registry,
        "admin.port": admin_port,
        "admin.host": _hosts(options.admin_host),
        "admin.off": options.no_admin,
        "admin.token": TokenOption.of(options.admin_token, "GOTO_ADMIN_TOKEN"),
        "registry.token": TokenOption.of(options.registry_token, "GOTO_REGISTRY_TOKEN"),
    }
    return StartOptions(options.config, settings, options.limit, options.address)


def _hosts(names: list[str]) -> Hosts | None:
    """Raises ValueError."""
    try:
        return Hosts.parse(",".join(names)) if names else None
    except ValueError as error:
        raise ValueError(f"--admin-host: {error}") from None


def _tls(options: argparse.Namespace) -> ListenerTls | None:
    """The certificate of the first listener, if the options name one. Raises `BadInput`."""
    if not (options.cert or options.key or options.cert_name):
        return None
    return ListenerTls(FilePath(options.cert or ""), FilePath(options.key or ""), options.cert_name)


def _api(options: argparse.Namespace, host: StandaloneHost) -> str:
    """Where the API and the page are served, for the start line."""
    access = host.instance.access
    for listener in host.instance.listeners.by_port.values():
        port = access.managed_port(listener.port, managed=listener.managed)
        if port is not None:
            curl = "curl -k https" if port == listener.port and listener.protocol == "https" else "curl http"
            apart = f", and on port {access.port}" if access.port not in (None, port) else ""
            return f"its API: {curl}://{_shown_host(options)}:{port}/goto/help{apart}; its page there: /goto/ui"
    return "its API is off"


def _shown_host(options: argparse.Namespace) -> str:
    """Where it listens, as a URL has it."""
    return bracketed(options.host) if options.host else "localhost"


def _reasons(error: Exception, port: int) -> Sequence[object]:
    """The reasons in an error that `_start` has raised."""
    if isinstance(error, ConfigError):
        return error.problems
    if isinstance(error, ApiError):
        return (as_option(error.message, _OPTIONS),)
    if isinstance(error, OSError):
        return (f"cannot listen on port {port}: {error.strerror or system_reason(error)}",)
    return (error,)


def _refuse(*reasons: object) -> int:
    """Print why goto does not serve. Returns the exit status."""
    for reason in reasons:
        print(escaped(f"goto: {reason}"), file=sys.stderr)
    return 2
