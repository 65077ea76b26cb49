"""Certificates of listeners, whose files change while they are shown: whoever renews them tells nobody."""

from __future__ import annotations

import asyncio
import logging

from goto.errors import ApiError
from goto.tls.files import pair_digest
from goto.traffic.listener import Listener
from goto.traffic.listeners import Listeners

log = logging.getLogger("goto")

LOOK_SECONDS = 10.0
"""From one look at the files to the next."""


class Renewal:
    """Looks at the files of all listeners, and has new handshakes shown what is new and good."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for listener in list(self._listeners.by_port.values()):
                await self.look(listener)

    async def look(self, listener: Listener) -> None:
        """Show what the files of a listener hold now. What cannot be shown is logged once, and the certificate before stays."""
        tls = listener.tls
        if tls is None or not tls.cert or listener.secure is None or not listener.open:
            return
        digest = await asyncio.to_thread(pair_digest, tls.cert, tls.key)
        if digest == listener.shown:
            return
        try:
            listener.shows(self._listeners.secured(listener.protocol, tls), digest)
        except ApiError as error:
            listener.shows(listener.secure, digest)
            log.warning("listener %d: %s: the certificate before stays", listener.port, error.message)
        else:
            log.warning("listener %d: shows the certificate that is in %s now", listener.port, tls.cert)
