"""Rules as they are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.rules import live

from goto.features.rules.live import LiveRule
from goto.features.rules.shown import First, HowMany, ShownRule, planned
from goto.words.writing import json_bytes


def shown(rule: LiveRule) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json_bytes(ShownRule.of(rule)))
    return found


def test_what_was_given_and_what_has_come_of_it() -> None:
    rule = live("a", seed=7, when={"uris": ["/a"]}, count=2, status=503, delay="1s")
    rule.strike({})
    found = shown(rule)
    assert next(iter(found)) == "name"
    assert found == {
        "name": "a",
        "when": {"uris": ["/a"]},
        "count": 2,
        "status": 503,
        "delay": "1s",
        "enabled": True,
        "seed": 7,
        "state": "active",
        "matched": 1,
        "struck": 1,
        "unable": 0,
        "holding": 0,
        "left": 1,
    }


def test_entries_are_shown_as_they_were_given() -> None:
    entries: list[dict[str, Any]] = [{"status": 500, "weight": 3}, {"truncate": {"after": 1}, "pace": {"over": "1s"}}, {}]
    assert shown(live(oneOf=entries))["oneOf"] == entries
    assert shown(live(answers=[{"headers": [["a", "b"]]}, {}]))["answers"] == [{"headers": [["a", "b"]]}, {}]


def test_with_values_there_is_nothing_left_but_what_was_forgotten() -> None:
    found = shown(live(when={"uris": ["/{x}"]}, per="{x}", count=2, status=503))
    assert "left" not in found
    assert found["forgotten"] == 0


def test_a_plan() -> None:
    rule = live("flaky", seed=7, probability=0.5, delay="100ms-300ms", oneOf=[{"status": 501}, {"status": 502}])
    assert planned(rule, 1, 3) == [
        {"n": 1, "strikes": False},
        {"n": 2, "strikes": True, "delay": "210.792ms", "outcome": 0},
        {"n": 3, "strikes": True, "delay": "165.298ms", "outcome": 0},
    ]
    assert [line["strikes"] for line in planned(live(skip=1, every=2, status=503), 0, 5)] == [False, False, True, False, True]


def test_words_of_a_plan() -> None:
    assert (First.parse("0"), HowMany.parse("1000"), HowMany.USUAL) == (0, 1000, 20)
    for text in ("0", "1001", "x"):
        with pytest.raises(ValueError, match="is not a whole number"):
            HowMany.parse(text)
    with pytest.raises(ValueError, match="is not a whole number"):
        First.parse("-1")
