"""Writes of one turn of the loop, done together."""

from __future__ import annotations

import asyncio

from goto.upstream.batch import Batch


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self, heard: list[tuple[Wire, bytes]]) -> None:
        super().__init__()
        self.heard = heard
        self.closing = False

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.heard.append((self, data))

    def is_closing(self) -> bool:
        return self.closing


def test_writes_wait_for_the_end_of_the_turn_and_keep_their_order() -> None:
    async def run() -> None:
        heard: list[tuple[Wire, bytes]] = []
        batch, one, two = Batch(), Wire(heard), Wire(heard)
        batch.write(one, b"1")
        batch.write(two, b"2")
        batch.write(one, b"3")
        assert heard == []
        await asyncio.sleep(0)
        assert heard == [(one, b"1"), (two, b"2"), (one, b"3")]
        await asyncio.sleep(0)
        assert len(heard) == 3
        batch.write(two, b"4")
        await asyncio.sleep(0)
        assert heard[3:] == [(two, b"4")]

    asyncio.run(run())


def test_flushing_writes_now_and_once() -> None:
    async def run() -> None:
        heard: list[tuple[Wire, bytes]] = []
        batch, one = Batch(), Wire(heard)
        batch.write(one, b"1")
        batch.flush()
        assert heard == [(one, b"1")]
        await asyncio.sleep(0)
        assert len(heard) == 1

    asyncio.run(run())


def test_a_transport_that_closes_meanwhile_is_left_alone() -> None:
    async def run() -> None:
        heard: list[tuple[Wire, bytes]] = []
        batch, one, two = Batch(), Wire(heard), Wire(heard)
        batch.write(one, b"1")
        batch.write(two, b"2")
        one.closing = True
        batch.flush()
        assert heard == [(two, b"2")]

    asyncio.run(run())
