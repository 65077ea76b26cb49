"""Bodies that are kept as far as a budget goes."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.upstream.errors import Broken
from goto.upstream.kept import Budget, KeptBody, reported


def running(act: Callable[[], None]) -> None:
    """Act within an event loop."""

    async def main() -> None:
        act()

    asyncio.run(main())


@given(st.lists(st.binary(max_size=6), max_size=6), st.integers(0, 20))
def test_the_first_bytes_are_kept_and_all_are_counted(pieces: list[bytes], limit: int) -> None:
    async def main() -> None:
        kept = KeptBody(Budget(limit))
        for piece in pieces:
            kept.more(piece)
            kept.flush()
        kept.end()
        body = b"".join(pieces)
        assert await kept.read() == kept.data == body[:limit]
        assert (kept.size, kept.truncated) == (len(body), len(body) > limit)

    asyncio.run(main())


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=6)), max_size=12), st.integers(0, 40))
def test_bodies_of_one_budget_share_it(writes: list[tuple[int, bytes]], limit: int) -> None:
    def act() -> None:
        budget = Budget(limit)
        bodies = [KeptBody(budget) for _ in range(3)]
        sent = [b"", b"", b""]
        for at, data in writes:
            bodies[at].more(data)
            sent[at] += data
        assert sum(len(body.data) for body in bodies) == min(limit, sum(map(len, sent)))
        assert budget.left == limit - sum(len(body.data) for body in bodies)
        for body, whole in zip(bodies, sent, strict=True):
            assert body.size == len(whole)
            assert body.truncated == (body.data != whole)
            assert whole.startswith(body.data)

    running(act)


def test_a_budget_that_others_have_overdrawn_keeps_nothing() -> None:
    def act() -> None:
        budget = Budget(-7)
        kept = KeptBody(budget)
        kept.more(b"hello")
        assert (kept.data, kept.size, kept.truncated, budget.left) == (b"", 5, True, -7)

    running(act)


def test_a_body_that_breaks_raises() -> None:
    async def main() -> None:
        kept = KeptBody(Budget(9))
        kept.more(b"hello")
        kept.broken(Broken("cut"))
        kept.end()  # too late
        await kept.read()

    with pytest.raises(Broken, match=r"cut"):
        asyncio.run(main())


def test_reading_waits_for_the_end() -> None:
    async def main() -> None:
        kept = KeptBody(Budget(9))
        reading = asyncio.ensure_future(kept.read())
        kept.more(b"hello")
        await asyncio.sleep(0)
        assert not reading.done()
        kept.end()
        assert await asyncio.wait_for(reading, 10) == b"hello"

    asyncio.run(main())


def test_an_answer_is_shown_with_as_much_of_its_body_as_is_kept() -> None:
    def act() -> None:
        kept = KeptBody(Budget(2))
        kept.more(b"a\xff\xff")
        assert reported("t", "t[1][1]", 201, "201 Made", [(b"X", b"1"), (b"X", b"2"), (b"Y", b"\xe4")], kept) == {
            "TargetName": "t",
            "TargetID": "t[1][1]",
            "Status": "201 Made",
            "StatusCode": 201,
            "Headers": {"X": ["1", "2"], "Y": [r"\xe4"]},
            "BodyBase64": "Yf8=",
            "BodySize": 3,
            "BodyTruncated": True,
        }

    running(act)
    assert reported("t", "t[1][1]", 0, "refused") == {
        "TargetName": "t",
        "TargetID": "t[1][1]",
        "Status": "refused",
        "StatusCode": 0,
        "Headers": {},
        "Body": "",
    }


def listed(*pieces: bytes, coding: str = "", limit: int = 1000, undone: bool = True) -> dict[str, Any]:
    """What of an entry is about its body."""

    async def main() -> dict[str, Any]:
        budget = Budget(limit)
        kept = KeptBody(budget)
        for piece in pieces:
            kept.more(piece)
        kept.end()
        fields = [(b"Content-Encoding", coding.encode())] if coding else []
        entry = reported("t", "t[1][1]", 200, "200 OK", fields, kept, undone=undone)
        assert budget.left == limit - len(kept.data)
        return {key: value for key, value in entry.items() if key.startswith("Body")}

    return asyncio.run(main())


def test_a_cut_leaves_out_the_character_that_it_goes_through() -> None:
    assert listed("aé".encode(), limit=2) == {"Body": "a", "BodySize": 3, "BodyTruncated": True}
    assert listed("aé".encode()[:2]) == {"BodyBase64": "YcM="}


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "gzip, deflate", "deflate, gzip", "gzip, gzip", " GZIP"])
def test_codings_are_undone_where_that_is_asked_for(coding: str) -> None:
    codings = coding.strip().lower().split(", ")
    coded = b"hello"
    for one in codings:
        coded = zlib.compress(coded) if one == "deflate" else gzip.compress(coded)
    assert listed(coded, coding=coding) == {"Body": "hello", "BodyDecoded": ", ".join(codings)}
    assert listed(coded, coding=coding, undone=False) == {"BodyBase64": b64encode(coded).decode()}


@pytest.mark.parametrize("coding", ["br", "br, gzip", "zstd", "gzip, gzip, gzip"])
def test_other_codings_stay(coding: str) -> None:
    assert listed(gzip.compress(b"hello"), coding=coding).keys() == {"BodyBase64"}


def test_what_is_not_sound_comes_as_far_as_it_is() -> None:
    coded = gzip.compress(b"hello")
    cut = {"Body": "hello", "BodyDecoded": "gzip", "BodyTruncated": True}
    assert listed(coded[:-2], coding="gzip") == {**cut, "BodySize": len(coded) - 2}
    assert listed(b"hello", coding="gzip") == {"Body": "hello"}
    assert listed(b"", coding="gzip") == {"Body": ""}
    # the outer coding alone is there
    assert listed(coded, coding="deflate, gzip") == {"Body": "hello", "BodyDecoded": "gzip"}


@given(st.integers(0, 60), st.integers(0, 200))
def test_what_codings_stand_for_is_kept_within_the_budget(size: int, limit: int) -> None:
    body = b"ab" * size
    coded = gzip.compress(body)
    shown = listed(coded, coding="gzip", limit=limit)
    if len(coded) <= limit and len(body) <= limit:
        assert shown == {"Body": body.decode(), "BodyDecoded": "gzip"}
    else:
        assert shown["BodyTruncated"] is True
        assert shown["BodySize"] == len(coded)
