"""Pushing to one address: one push after the other, each again until it was taken."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn

from goto.client.desired import Source
from goto.client.source import fields_of
from goto.counting.bounded import OTHER
from goto.http.targets import segment
from goto.registry.address import Address
from goto.registry.ask import ask, said
from goto.registry.queue import Kind, Push, PushQueue
from goto.registry.retry import forever
from goto.upstream.answer import Upstream
from goto.upstream.connection import UpstreamError
from goto.words.token import Token

log = logging.getLogger("goto")

ATTEMPT_SECONDS = 5.0
"""For one try, from connecting to the end of the answer."""

WAKE_SECONDS = 1.0
"""A peer that failed is tried out of turn, when there is news for it, no more often than this."""

AT_ONCE = 512
"""Pushes under way to peers that answered so far, in all."""

RETRIES_AT_ONCE = 64
"""Pushes under way to peers that failed at the last try. Apart, so that hung ones cannot use up what the others need."""

MOST_REFUSED = 10_000
"""Refusals remembered for one address; the oldest go first."""

_AGAIN = (408, 429)
"""Refusals that time may heal; the others, and redirects, are final."""


COUNTS_LIMIT = 50
"""Labels and outcomes of one address that are counted apart."""

Outcome = Literal["taken", "refused", "failed"]
PushCounts = Counter[tuple[str, Outcome]]


class Missed(Exception):
    """A push was not taken; it will be tried again."""


@dataclass(slots=True)
class Lanes:
    """How many pushes may be under way at a time, in all."""

    first: asyncio.Semaphore
    again: asyncio.Semaphore

    @classmethod
    def make(cls) -> Lanes:
        return cls(asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(RETRIES_AT_ONCE))


@dataclass(frozen=True, slots=True)
class Miss:
    """A push that an address has not taken, and why."""

    push: Push
    reason: str
    final: bool
    """It was refused and is not tried again."""


class Delivery:
    """The pushes to one address. `on_heard(address)` is called for every answer, and the token is shown with every push."""

    def __init__(
        self,
        upstream: Upstream,
        address: Address,
        epoch: str,
        lanes: Lanes,
        on_heard: Callable[[Address], None],
        token: Token | None = None,
        counts: PushCounts | None = None,
    ) -> None:
        self.address = address
        self.counts: PushCounts = Counter() if counts is None else counts
        """Tries, by label and how they ended: taken, refused for good, or failed and to be made again."""
        self.queue = PushQueue()
        self.failing = ""
        """Why the last try failed; empty when it did not."""
        self.late = False
        """It kept somebody waiting, or failed, and has taken nothing since."""
        self._upstream = upstream
        self._epoch = epoch
        self._lanes = lanes
        self._on_heard = on_heard
        self._token = token
        self._refused: dict[tuple[Kind, str], Miss] = {}
        self._task: asyncio.Task[None] | None = None
        self._resting = False
        self._tried = 0.0
        self._progress: asyncio.Event = asyncio.Event()

    def put(self, push: Push) -> None:
        """Have a push made, after those that came before. Returns at once."""
        self.queue.put(push)
        if push.kind == "clear":
            self._forget_refused(push.label)
        else:
            self._refused.pop(("add", push.name), None)
            self._refused.pop(("remove", push.name), None)
        if self._task is None:
            self._start()
        elif self._resting and asyncio.get_running_loop().time() - self._tried >= WAKE_SECONDS:
            self.wake()

    def wake(self) -> None:
        """Try again now: there is reason to think that the peer is back."""
        if self._resting and self._task is not None:
            self._task.cancel()
            self._start()

    def drop(self, label: str) -> None:
        """The address does not bear a label any more: its pushes end."""
        self.queue.drop(label)
        self._forget_refused(label)
        self._moved()

    def end(self) -> None:
        """Push no more."""
        self.queue.drop()
        self._refused.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._moved()

    async def settled(self, push: Push) -> None:
        """Wait until a push was taken, refused, made pointless, or tried without success."""
        while push in self.queue and not self._resting:
            await self._progress.wait()

    def misses(self, label: str) -> list[Miss]:
        """What the address has not taken of a label's pushes."""
        refused = [miss for miss in self._refused.values() if miss.push.label == label]
        reason = self.failing or "not answered yet"
        return refused + [Miss(push, reason, False) for push in self.queue if push.label == label]

    def missed(self, push: Push) -> bool:
        """Whether one push was refused, or is still to be made."""
        refused = self._refused.get(push.key)
        return push in self.queue or (refused is not None and refused.push is push)

    # ------------------------------------------------------------ inside
    def _forget_refused(self, label: str) -> None:
        self._refused = {key: miss for key, miss in self._refused.items() if miss.push.label != label}

    def _moved(self) -> None:
        self._progress.set()
        self._progress.clear()

    def _start(self) -> None:
        self._resting = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self.queue:
                async for attempt in forever(Missed):
                    with attempt:
                        await self._try()
        except Exception:
            log.exception("pushing to %s failed", self.address)
        if self._task is asyncio.current_task():
            self._task = None
            self._moved()

    async def _try(self) -> None:
        """Make the next push. Raises `Missed`."""
        self._resting = False
        async with self._lanes.again if self.failing else self._lanes.first:
            push = self.queue.head()
            if push is None:
                return
            loop = asyncio.get_running_loop()
            self._tried = loop.time()
            try:
                status, data = await self._send(push)
            except UpstreamError as error:
                self._failed(push, str(error))
        self._on_heard(self.address)
        if status >= 500 or status in _AGAIN:
            self._failed(push, said(status, data))
        if status >= 300 and not (status == 404 and push.kind != "add") and push in self.queue:
            self._refused[push.key] = Miss(push, said(status, data), True)
            if len(self._refused) > MOST_REFUSED:
                del self._refused[next(iter(self._refused))]
            self._count(push, "refused")
        else:
            self._count(push, "taken")
        self.failing, self.late = "", False
        self.queue.done(push)
        self._moved()

    def _count(self, push: Push, outcome: Outcome) -> None:
        key = push.label, outcome
        if key not in self.counts and len(self.counts) >= COUNTS_LIMIT:
            key = OTHER, outcome
        self.counts[key] += 1

    def _failed(self, push: Push, reason: str) -> NoReturn:
        self._count(push, "failed")
        self.failing, self.late = reason, True
        self._resting = True
        self._moved()
        raise Missed(reason)

    async def _send(self, push: Push) -> tuple[int, bytes]:
        name = segment(push.name)
        path = {"add": "add", "remove": f"{name}/remove", "clear": "clear"}[push.kind]
        return await ask(
            self._upstream,
            self.address.origin,
            "POST",
            f"/client/targets/{path}",
            push.body,
            tuple(fields_of(Source(push.label, self._epoch, push.revision))),
            timeout=ATTEMPT_SECONDS,
            token=self._token,
        )
