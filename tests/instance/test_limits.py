"""Limits as they are shown. What they do is a matter of `tests/traffic/test_limits.py`."""

from __future__ import annotations

import pytest

from goto.instance.limits import ProcessLimits
from goto.traffic.limits import LIMITS, ConfiguredLimits


def test_they_are_shown_with_how_often_each_was_hit() -> None:
    shown = ProcessLimits().show()
    assert shown["headTime"] == {"limit": "1m0s", "hit": LIMITS.hit["head_time"]}
    assert shown["head"]["limit"] == 64 << 10


def test_what_a_file_says_is_what_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LIMITS, "fields", LIMITS.fields)
    limits = ProcessLimits()
    assert limits.configured is None
    limits.start(ConfiguredLimits.parse("fields=20"))
    assert limits.configured == ConfiguredLimits.parse("fields=20")
    assert limits.show()["fields"]["limit"] == 20
