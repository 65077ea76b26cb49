"""Pushes to one address: one after the other, each repeated until it is taken or refused for good."""

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
from goto.registry.queue import Push, PushKind, PushQueue
from goto.registry.retry import forever
from goto.upstream.answer import Upstream
from goto.upstream.ask import ask, failure
from goto.upstream.errors import UpstreamError
from goto.words.token import Token

log = logging.getLogger("goto")

ATTEMPT_SECONDS = 5.0
"""For one attempt, from connecting to the end of the answer."""

WAKE_SECONDS = 1.0
"""A peer that failed is tried again before its time when there is a new push for it, but no more often than this."""

PUSHES_AT_ONCE = 512
"""Pushes under way at a time to all peers whose last attempt did not fail."""

RETRIES_AT_ONCE = 64
"""The same for peers whose last attempt failed. It is a number of its own, so that peers that hang do not hold up the others."""

MOST_REFUSED = 10_000
"""Refusals remembered for one address; the oldest are forgotten first."""

_AGAIN = (408, 429)
"""Refusals after which a push is tried again; all others, and redirects, are final."""

COUNTS_LIMIT = 50
"""Labels and outcomes of one address that are counted apart."""

PushOutcome = Literal["taken", "refused", "failed"]
PushCounts = Counter[tuple[str, PushOutcome]]


class PushFailed(Exception):
    """A push failed; it will be tried again."""


@dataclass(slots=True)
class Lanes:
    """How many pushes may be under way at a time, to all addresses."""

    first: asyncio.Semaphore
    """Taken where the last attempt did not fail."""
    again: asyncio.Semaphore
    """Taken where it failed."""

    @classmethod
    def make(cls) -> Lanes:
        return cls(asyncio.Semaphore(PUSHES_AT_ONCE), asyncio.Semaphore(RETRIES_AT_ONCE))


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A push that an address has not taken, and why."""

    push: Push
    reason: str
    final: bool
    """It was refused, and is not tried again."""


class Delivery:
    """The pushes to one address. `on_heard(address)` is called at every answer; the token is shown with every push."""

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
        """Attempts, by label and outcome: taken, refused for good, or failed and to be made again."""
        self.queue = PushQueue()
        self.failing = ""
        """Why the last attempt failed; empty if it did not."""
        self.late = False
        """Whether it failed, or kept a caller waiting, and has taken nothing since."""
        self._upstream = upstream
        self._epoch = epoch
        self._lanes = lanes
        self._on_heard = on_heard
        self._token = token
        self._refused: dict[tuple[PushKind, str], NotTaken] = {}
        self._task: asyncio.Task[None] | None = None
        self._resting = False
        self._tried = 0.0
        self._progress: asyncio.Event = asyncio.Event()

    def put(self, push: Push) -> None:
        """Add a push, to be made after those that were added before. Returns at once."""
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
        """The address no longer has this label: drop the pushes that are for it."""
        self.queue.drop(label)
        self._forget_refused(label)
        self._moved()

    def end(self) -> None:
        """Drop all pushes, also the one that is under way."""
        self.queue.drop()
        self._refused.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._moved()

    async def settled(self, push: Push) -> None:
        """Wait until a push was taken or refused, was dropped for a newer one, or an attempt failed."""
        while push in self.queue and not self._resting:
            await self._progress.wait()

    def not_taken(self, label: str) -> list[NotTaken]:
        """The pushes of a label that the address has not taken."""
        refused = [miss for miss in self._refused.values() if miss.push.label == label]
        reason = self.failing or "not answered yet"
        return refused + [NotTaken(push, reason, False) for push in self.queue if push.label == label]

    def missed(self, push: Push) -> bool:
        """Whether this push was refused, or is still to be made."""
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
                async for attempt in forever(PushFailed):
                    with attempt:
                        await self._try()
        except Exception:
            log.exception("pushing to %s failed", self.address)
        if self._task is asyncio.current_task():
            self._task = None
            self._moved()

    async def _try(self) -> None:
        """Make the next push, if there is one. Raises `PushFailed`."""
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
            self._failed(push, failure(status, data))
        if status >= 300 and not (status == 404 and push.kind != "add") and push in self.queue:
            self._refused[push.key] = NotTaken(push, failure(status, data), True)
            if len(self._refused) > MOST_REFUSED:
                del self._refused[next(iter(self._refused))]
            self._count(push, "refused")
        else:
            self._count(push, "taken")
        self.failing, self.late = "", False
        self.queue.done(push)
        self._moved()

    def _count(self, push: Push, outcome: PushOutcome) -> None:
        key = push.label, outcome
        if key not in self.counts and len(self.counts) >= COUNTS_LIMIT:
            key = OTHER, outcome
        self.counts[key] += 1

    def _failed(self, push: Push, reason: str) -> NoReturn:
        self._count(push, "failed")
        self.failing, self.late = reason, True
        self._resting = True
        self._moved()
        raise PushFailed(reason)

    async def _send(self, push: Push) -> tuple[int, bytes]:
        name = segment(push.name)
        path = {"add": "add", "remove": f"{name}/remove", "clear": "clear"}[push.kind]
        return await ask(
            self._upstream.pool,
            self.address.origin,
            "POST",
            f"/client/targets/{path}",
            push.body,
            tuple(fields_of(Source(push.label, self._epoch, push.revision))),
            timeout=ATTEMPT_SECONDS,
            token=self._token,
        )
