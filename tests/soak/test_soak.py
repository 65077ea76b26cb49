"""A short soak; `make soak` runs a long one."""

from __future__ import annotations

import sys

import pytest

from soak.run import soak


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="descriptors and memory are read from /proc")
def test_everything_at_once_adds_up() -> None:
    outcome = soak(5, seed=1)
    assert not outcome.problems
    assert outcome.tally.answered > 20
    assert outcome.tally.left > 10
    assert outcome.changes > 3
