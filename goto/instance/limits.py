"""The limits of the process, as they are given and shown."""

from __future__ import annotations

from typing import Any

from goto.routes import get
from goto.settings import setting
from goto.traffic.limits import LIMITS, ConfiguredLimits


class ProcessLimits:
    """What this process bears of its clients."""

    def __init__(self) -> None:
        self._given: ConfiguredLimits | None = None

    def start(self, given: ConfiguredLimits) -> None:
        """Take what a file says, before anything is served."""
        self._given = given
        LIMITS.set(given)

    @get("/goto/limits")
    def show(self) -> dict[str, Any]:
        """Show the limits of this process, and how often each was hit."""
        return LIMITS.show()

    @setting("limits", start=True)
    def configured(self) -> ConfiguredLimits | None:
        """Limits on what clients send. They are read at the start only, and `--limit` wins over them."""
        return self._given
