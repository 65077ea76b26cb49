"""A body that is kept, up to a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.upstream.connection import Broken
from goto.upstream.kept import Whole


def kept(limit: int, act: Callable[[Whole], None]) -> tuple[bytes, int, bool]:
    async def run() -> tuple[bytes, int, bool]:
        whole = Whole(limit)
        act(whole)
        return await asyncio.wait_for(whole.read(), 10), whole.size, whole.truncated

    return asyncio.run(run())


@given(st.lists(st.binary(max_size=6), max_size=6), st.integers(0, 20))
def test_the_first_bytes_are_kept_and_all_are_counted(pieces: list[bytes], limit: int) -> None:
    def act(whole: Whole) -> None:
        for piece in pieces:
            whole.write(piece)
            whole.flush()
        whole.end()

    body = b"".join(pieces)
    assert kept(limit, act) == (body[:limit], len(body), len(body) > limit)


def test_a_body_that_breaks_raises() -> None:
    def act(whole: Whole) -> None:
        whole.write(b"hello")
        whole.broken(Broken("cut"))
        whole.end()  # too late

    with pytest.raises(Broken, match=r"cut"):
        kept(9, act)


def test_reading_waits_for_the_end() -> None:
    async def run() -> None:
        whole = Whole(9)
        reading = asyncio.ensure_future(whole.read())
        whole.write(b"hello")
        await asyncio.sleep(0)
        assert not reading.done()
        whole.end()
        assert await asyncio.wait_for(reading, 10) == b"hello"

    asyncio.run(run())
