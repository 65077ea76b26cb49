"""Waiting for what comes in its own time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 20.0
"""Seconds after which something that should have happened is given up; never a measure of how fast it is."""


def eventually(read: Callable[[], T], holds: Callable[[T], object] = bool, seconds: float = PATIENCE) -> T:
    """Read until it holds; what was read. An AssertionError with the last value when it never does."""
    until = time.monotonic() + seconds
    while True:
        value = read()
        if holds(value):
            return value
        if time.monotonic() > until:
            raise AssertionError(f"still not so after {seconds:g} s: {value!r}")
        time.sleep(0.02)


async def until(holds: Callable[[], object]) -> None:
    """Wait, while this loop goes on, until it holds. An AssertionError when it never does."""
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up, f"still not so after {PATIENCE:g} s"
        await asyncio.sleep(0.005)
