"""Ports of this machine."""

from __future__ import annotations

import contextlib
import os
import random
import socket

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = range(12000 + _worker, 30000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
"""What tests listen on: below the range that outgoing connections take theirs from. Those that run beside these have others."""

_random = random.Random()
"""One of its own: hypothesis seeds the common one, and two runs on one machine would then take the same ports."""

_given: set[int] = set()


def free_port() -> int:
    """A port that nothing listens on; each only once a run."""
    while True:
        port = _random.choice(PORTS)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("0.0.0.0", port))
                return port


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
