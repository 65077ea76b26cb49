"""How a connection ends where its transport leaves that to the system's socket: by a reset, and with what it left unread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import Callable
from typing import Final

READ_SIZE: Final = 1 << 16

RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for an end by a reset; else the system sends a FIN wherever all was read."""


def read_rest(transport: asyncio.Transport | None, take: Callable[[bytes], None]) -> None:
    """Read what a transport that is lost has left unread, as the system keeps it behind a reset too."""
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None:
        return
    with contextlib.suppress(OSError):
        # an end that is read here says nothing: whoever met the reset first was told of it, and nobody else is
        while data := os.read(sock.fileno(), READ_SIZE):
            take(data)
