"""What is asked of exchanges, as people write it."""

from __future__ import annotations

from typing import Any

import pytest

from goto.errors import BadInput
from goto.journal.expectation import GivenExpectation
from goto.journal.wanted import AT_LEAST_ONE, Count, StatusTest, Took, UpToAMinute, Wanted
from goto.words import Duration
from goto.words.reading import read_struct


@pytest.mark.parametrize(
    ("text", "fits", "others"),
    [
        ("503", [503], [500, 0]),
        (503, [503], [500]),
        ("5xx", [500, 599], [499, 600, 0]),
        ("5XX", [500], [404]),
        ("!2xx", [404, 500, 0], [200, 299]),
        ("!404", [200, 0], [404]),
        ("0", [0], [200]),
        (0, [0], [200]),
    ],
)
def test_statuses(text: Any, fits: list[int], others: list[int]) -> None:
    test = StatusTest.read(text)
    assert all(test.fits(status) for status in fits)
    assert not any(test.fits(status) for status in others)
    assert StatusTest.read(test.written) == test


@pytest.mark.parametrize("value", ["nope", "6xx", "99", "1000", "", "!", "2x", True, 1.5, None, 600])
def test_what_is_no_status(value: Any) -> None:
    with pytest.raises(ValueError, match="status"):
        StatusTest.read(value)


@pytest.mark.parametrize(
    ("value", "holds", "exceeded", "text"),
    [
        (2, [2], [3], "exactly 2"),
        ({"exactly": 0}, [0], [1], "exactly 0"),
        ({"ATLEAST": 2}, [2, 99], [], "at least 2"),
        ({"atMost": 2}, [0, 2], [3], "at most 2"),
        ({"atLeast": 1, "atMost": 2}, [1, 2], [3], "at least 1, at most 2"),
    ],
)
def test_counts(value: Any, holds: list[int], exceeded: list[int], text: str) -> None:
    count = Count.read(value)
    assert all(count.holds(number) for number in holds)
    assert all(count.exceeded(number) and not count.holds(number) for number in exceeded)
    assert str(count) == text
    assert Count.read(count.written) == count


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"atLeast": 3, "atMost": 2}, "count: atLeast 3 is more than atMost 2"),
        ({"exactly": 3, "atMost": 2}, "count: exactly cannot be given together with atMost"),
        (-1, "count: -1 is not a whole number from 0"),
        ({"atLeast": "2"}, "count: atLeast is a whole number, not a string"),
        ({"atleats": 2}, "count: atleats is not known: give exactly, atLeast or atMost"),
        ({}, "count: give a number, exactly, atLeast or atMost"),
        (True, "count: is a whole number, not a boolean"),
        (1.5, "count: 1.5 is not a whole number from 0"),
    ],
)
def test_what_is_no_count(value: Any, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_struct({"name": "a", "when": {}, "count": value}, GivenExpectation)
    assert caught.value.message == message


def test_times_to_wait() -> None:
    assert UpToAMinute.parse("60s") == Duration.parse("1m")
    with pytest.raises(ValueError, match="90s is longer than 60s"):
        UpToAMinute.parse("90s")


def test_how_long_it_took() -> None:
    took = Took(at_least=Duration.parse("1.9s"), at_most=Duration.parse("2.1s"))
    assert [took.fits(seconds) for seconds in (1.89, 1.9, 2.0, 2.1, 2.11)] == [False, True, True, True, False]
    with pytest.raises(ValueError, match="atLeast 3s is more than atMost 2s"):
        Took(at_least=Duration.parse("3s"), at_most=Duration.parse("2s"))
    with pytest.raises(ValueError, match="give atLeast, atMost or both"):
        Took()


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"uris": ["a"]}, "when.uris[0]: 'a' does not start with a slash: write it like /foo/{x}"),
        ({"status": "nope"}, "when.status: 'nope' is not a status: write it like 503, 5xx, !2xx, or 0 for none"),
        ({"end": "done"}, "when.end: 'done' is none of completed, client_gone, aborted, broke_off, upstream_failed, open"),
        ({"took": {}}, "when.took: give atLeast, atMost or both"),
        ({"uri": ["/a"]}, None),
        ({"took": {"least": "1s"}}, None),
    ],
)
def test_what_is_refused(when: dict[str, Any], message: str | None) -> None:
    with pytest.raises(BadInput) as caught:
        read_struct({"name": "a", "when": when}, GivenExpectation)
    assert caught.value.message == message if message else "unknown key" in caught.value.message


def test_what_is_read() -> None:
    wanted, _ = read_struct(
        {"listener": 8080, "status": "2xx", "target": "t", "rule": "r", "end": "COMPLETED", "id": "i", "took": {"atLeast": "1s"}},
        Wanted,
    )
    assert (wanted.listener, wanted.target, wanted.rule, wanted.end, wanted.id) == (8080, "t", "r", "completed", "i")
    assert AT_LEAST_ONE.holds(1)
