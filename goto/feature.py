"""The contract of a feature. `pipeline` runs the hooks of the active ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Protocol

from goto.counting.measures import Histogram as Histogram
from goto.counting.measures import Summary as Summary
from goto.counting.measures import measure as measure

__all__ = ["Feature", "Histogram", "Sender", "Summary", "measure"]


class Sender(Protocol):
    """What a process sends requests with. A feature whose matter is sending has `send_with(sender)`, which its listener calls
    before any traffic; the others decide, and hosts send.
    """

    @property
    def pool(self) -> Any:
        """The connections to upstreams, by origin, shared by the whole process."""


_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where a word of a class name ends."""


class Feature:
    """A part of goto that looks at traffic. Subclasses have any of three hooks, named as in a mitmproxy addon:

    - `request(flow)`: the head of the request is here, the body may not be.
    - `response(flow)`: the head of the response is known, nothing has gone to the client yet. May change it, and may wait.
    - `closed(flow)`: the exchange is over, exactly once. `flow.completed` tells how. Never async.

    `request` and `response` may be `async def`. Instances belong to one listener; their attributes are its state. State is
    changed on the event loop only, and never across an `await` between reading and writing.
    """

    name: ClassVar[str] = ""
    """What the feature is called: `forced_status` for a class `ForcedStatus`, where no other name is given."""

    outside: ClassVar[str] = "forced_status"
    """The name of the feature that this one stands just outside of: its request hook runs before that one's, and its response
    hook after. This is for features of users; the place of goto's own is in `goto.features`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__dict__.get("name"):
            cls.name = _WORDS.sub("_", cls.__name__).lower()

    @property
    def active(self) -> bool:
        """Whether hooks are to be called at all. Asked when configuration changes, never per request."""
        return True

    def changed(self) -> None:
        """To be called whenever `active` may have flipped."""
        self._on_change()

    _on_change: Callable[[], None] = staticmethod(lambda: None)
    """A feature outside a listener, as in a test, has nobody to tell."""

    ends: ClassVar[Literal["taken", "written"]] = "taken"
    """What `closed` has to know: that the client's system has taken the last byte, or only that it was written, which costs
    less."""

    def bind(self, on_change: Callable[[], None]) -> None:
        """For the listener: what to call when `active` may have flipped."""
        self._on_change = on_change

    def settled(self) -> None:
        """A configuration is in force as a whole, and its listeners serve: start what it is to start."""

    def stop(self) -> None:
        """The listener is removed, or the process ends: stop what still runs."""
