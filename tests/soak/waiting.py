"""`python -m soak.waiting`: a thousand calls wait for exchanges, and how soon each is answered behind the one that decides it.

The time of each is that from before its exchange is sent until its answer is here, so that both are within it.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import sys
import time
from collections.abc import Callable

from support.client import Client, get
from support.goto_process import Goto
from support.resources import sockets
from support.waiting import PATIENCE, eventually

CALLS = 1_000
"""So many may wait at a time."""

MOST_MS = 50.0


def verify(uri: str) -> bytes:
    body = json.dumps({"when": {"uris": [uri], "status": "2xx", "end": "completed"}, "timeout": "60s"}).encode()
    return get("/goto/journal/verify", method="POST", body=body)


def entries(uri: str) -> bytes:
    return get(f"/goto/journal?uri={uri}&wait=60s")


class Waiting:
    """A thousand calls on connections of their own."""

    def __init__(self, goto: Goto, asked: Callable[[int], bytes]) -> None:
        """`asked` makes the call of each number."""
        self._goto = goto
        self._before = sockets(goto.process.pid)
        self.sockets = [socket.create_connection(("127.0.0.1", goto.port), PATIENCE) for _ in range(CALLS)]
        self._numbers = {one.fileno(): number for number, one in enumerate(self.sockets)}
        self._poll = select.epoll()
        for number, one in enumerate(self.sockets):
            self._poll.register(one, select.EPOLLIN)
            one.sendall(asked(number))
        eventually(lambda: self._all_wait(asked))
        self._client = Client(goto.port)

    def _all_wait(self, asked: Callable[[int], bytes]) -> bool:
        """Whether there is no room for another. The look takes a place itself: who found none meanwhile asks again."""
        full = not has_room(self._goto)
        for fd, _ in self._poll.poll(0):
            number = self._numbers[fd]
            assert self.sockets[number].recv(1 << 20).startswith(b"HTTP/1.1 503 ")
            self.sockets[number].sendall(asked(number))
        return full

    def woken(self, uri: str, count: int) -> list[float]:
        """Send an exchange, and wait for so many answers. In ms, when each was here."""
        found: list[float] = []
        began = time.perf_counter()
        self._client.send(get(uri))
        while len(found) < count:
            ready = self._poll.poll(PATIENCE)
            assert ready, f"{len(found)} of {count} are answered"
            for fd, _ in ready:
                found.append((time.perf_counter() - began) * 1000)
                answer = self.sockets[self._numbers[fd]].recv(1 << 20)
                assert answer.startswith(b"HTTP/1.1 200 "), answer
                self._poll.unregister(fd)
        assert self._client.answer().status == 200
        return found

    def leave(self) -> None:
        for one in [*self.sockets, self._client]:
            one.close()
        eventually(lambda: sockets(self._goto.process.pid) <= self._before)


def has_room(goto: Goto) -> bool:
    """Whether one call more may wait."""
    return goto.call("GET", "/goto/journal?uri=/none&wait=1ms").status == 200


def cursor(goto: Goto) -> str:
    text: str = goto.api("GET", "/goto/watch?journal=y").json()["cursor"]
    return text


def rows(goto: Goto) -> list[tuple[str, list[float]]]:
    """What waits, and in ms how soon each was answered."""
    goto.api("PUT", "/goto/journal/set/y")
    made: list[tuple[str, list[float]]] = []
    for what, asked in (("verify", verify), ("journal?wait", entries)):
        waiting = Waiting(goto, lambda number, asked=asked: asked(f"/echo/{number}"))
        made.append(
            (f"{what}, an exchange for each", [ms for number in range(CALLS) for ms in waiting.woken(f"/echo/{number}", 1)])
        )
        waiting.leave()
        waiting = Waiting(goto, lambda number, asked=asked: asked("/echo/all"))
        made.append((f"{what}, one exchange for all", waiting.woken("/echo/all", CALLS)))
        waiting.leave()
    since = cursor(goto)
    waiting = Waiting(goto, lambda number: get(f"/goto/watch?journal=y&wait=60s&since={since}"))
    made.append(("watch, one exchange for all", waiting.woken("/echo/watched", CALLS)))
    waiting.leave()
    return made


def main() -> int:
    argparse.ArgumentParser(prog="python -m soak.waiting").parse_args()
    late = False
    with Goto("waiting", "--quiet") as goto:
        print(f"| {CALLS:,} calls that wait | answered, median | last |\n|---|---|---|", flush=True)
        for what, took in rows(goto):
            took.sort()
            print(f"| {what} | {took[len(took) // 2]:.1f} ms | {took[-1]:.1f} ms |", flush=True)
            late = late or took[-1] > MOST_MS
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
