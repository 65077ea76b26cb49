"""`VALUE[:COUNT][@PERCENT]`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.words.values import Delays, Dose, Percent, Statuses


@pytest.mark.parametrize(
    ("text", "shown", "share"),
    [
        ("10%", "10%", 0.1),
        ("100%", "100%", 1.0),
        ("0.000001%", "0.000001%", 1e-8),
        ("99.50%", "99.5%", 0.995),
        ("007.25%", "7.25%", 0.0725),
    ],
)
def test_a_percentage(text: str, shown: str, share: float) -> None:
    percent = Percent.parse(text)
    assert (str(percent), percent.share) == (shown, pytest.approx(share, rel=1e-12))


@given(st.integers(1, 100_000_000))
def test_a_percentage_reads_back_as_it_is_printed(millionths: int) -> None:
    assert Percent.parse(str(Percent(millionths))) == millionths


@pytest.mark.parametrize("text", ["0%", "0.0%", "120%", "100.000001%"])
def test_a_percentage_out_of_bounds(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text} is not above 0% and up to 100%$"):
        Percent.parse(text)


@pytest.mark.parametrize("text", ["", "%", "10", "-1%", "1e1%", "0.0000001%", ".5%", "5.%", "1000%", "２%", "10%%", "10%:2"])
def test_what_is_no_percentage(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a percentage like 10% or 0\.5%"):
        Percent.parse(text)


@pytest.mark.parametrize(
    ("text", "shown", "told"),
    [
        ("503", "503", "503"),
        ("503:2", "503:2", "503 for the next 2"),
        ("500,502, 503:5@10%", "500,502,503:5@10%", "500,502,503 for the next 5 at 10%"),
        ("503@0.5%", "503@0.5%", "503 at 0.5%"),
        ("0", "0", "0"),
    ],
)
def test_statuses(text: str, shown: str, told: str) -> None:
    value = Statuses.parse(text)
    assert (str(value), f"{value.listed}{value.dose.told()}") == (shown, told)
    assert Statuses.parse(shown) == value


@pytest.mark.parametrize(
    "text",
    ["", "500,99", "500,", ",500", "503@0%", "503@101%", "503@10", "503@", "503:0@10%", "503@10%:2", "500,0", "503:", "5:3:2"],
)
def test_what_are_no_statuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Statuses.parse(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("200ms", "200ms"),
        ("100ms-0.3s:2", "100ms-300ms:2"),
        ("1s@5%", "1s@5%"),
        ("0", "0s"),
        ("60s-2m:1@100%", "1m0s-2m0s:1@100%"),
    ],
)
def test_delays(text: str, shown: str) -> None:
    assert str(Delays.parse(text)) == shown
    assert Delays.parse(shown) == Delays.parse(text)


@pytest.mark.parametrize("text", ["", "200ms-100ms", "200ms-", "1s@200%", "-1s", "1s:0", "1s@10%:3", "1,2"])
def test_what_are_no_delays(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Delays.parse(text)


def test_no_time_is_no_delay() -> None:
    assert not Delays.parse("0:4")
    assert Delays.parse("0-1ms")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Statuses, ["503", "500,502:3", "0", "503:5@0.5%"], ["", "199", "503@", "503@10", "503:0", "500,"]),
        (Delays, ["200ms", "100ms-300ms:2@10%", "0"], ["", "1s-", "1s:0", "1s@"]),
        (Percent, ["10%", "0.000001%"], ["10", "%"]),
    ],
)
def test_schemas_say_what_is_taken(kind: Any, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert re.search(kind.schema["pattern"], text)
        kind.parse(text)
    for text in bad:
        assert not re.search(kind.schema["pattern"], text)


@given(st.none() | st.integers(1, 10**9), st.none() | st.integers(1, 100_000_000))
def test_a_dose_reads_back_as_it_is_printed(count: int | None, millionths: int | None) -> None:
    dose = Dose(count, None if millionths is None else Percent(millionths))
    assert Dose.split(f"x{dose}") == ("x", dose)
