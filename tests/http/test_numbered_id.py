"""Ids that say which run a request is of, and which number it has there."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.flow import Headers
from goto.http.numbered_id import MOST_NUMBERS, RunName, fresh_run, id_in, numbered_id, read_id, wants_gaps

NUMBERS = st.integers(0, 2**32 - 1)
RUN = "5f3a-8c21-90be-77d0c4a1e52b"
HEX = "0123456789abcdef"


@given(number=NUMBERS, gaps=st.booleans())
def test_an_id_is_a_uuid_of_version_8_and_reads_back(number: int, gaps: bool) -> None:
    run = fresh_run(gaps=gaps)
    text = numbered_id(run, number)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}", text)
    assert str(UUID(text)) == text
    assert UUID(text).version == 8
    assert read_id(text.encode()) == (run, number, number < MOST_NUMBERS)
    assert wants_gaps(run) is gaps


@given(number=NUMBERS, digit=st.sampled_from(HEX), upper=st.booleans())
def test_the_digit_at_14_and_letter_case_do_not_count(number: int, digit: str, upper: bool) -> None:
    text = numbered_id(RUN, number)
    text = text[:14] + digit + text[15:]
    found = read_id((text.upper() if upper else text).encode())
    assert found is not None
    assert found[:2] == (RUN, number)
    assert found.opens is (number < MOST_NUMBERS and digit in "89ab")


@given(numbers=st.lists(NUMBERS, unique=True, max_size=50))
def test_no_two_numbers_have_one_id(numbers: list[int]) -> None:
    assert len({numbered_id(RUN, number) for number in numbers}) == len(numbers)


def test_neighbours_are_far_apart_so_that_a_sample_by_the_first_digits_takes_its_share() -> None:
    taken = sum(int(numbered_id(RUN, number)[:8], 16) < 2**32 // 10 for number in range(10_000))
    assert abs(taken - 1000) < 20


def test_runs_differ() -> None:
    assert len({fresh_run() for _ in range(1000)}) == 1000


@given(text=st.one_of(st.binary(max_size=40), st.from_regex(r"[0-9a-f-]{36}", fullmatch=True).map(str.encode)))
def test_whatever_comes_is_read_or_is_no_id(text: bytes) -> None:
    found = read_id(text)
    if found is not None:
        again = numbered_id(found.run, found.number)
        assert (again[:14] + again[15:]).encode() == (text[:14] + text[15:]).lower()


def test_random_uuids_open_no_run() -> None:
    assert not any(found.opens for _ in range(2000) if (found := read_id(str(uuid4()).encode())))


ID, OTHER = numbered_id(RUN, 3), numbered_id(RUN, 4)


@pytest.mark.parametrize(
    ("query", "values", "number"),
    [
        (f"x-request-id={ID}", [], 3),
        (f"a=1&x-request-id={ID}&b", [], 3),
        (f"x-request-id={ID}", [OTHER], 3),
        ("", [OTHER], 4),
        ("x-request-id=17", [OTHER], 4),
        ("x-request-id=é", [str(uuid4()).replace("-", ""), OTHER], 4),
        (f"y-x-request-id={ID}", [], None),
        (f"x-request-id={ID}0", ["7"], None),
        ("", [], None),
    ],
)
def test_the_parameter_comes_before_the_header(query: str, values: list[str], number: int | None) -> None:
    found = id_in(query, Headers([(b"X-Request-ID", value.encode()) for value in values]))
    assert (None if found is None else found.number) == number


def test_a_run_is_named_by_itself_or_by_an_id_of_it() -> None:
    assert RunName.parse(RUN) == RunName.parse(f" {RUN.upper()}") == RunName.parse(ID) == RUN
    assert RunName.parse(ID[:14] + "b" + ID[15:]) == RUN
    with pytest.raises(ValueError, match="'x' is no run: write what follows the first dash of an id"):
        RunName.parse("x")
