"""After `101`: the client's bytes to the upstream, as they come."""

from __future__ import annotations

from goto.upstream.connection import Connection
from goto.upstream.sink import Sink


class Tunnel(Sink):
    """Where all goes that a client sends once protocols are switched."""

    def __init__(self, upstream: Connection) -> None:
        super().__init__()
        self._upstream = upstream
        upstream.on_drained = self._on_room

    def more(self, data: bytes) -> None:
        self._upstream.write(data)
        self.congested = self._upstream.congested

    def _on_room(self) -> None:
        self.congested = False
        self.on_drained()
