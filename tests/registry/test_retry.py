"""Back-off."""

from __future__ import annotations

import asyncio
import logging

import pytest

from goto.registry import retry


def test_it_goes_on_until_it_succeeds(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(retry, "LONGEST_WAIT", 0.004)
    tries = 0

    async def main() -> None:
        nonlocal tries
        async for attempt in retry.forever(OSError):
            with attempt:
                tries += 1
                if tries < 30:
                    raise ConnectionError

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    assert tries == 30
    assert not [record for record in caplog.records if "stamina" in record.name], "every try is logged"


def test_other_errors_end_it():
    async def main() -> None:
        async for attempt in retry.forever(OSError):
            with attempt:
                raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(main())
