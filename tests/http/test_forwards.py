"""How far a request has come, and how far it may go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.fields import Headers
from goto.http.forwards import MOST_HOPS, hops_field, max_forwards, one_less, take_hops
from goto.http.messages import NOT_COME, Hops, Request

IDS = st.lists(st.integers(0, 2**32 - 1).map(lambda number: b"%08x" % number), max_size=5).map(tuple)


def request(method: str, *fields: tuple[bytes, bytes]) -> Request:
    return Request(method, "/", Headers([(b"Host", b"a"), *fields]))


def came(*values: bytes) -> Hops:
    made = request("GET", *((b"goto-HOPS", value) for value in values))
    take_hops(made)
    assert made.headers.fields == [(b"Host", b"a")]
    return made.hops


@given(st.integers(0, 100), IDS, st.sampled_from([b"", b"0123abcd"]))
def test_what_is_sent_on_is_read_at_the_next(times: int, ids: tuple[bytes, ...], own: bytes) -> None:
    name, value = hops_field(Hops(times, ids), own)
    assert name == b"Goto-Hops"
    assert came(value) == Hops(times + 1, (*ids, own) if own else ids)


def test_the_first_time() -> None:
    assert hops_field(NOT_COME) == (b"Goto-Hops", b"1")
    assert hops_field(NOT_COME, b"0123abcd") == (b"Goto-Hops", b"1;0123abcd")


@pytest.mark.parametrize(
    "values", [(b"",), (b"x",), (b"-1",), (b"1,2",), (b"1;abc",), (b"1; 0123abcd",), (b"1;0123ABCD",), (b"1.0",), (b"1", b"1")]
)
def test_any_other_value_and_a_second_field_count_as_the_most(values: tuple[bytes, ...]) -> None:
    assert came(*values) == Hops(MOST_HOPS, ())


@given(st.sampled_from(["OPTIONS", "TRACE"]), st.integers(0, 10**30), st.integers(0, 3))
def test_max_forwards_goes_on_one_less_in_plain_digits(method: str, times: int, zeros: int) -> None:
    value = b"0" * zeros + b"%d" % times
    made = request(method, (b"max-Forwards", value))
    assert max_forwards(made) == times
    passed = dict(one_less(made, made.headers.fields))[b"max-Forwards"]
    assert passed == (b"%d" % (times - 1) if times else value)


@pytest.mark.parametrize(
    ("method", "values"),
    [("GET", [b"0"]), ("options", [b"0"]), ("OPTIONS", []), ("OPTIONS", [b"x"]), ("OPTIONS", [b"-1"]), ("TRACE", [b"1", b"1"])],
)
def test_what_passes(method: str, values: list[bytes]) -> None:
    made = request(method, *((b"Max-Forwards", value) for value in values))
    assert max_forwards(made) is None
    assert one_less(made, made.headers.fields) == made.headers.fields
