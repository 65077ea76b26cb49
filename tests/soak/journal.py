"""`python -m soak.journal`: a million exchanges with bodies of 64 KiB while the journal is on. Its memory stays within its limit,
and `verify` says of nothing that is wrong that it holds.
"""

from __future__ import annotations

import argparse
import re
import socket
import sys
import threading
from dataclasses import dataclass
from typing import Any

from support.client import get
from support.goto_process import Goto
from support.ports import free_port
from support.resources import forget_peak, memory, peak
from support.waiting import PATIENCE

MEMORY = 16 << 20
"""What the journal may take: the default."""

BESIDE = 30_000_000
"""What the process may take besides, in bytes, over what it took before."""

BODY = b"x" * (64 << 10)
SENDERS = 4
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: ([0-9]+)")


@dataclass
class Seen:
    """What came of it; memory in bytes over what the process took before."""

    exchanges: int
    highest: int
    course: list[tuple[int, int]]
    """How much it was after so many exchanges."""
    problems: list[str]


def keep(goto: Goto, port: int, exchanges: int, *, entries: int = 100_000, looks: int = 10, body: bytes | None = BODY) -> Seen:
    """Send so many exchanges to a listener of a goto, with its journal on, and look at its memory so many times. Without a body
    each has a target and a header of its own.
    """
    settings = {"entries": entries, "memory": f"{MEMORY}B", "bodies": "64KiB"}
    _send(port, 100, body)
    before = memory(goto.process.pid)
    goto.api("POST", "/goto/config", {"journal": settings})
    forget_peak(goto.process.pid)
    seen = Seen(exchanges, 0, [], [])
    sent = 0
    for number in range(1, looks + 1):
        upto = exchanges * number // looks
        _send(port, upto - sent, body)
        sent = upto
        seen.course.append((sent, memory(goto.process.pid) - before))
    seen.highest = peak(goto.process.pid) - before
    if seen.highest > MEMORY + BESIDE:
        seen.problems.append(f"{seen.highest >> 20} MiB were taken, more than {MEMORY + BESIDE >> 20}")
    fits: dict[str, Any] = {"listener": port, "uris": ["/kept" if body else "/status/200"]}
    if body:
        fits["body"] = {"contains": "x"}
    for count in ({"exactly": exchanges - 1}, {"atMost": exchanges - 1}, 0):
        _expect(goto, seen, 417, fits, count)
    _expect(goto, seen, 417, {**fits, "body": {"contains": "y"}}, 1)
    _expect(goto, seen, 200, fits, {"atLeast": 1})
    goto.api("PUT", "/goto/journal/set/n")
    return seen


def _expect(goto: Goto, seen: Seen, status: int, when: dict[str, Any], count: Any) -> None:
    verdict = goto.call("POST", "/goto/journal/verify", {"when": when, "count": count})
    if verdict.status != status:
        seen.problems.append(f"{count} of {when} is answered {verdict.status}: {verdict.text}")


def _send(port: int, exchanges: int, body: bytes | None) -> None:
    """Several senders, each on a connection of its own."""
    message = get("/kept", method="POST", body=body) if body else b""
    failed: list[BaseException] = []

    def sender(count: int) -> None:
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
                got = bytearray(2 * len(BODY))
                for number in range(count):
                    connection.sendall(message or get(f"/status/200?number={number}", f"x-request-id: {count}-{number}"))
                    _receive(connection, got)
        except BaseException as error:
            failed.append(error)

    share, rest = divmod(exchanges, SENDERS)
    threads = [threading.Thread(target=sender, args=(share + (number < rest),)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def _receive(connection: socket.socket, got: bytearray) -> None:
    """Read an answer into memory that is there, which takes less time than goto does to make it."""
    view = memoryview(got)
    size = 0
    while (end := got.find(b"\r\n\r\n", 0, size)) < 0:
        size += _read(connection, view[size:])
    length = _LENGTH.search(got, 0, end)
    assert length is not None
    left = end + 4 + int(length[1]) - size
    while left > 0:
        left -= _read(connection, view[:left])


def _read(connection: socket.socket, into: memoryview) -> int:
    size = connection.recv_into(into)
    assert size, "the connection has ended"
    return size


def with_rule(goto: Goto) -> int:
    """A listener that answers with bodies of 64 KiB; its port."""
    port = free_port()
    goto.api("POST", "/listeners/add", {"port": port, "protocol": "http", "open": True})
    rule = {"name": "kept", "when": {"uris": ["/kept"]}, "size": "64KiB"}
    goto.api("POST", f"/goto/port/{port}/response/rules/add", rule)
    return port


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.journal")
    parser.add_argument("--exchanges", type=int, default=1_000_000)
    options = parser.parse_args()
    with Goto("journal", "--quiet") as goto:
        seen = keep(goto, with_rule(goto), options.exchanges)
    with Goto("journal", "--quiet") as goto:
        small = keep(goto, with_rule(goto), options.exchanges // 10, body=None)
    print("| what | seen |\n|---|---|")
    print(f"| exchanges with bodies of 64 KiB each way | {seen.exchanges:,} |")
    print(f"| memory of the journal at most | {MEMORY / 1e6:.1f} MB |")
    print(f"| memory over that of before, at most | {seen.highest / 1e6:.1f} MB |")
    for exchanges, taken in seen.course:
        print(f"| after {exchanges:,} exchanges | {taken / 1e6:.1f} MB |")
    print(f"| exchanges without a body of the request, and memory at most | {small.exchanges:,}, {small.highest / 1e6:.1f} MB |")
    for problem in seen.problems + small.problems:
        print(f"goto soak: {problem}", file=sys.stderr)
    return 1 if seen.problems else 0


if __name__ == "__main__":
    sys.exit(main())
