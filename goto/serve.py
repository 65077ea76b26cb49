"""`goto serve`: the standalone host from start to end."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from goto import __version__
from goto.accesslog import AccessLog
from goto.hosts.standalone import StandaloneHost

GRACE_SECONDS = 10.0
"""How long exchanges in flight may take to finish once the process is told to end."""


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the exit status: 0, or 2 where the port cannot be had."""
    logging.basicConfig(level=logging.WARNING, format="goto: %(message)s", stream=sys.stderr)
    return run(_serve(options))


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return int(uvloop.run(main))


async def _serve(options: argparse.Namespace) -> int:
    log = AccessLog(sys.stdout.fileno(), options.log_format, enabled=not options.quiet)
    host = StandaloneHost(log, options.host)
    ended = _signals()
    try:
        listener = await host.start(options.port, options.label or "")
    except OSError as error:
        print(f"goto: cannot listen on port {options.port}: {error.strerror or error}", file=sys.stderr)
        return 2
    if not options.quiet:
        where = f"http://{options.host or 'localhost'}:{options.port}"
        print(f"goto {__version__} serves {where} as {listener.name}; its API: curl {where}/goto/help", flush=True)
    # what is here now stays to the end: the collector need not look at it again
    gc.collect()
    gc.freeze()
    await ended.wait()
    await host.stop(GRACE_SECONDS)
    return 0


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
