"""How long answers take, as one client with many connections sees it."""

from __future__ import annotations

import selectors
import socket
import time

REQUEST = b"GET /status/204 HTTP/1.1\r\nHost: bench\r\n\r\n"


def latencies(port: int, connections: int, seconds: float) -> list[float]:
    """Milliseconds from just before a request is sent to its answer, for so many connections that always wait for one."""
    selector = selectors.DefaultSelector()
    sent: dict[socket.socket, float] = {}
    took = []
    for _ in range(connections):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client, selectors.EVENT_READ)
        sent[client] = time.perf_counter()
        client.sendall(REQUEST)
    until = time.perf_counter() + seconds
    while sent:
        for key, _ in selector.select():
            client = key.fileobj
            assert isinstance(client, socket.socket)
            now = time.perf_counter()
            answer = client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 204 "), answer
            assert answer.endswith(b"\r\n\r\n"), answer
            took.append((now - sent[client]) * 1000)
            if now < until:
                sent[client] = time.perf_counter()
                client.sendall(REQUEST)
            else:
                selector.unregister(client)
                client.close()
                del sent[client]
    return took
