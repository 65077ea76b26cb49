"""The contract of a feature. `pipeline` runs the hooks of the active ones."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, ClassVar, Final, Literal, Protocol

from goto.counting.measures import Histogram as Histogram
from goto.counting.measures import Summary as Summary
from goto.counting.measures import measure as measure
from goto.errors import Conflict

__all__ = ["Feature", "Histogram", "Sender", "Summary", "measure"]


class Sender(Protocol):
    """What a process sends requests with. A feature whose matter is sending has `send_with(sender)`, which its listener calls
    before any traffic; the others decide, and hosts send.
    """

    @property
    def pool(self) -> Any:
        """The connections to upstreams, by origin, shared by the whole process."""


HOOKS = ("request", "response", "closed")

LIKE_A_HOOK = 0.65
"""How alike a name has to be to that of a hook to be taken for one, of 1: as `on_request` and `responseheaders` are."""


ABILITIES: Final = frozenset(("close", "reset", "cut", "raw", "pace", "stall"))
"""What a host may be able to do to an answer on its way, see `goto.flow.Delivery`."""


class Place:
    """What a feature finds around it. This is what it finds outside a listener, as in a test."""

    abilities: frozenset[str] = ABILITIES
    """What the host can do."""
    host = ""
    """The name of the host."""
    identity: bytes = b""
    """The lines of the headers that say which goto answers, as they stand in every answer."""

    def sibling(self, name: str) -> Feature | None:
        """The feature of a name on the same listener."""
        return None


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
        mistake = next(_mistakes(cls), "")
        if mistake:
            raise TypeError(f"{cls.__name__}.{mistake}")
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

    place: Place = Place()
    """The listener, as far as a feature may know it."""

    def bind(self, on_change: Callable[[], None], place: Place | None = None) -> None:
        """For the listener: what to call when `active` may have flipped, and where the feature stands."""
        self._on_change = on_change
        if place is not None:
            self.place = place

    @property
    def abilities(self) -> frozenset[str]:
        """What the host can do to an answer on its way: `close reset cut raw pace stall`."""
        return self.place.abilities

    def need(self, *abilities: str) -> None:
        """Raises `Conflict` where the host lacks one of these abilities."""
        for ability in abilities:
            if ability not in self.abilities:
                raise Conflict(f"{ability}: {self.place.host} cannot do it: use the standalone host")

    def sibling(self, name: str) -> Feature | None:
        """The feature of a name on the same listener; None where there is none."""
        return self.place.sibling(name)

    def remarks(self) -> Iterable[tuple[str, str]]:
        """What of its settings may be meant otherwise, and is no mistake: the path of the setting, and a text that says so."""
        return ()

    def settled(self) -> None:
        """A configuration is in force as a whole, and its listeners serve: start what it is to start."""

    def forget(self) -> Awaitable[None] | None:
        """The listener is reset: forget what was counted, and let go what is held. Its settings have been put back already;
        exchanges in flight end as they began, and metrics go on. May be `async def`.
        """

    def stop(self) -> None:
        """The listener is removed, or the process ends: stop what still runs."""


def _mistakes(feature: type[Feature]) -> Iterator[str]:
    """What a class says that would have no effect, or the wrong one, and what to write instead."""
    for name, member in vars(feature).items():
        if not inspect.isfunction(member):
            continue
        if name in HOOKS:
            if not _takes_a_flow(member):
                yield f"{name} is called with a flow alone: write def {name}(self, flow)"
            if name == "closed" and inspect.iscoroutinefunction(member):
                yield "closed cannot be async def: the exchange is over, and nothing waits for it"
        elif name == "active":
            yield "active is not a method: write @property above it"
        elif name[0] != "_" and list(inspect.signature(member).parameters)[1:] == ["flow"] and _like_a_hook(name):
            yield f"{name} is not a hook, which are {', '.join(HOOKS)}: begin its name with _ if it is not meant for one"
    ends = vars(feature).get("ends", "taken")
    if ends not in ("taken", "written"):
        yield f"ends is {ends!r}: write 'taken' or 'written'"


def _takes_a_flow(hook: Callable[..., Any]) -> bool:
    try:
        inspect.signature(hook).bind("self", "flow")
    except TypeError:
        return False
    return True


def _like_a_hook(name: str) -> bool:
    from difflib import get_close_matches  # here, since a start without mistakes does not need it

    return name == "error" or bool(get_close_matches(name, HOOKS, 1, LIKE_A_HOOK))
