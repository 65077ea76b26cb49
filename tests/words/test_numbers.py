"""Numbers that people write: statuses, ports, sizes, counts, flags."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.words import (
    CountedDuration,
    CountedStatus,
    Duration,
    Flag,
    HeadSize,
    HeadTime,
    Number,
    Port,
    Size,
    Status,
    TargetNumber,
    whole_number,
)
from goto.words.numbers import MOST, MOST_PROXY_TARGETS, BodyTime


@given(st.integers(0, MOST))
def test_a_whole_number_is_read_as_it_is_written(number: int) -> None:
    assert whole_number(str(number)) == number


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1_0", "+1", "-1", "1.0", "1e3", "0x1", "２", "²", "x"])
def test_all_else_is_not_a_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(text))} is not a whole number$"):
        whole_number(text)


@pytest.mark.parametrize(
    ("text", "least", "most", "says"),
    [
        ("1", 2, MOST, "1 is not a count from 2"),
        ("x", 2, MOST, "'x' is not a count from 2"),
        ("1", 2, 9, "1 is not a count from 2 to 9"),
        ("10", 0, 9, "10 is not a count from 0 to 9"),
        ("08", 0, 9, "08 is not a count from 0 to 9"),
        (f"{MOST + 1}", 0, MOST, f"{MOST + 1} is not a count"),
        ("9" * 5000, 0, MOST, f"{'9' * 5000} is not a count"),
    ],
)
def test_a_number_out_of_bounds_is_refused_with_them(text: str, least: int, most: int, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):
        whole_number(text, least, most, "count")


@pytest.mark.parametrize("number", [200, 204, 418, 599])
def test_status(number: int):
    assert Status.parse(str(number)) == number


@pytest.mark.parametrize(
    "text",
    ["", " 200", "200 ", "9" * 5000, "0", "199", "600", "-200", "+200", "200.0", "2e2", "ok", "２００", "2_00"],
)
def test_no_status(text: str):
    with pytest.raises(ValueError, match=r"status|number"):
        Status.parse(text)


def test_port():
    assert [Port.parse(text) for text in ("1", "8080", "65535")] == [1, 8080, 65535]
    for text in ("0", "65536", "-1", "http", "", "80 "):
        with pytest.raises(ValueError, match=r"port|number"):
            Port.parse(text)


def test_counted_status():
    assert CountedStatus.parse("503") == CountedStatus(Status(503))
    assert CountedStatus.parse("503:2") == CountedStatus(Status(503), 2)
    assert CountedStatus.parse("0") == CountedStatus(None)


@pytest.mark.parametrize("text", ["", ":", "503:", "503:0", "503:-1", "503:x", "503:1:2", ":2", "199:1", "503: 1", "503:1.5"])
def test_no_counted_status(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        CountedStatus.parse(text)


def test_counted_duration():
    assert CountedDuration.parse("200ms") == CountedDuration(Duration(200_000_000))
    assert CountedDuration.parse("1m30s:3") == CountedDuration(Duration(90_000_000_000), 3)
    for text in ("1s:0", "1s:", "1s:x", "-1s", "1:1", ":3", ""):
        with pytest.raises(ValueError, match=r"\w"):
            CountedDuration.parse(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(CountedStatus, text) for text in ("503", "503:2", "0")] + [(CountedDuration, text) for text in ("1m30s", "0s", "2.5ms:7")],
)
def test_counted_words_print_as_they_are_written(kind: Any, text: str):
    assert str(kind.parse(text)) == text


@pytest.mark.parametrize("text", ["y", "YES", "True", "1"])
def test_yes(text: str):
    assert Flag.parse(text)


@pytest.mark.parametrize("text", ["n", "No", "FALSE", "0"])
def test_no(text: str):
    assert not Flag.parse(text)


@pytest.mark.parametrize("text", ["", "maybe", "2", "on", "off", " y"])
def test_no_flag(text: str):
    with pytest.raises(ValueError, match="neither yes nor no"):
        Flag.parse(text)


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500", 500), ("500B", 500), ("1KiB", 1024), ("64MiB", 64 << 20), ("2GiB", 2 << 30)]
)
def test_sizes(text: str, size: int) -> None:
    assert Size.parse(text) == size


@given(st.text("0123456789 .-+kKMGiBb", max_size=8))
def test_a_size_is_a_number_or_a_clear_refusal(text: str) -> None:
    if re.fullmatch(r"[0-9]+(B|KiB|MiB|GiB)?", text):
        assert Size.parse(text) >= int(re.sub("[^0-9]", "", text))
    else:
        with pytest.raises(ValueError, match="is not a size: write it like 64KiB"):
            Size.parse(text)


@pytest.mark.parametrize(
    ("kind", "least", "too_little", "says"),
    [
        (HeadSize, "1KiB", "1023B", "1023B is too small for the head of a request: write 1KiB or more"),
        (HeadTime, "1ns", "0s", "0 leaves no time to send a head: write more, like 10s"),
        (BodyTime, "1ns", "0s", "0 leaves no time to send a body: write more, like 10s"),
        (Number, "1", "0", "0 is not a whole number from 1"),
        (TargetNumber, "1", "0", "0 is not a whole number from 1 to 100000"),
    ],
)
def test_what_there_must_be_at_the_least(kind: Any, least: str, too_little: str, says: str) -> None:
    assert isinstance(kind.parse(least), kind)
    with pytest.raises(ValueError, match=f"^{says}$"):
        kind.parse(too_little)


def test_targets_there_may_be_at_the_most() -> None:
    assert TargetNumber.parse(str(MOST_PROXY_TARGETS)) == MOST_PROXY_TARGETS
    with pytest.raises(ValueError, match=r"^100001 is not a whole number from 1 to 100000$"):
        TargetNumber.parse(str(MOST_PROXY_TARGETS + 1))
