"""Whether the other side of a connection is still there, asked of its socket without reading it.

Who holds the other side back, or has read its FIN, reads nothing of the socket, and so is told of no end either.
"""

from __future__ import annotations

import select
from typing import Any, Final

PEEK_SECONDS: Final = 1.0
"""How often such a connection is looked at."""

_FIN: Final[int] = getattr(select, "POLLRDHUP", 0)
"""Linux alone tells of a FIN that was not read."""


def has_ended(transport: Any) -> bool:
    """The FIN or the reset of the other side has come, whether or not what stands before it was read."""
    return _events(transport) != 0


def was_reset(transport: Any) -> bool:
    """It has come by a reset, of which nobody was told so far."""
    return _events(transport) & select.POLLERR != 0


def _events(transport: Any) -> int:
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return 0
    poll = select.poll()
    poll.register(sock.fileno(), _FIN)
    found = poll.poll(0)
    return found[0][1] if found else 0
