"""Bytes that are no HTTP, or nearly, from clients and from upstreams, over real connections.

No crash, no hang, no 500, no traceback; and what goto itself writes, to the upstream and to the client, is HTTP to a reader that
forgives nothing. With GOTO_FUZZ_INPUTS, as in `make fuzz`, there are that many inputs, others in every run: the seed is said.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest
from fuzz import messages, strict
from support.goto_process import Goto
from support.ports import free_port
from support.waiting import PATIENCE, eventually

GIVEN = os.environ.get("GOTO_FUZZ_INPUTS")
INPUTS = int(GIVEN or 3000)
SEED = int(os.environ.get("GOTO_FUZZ_SEED", time.time_ns() % 1_000_000_000 if GIVEN else 1))
CONNECTIONS = 128 if GIVEN else 24
QUIET_SECONDS = 0.03
"""After which goto is asked for something else, so that it has had its turn, however busy the machine is. A connection on which
nothing comes after that either is left: goto may rightly wait for the rest of what was sent."""


class FuzzedUpstream:
    """Reads strictly what goto sends, and answers rightly, or with what `answer` makes."""

    def __init__(self, random: Random) -> None:
        self.port = free_port()
        self.requests = 0
        self.malformed: list[str] = []
        self.fuzzed = False
        self._random = random

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                method, _, _, body = await strict.read_request(reader)
                self.requests += 1
                if self.fuzzed:
                    answer = messages.mutated(self._random, messages.response(self._random))
                    for segment in messages.segments(self._random, answer):
                        writer.write(segment)
                        await writer.drain()
                    if self._random.random() < 0.9:
                        return
                else:
                    shown = b"" if method == b"HEAD" else body
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + shown)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        except strict.Malformed as error:
            self.malformed.append(str(error))
        finally:
            writer.close()


def targets(goto: Goto, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    short = {"requestTimeout": "200ms", "bodyTimeout": "200ms"}
    for spec in (
        {"name": "up", "url": url, "match": {"uris": ["/up/{x}"]}, **short},
        {
            "name": "cap",
            "url": url,
            "match": {"uris": ["/cap/{a}/{b}"], "headers": [["x-cap", "{h}"]]},
            "replaceURI": "/c/{a}/{b}?q={a}",
            "addHeaders": [["X-Got", "{a}{h}"]],
            "addQuery": [["h", "{h}"]],
            **short,
        },
        {"name": "two", "url": url, "match": {"uris": ["/two"]}, "replicas": 2, **short},
    ):
        assert goto.call("POST", "/request/proxy/targets/add", spec).status == 200
    for path in ("/request/headers/track/add/foo,host", "/request/timeout/track/all"):
        assert goto.call("PUT", path).status == 200


@pytest.fixture(scope="module")
def process() -> Iterator[Goto]:
    with Goto("fuzzed", "--quiet") as goto:
        yield goto


class Turns:
    """Kept connections to a goto, on which it says that it has had its turn."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def had(self) -> None:
        """Come back when goto has answered a call."""
        reader, writer = self._kept.pop() if self._kept else await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET /goto/health HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.wait_for(strict.read_response(reader), PATIENCE)
        self._kept.append((reader, writer))

    def close(self) -> None:
        for _, writer in self._kept:
            writer.close()


async def sent(port: int, pieces: list[bytes], turns: Turns) -> bytes:
    """What comes back for bytes, until the connection ends or nothing more comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    quiet = 0
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        while quiet < 2:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    data = await reader.read(1 << 16)
            except TimeoutError:
                quiet += 1
                await turns.had()
                continue
            if not data:
                break
            got += data
            quiet = 0
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return got


async def many(count: int, one: object) -> None:
    """Run `one(number)` for each number below `count`, some at a time."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await one(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(worker())


def lives(goto: Goto) -> None:
    """It answers, holds no connection but this call's, and has nothing to regret."""
    assert goto.call("GET", "/goto/health").status == 200
    assert "Traceback" not in goto.log
    descriptors = f"/proc/{goto.process.pid}/fd"
    if os.path.isdir(descriptors):
        eventually(lambda: sum("socket" in end for end in links(descriptors)) < 40)


def links(folder: str) -> Iterator[str]:
    """What the links in a folder lead to, but for those that go meanwhile."""
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):
            yield os.readlink(f"{folder}/{name}")


def test_broken_requests(process: Goto) -> None:
    random = Random(SEED)
    statuses: Counter[bytes] = Counter()
    wrong: list[tuple[bytes, bytes]] = []

    async def main() -> None:
        upstream = FuzzedUpstream(random)
        server = await asyncio.start_server(upstream.serve, "127.0.0.1", upstream.port)
        await asyncio.to_thread(targets, process, upstream.port)
        turns = Turns(process.port)

        async def one(_: int) -> None:
            data = b"".join(messages.mutated(random, messages.request(random)) for _ in range(random.choice((1, 1, 2, 3))))
            got = await sent(process.port, messages.segments(random, data), turns)
            found = re.findall(rb"HTTP/1\.1 ([0-9]{3}) [A-Z]", got)
            statuses.update(found)
            if b"500" in found or b"Traceback" in got or (got and not got.startswith(b"HTTP/1.1 ")):
                wrong.append((data, got))

        await many(INPUTS, one)
        turns.close()
        server.close()
        assert not upstream.malformed, f"seed {SEED}: what goto sent is no HTTP: {upstream.malformed[:5]}"

    asyncio.run(asyncio.wait_for(main(), PATIENCE + INPUTS / 50))
    assert not wrong, f"seed {SEED}: {list(dict.fromkeys(map(str, wrong)))[:12]}"
    print(f"seed {SEED}, {INPUTS} inputs: {dict(statuses)}")
    assert statuses[b"200"] > INPUTS / 20
    assert statuses[b"400"] > INPUTS / 20
    lives(process)


def test_broken_answers(process: Goto) -> None:
    random = Random(SEED)
    count = INPUTS // 3
    wrong: list[str] = []
    statuses: Counter[int] = Counter()

    async def main() -> None:
        upstream = FuzzedUpstream(random)
        upstream.fuzzed = True
        server = await asyncio.start_server(upstream.serve, "127.0.0.1", upstream.port)
        await asyncio.to_thread(targets, process, upstream.port)

        async def one(number: int) -> None:
            method = random.choice((b"GET", b"GET", b"HEAD", b"POST"))
            reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
            try:
                for _ in range(2):
                    path = random.choice((b"/up/%d", b"/cap/%d/b", b"/two?%d")) % number
                    writer.write(b"%b %b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" % (method, path))
                    status, fields, body = await asyncio.wait_for(strict.read_response(reader, bare=method == b"HEAD"), PATIENCE)
                    statuses[status] += 1
                    if status == 500 or b"Traceback" in body or status == 101:
                        wrong.append(f"{path!r}: {status} {fields} {body[:200]!r}")
                    if (b"connection", b"close") in fields:
                        break
            except (asyncio.IncompleteReadError, ConnectionError):
                statuses[0] += 1  # the upstream's answer broke after its head
            except strict.Malformed as error:
                wrong.append(str(error))
            finally:
                writer.transport.abort()

        await many(count, one)
        server.close()
        assert not upstream.malformed, f"seed {SEED}: {upstream.malformed[:5]}"

    asyncio.run(asyncio.wait_for(main(), PATIENCE + count / 20))
    assert not wrong, f"seed {SEED}: {list(dict.fromkeys(map(str, wrong)))[:12]}"
    print(f"seed {SEED}, {count} inputs: {dict(statuses)}")
    assert statuses[200] > count / 20
    assert statuses[502] > count / 20
    lives(process)
