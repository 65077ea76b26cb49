"""A client over TLS that can leave in any way."""

from __future__ import annotations

import contextlib
import ssl

from support.client import Client


class SecureClient(Client):
    """A client over TLS. A `strict` one takes a FIN without a close_notify for an error."""

    def __init__(self, port: int, context: ssl.SSLContext, *, strict: bool = False) -> None:
        super().__init__(port)
        self.bare = self.socket
        self.stream.close()
        self.socket = context.wrap_socket(self.bare, server_hostname="127.0.0.1", suppress_ragged_eofs=not strict)
        self.stream = self.socket.makefile("rb")

    def leave(self, how: str) -> None:
        assert isinstance(self.socket, ssl.SSLSocket)
        if how == "close_notify":
            # its answer need not come: the other side may be in the middle of something
            self.socket.settimeout(1)
            with contextlib.suppress(OSError):
                self.socket.unwrap()
        elif how == "reset":
            self.reset()
        self.close()
