"""How an answer goes over the wire: a feature decides, the host carries it out, and they tell each other what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal


class Control:
    """What the feature that asks for a delivery and the host that carries it out tell each other."""

    __slots__ = ("_on_failed", "_on_let_go", "_on_over", "free")

    def __init__(self, on_failed: Callable[[str], None] | None = None, on_over: Callable[[], None] | None = None) -> None:
        """`on_failed(what)` is called where `after`, `share`, `over`, `stall_at` or `raw` turns out not to be possible;
        `on_over()` once nothing of the rate and the stall is left to wait for.
        """
        self.free = False
        """Nothing is slowed any more."""
        self._on_failed = on_failed
        self._on_over = on_over
        self._on_let_go: Callable[[], None] | None = None

    def let_go(self) -> None:
        """For features: the rate and the stall end, and the rest of the answer goes out."""
        if not self.free:
            self.free = True
            if self._on_let_go is not None:
                self._on_let_go()

    def when_let_go(self, then: Callable[[], None]) -> None:
        """For hosts: what to call once the rest may go out."""
        self._on_let_go = then

    def failed(self, what: str) -> None:
        """For hosts: a part of the delivery is not possible."""
        if self._on_failed is not None:
            self._on_failed(what)

    def over(self) -> None:
        """For hosts: nothing of the rate and the stall is left to wait for."""
        if self._on_over is not None:
            self._on_over()


SHARE_PARTS: Final = 10**8
"""A share of a body is told to millionths of a percent."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer goes over the wire. A feature sets `flow.delivery`, and the host carries it out."""

    raw: bytes | None = None
    """Written in place of the answer's head and body. The connection then ends as `end` says, by "close" if it says nothing."""
    end: Literal["", "close", "reset"] = ""
    """How the connection ends."""
    after: int | None = None
    """So many bytes of the body go out before `end`; with 0 the head alone, with None and no `share` nothing at all."""
    share: float | None = None
    """`after` as a share of the body, from 0 to 1, whose length has to be known."""
    rate: float = 0.0
    """Bytes a second; 0 for as fast as they are taken."""
    over: float = 0.0
    """Seconds for the whole body instead of `rate`; its length has to be known."""
    head: bool = False
    """Whether `rate` and `over` hold for the head too."""
    stall: float = 0.0
    """Seconds to stand still."""
    stall_at: int = 0
    """How many bytes of the body go out before `stall`."""
    control: Control | None = None
    """What the host and the feature tell each other meanwhile."""

    @property
    def silent(self) -> bool:
        """Whether no response is sent."""
        return self.raw is not None or (bool(self.end) and self.after is None and self.share is None)

    @property
    def cuts(self) -> bool:
        """Whether a part of the body alone is sent."""
        return self.after is not None or self.share is not None

    def cut(self, length: int | None) -> int | None:
        """How many bytes of a body go out at the most; None for all, and where that depends on a length that is not known."""
        if self.share is None or length is None:
            return self.after
        # 29% of 100 bytes are 29, though 100 * 0.29 is a little less
        return length * round(self.share * SHARE_PARTS) // SHARE_PARTS

    @property
    def slows(self) -> bool:
        """Whether bytes go out later than they could."""
        return self.rate > 0 or self.over > 0 or self.stall > 0
