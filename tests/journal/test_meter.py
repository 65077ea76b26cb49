"""What ended in the last second."""

from __future__ import annotations

import time

import pytest

from goto.journal.meter import Meter


def test_it_knows_the_last_second_and_forgets_what_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.05
    monkeypatch.setattr(time, "monotonic", lambda: now)
    meter = Meter()
    assert meter.last_second() == (0.0, 0.0, 0.0)
    for number in range(100):
        meter.add(now - (0.002 if number < 98 else 0.5))
    rate, p50, p99 = meter.last_second()
    assert rate == 100
    assert p50 == pytest.approx(2.0, rel=0.02)
    assert p99 == pytest.approx(500, rel=0.02)
    now += 0.5
    meter.add(now - 0.001)
    assert meter.last_second()[0] == 101
    now += 0.6
    assert meter.last_second()[0] == 1
    now += 5
    assert meter.last_second()[0] == 0


def test_its_memory_is_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    meter = Meter()
    for number in range(20_000):
        now += 0.01
        meter.add(now - number * 0.001)
    assert sum(len(counts) for _, counts in meter._slots) < 1000
