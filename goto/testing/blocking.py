"""What a plain call must not do: wait, where an event loop runs in its thread and would stand meanwhile."""

from __future__ import annotations

import asyncio


class Blocking:
    """Has plain calls."""

    def _waits(self, call: str) -> None:
        """Raises RuntimeError where a call that waits would block an event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        raise RuntimeError(
            f"goto.{call} would block the event loop that this runs in: use AsyncGoto and await it; in a test that is the "
            f"fixture agoto, await agoto.{call}(…)"
        )


class AsyncBlocking:
    """Has awaited calls."""

    def _waits(self, call: str) -> None:
        """Awaited calls may wait anywhere."""
