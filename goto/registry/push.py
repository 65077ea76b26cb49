"""Pushes to all addresses, to each independently: one that is dead or slow holds up none of the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from goto.counting.bounded import OTHER
from goto.counting.tally import TALLIES_LIMIT
from goto.registry.address import Address
from goto.registry.delivery import Delivery, Lanes, NotTaken, PushCounts
from goto.registry.queue import Push
from goto.upstream.answer import Upstream
from goto.words.token import Token

PATIENCE = 0.9
"""Seconds that a call waits at most for peers to take its pushes, so that all of it takes no longer than one second."""

LITTLE_PATIENCE = 0.05
"""The same for peers that have kept an earlier call waiting, and have taken nothing since."""


class Pusher:
    """Deliveries by address. `on_heard(address)` is called at every answer of a peer."""

    def __init__(self, upstream: Upstream, epoch: str, on_heard: Callable[[Address], None]) -> None:
        self._upstream = upstream
        self._epoch = epoch
        self._on_heard = on_heard
        self.token: Token | None = None
        """Shown to every address; to be set before there are any."""
        self._lanes = Lanes.make()
        self._deliveries: dict[Address, Delivery] = {}
        self.counts: dict[str, PushCounts] = {}
        """Attempts by address, then by label and outcome; those of addresses past a limit under OTHER."""

    def put(self, address: Address, push: Push) -> None:
        """Add a push to an address. Returns at once."""
        delivery = self._deliveries.get(address)
        if delivery is None:
            apart = address in self.counts or self._apart < TALLIES_LIMIT
            counts = self.counts.setdefault(address if apart else OTHER, Counter())
            delivery = Delivery(self._upstream, address, self._epoch, self._lanes, self._on_heard, self.token, counts)
            self._deliveries[address] = delivery
        delivery.put(push)

    @property
    def waiting(self) -> int:
        """Pushes still to be made, to all addresses."""
        return sum(len(delivery.queue) for delivery in self._deliveries.values())

    @property
    def uncounted(self) -> int:
        """Addresses that are counted together under OTHER."""
        return len(self._deliveries) - self._apart

    @property
    def _apart(self) -> int:
        return len(self.counts) - (OTHER in self.counts)

    def pending(self, address: Address) -> int:
        """How many pushes are still to be made to an address."""
        delivery = self._deliveries.get(address)
        return len(delivery.queue) if delivery else 0

    def wake(self, address: Address) -> None:
        """An address was heard of: try now what is still to be pushed to it."""
        if delivery := self._deliveries.get(address):
            delivery.wake()

    def drop(self, address: Address, label: str) -> None:
        """An address no longer has this label."""
        if delivery := self._deliveries.get(address):
            delivery.drop(label)

    def end(self, address: Address) -> None:
        """An address is not a peer any more."""
        if delivery := self._deliveries.pop(address, None):
            delivery.end()
            self.counts.pop(address, None)

    def end_all(self) -> None:
        """No address is a peer any more."""
        for address in list(self._deliveries):
            self.end(address)

    def not_taken(self, address: Address, label: str) -> list[NotTaken]:
        """The pushes of a label that an address has not taken."""
        delivery = self._deliveries.get(address)
        return delivery.not_taken(label) if delivery else []

    async def wait(self, pushes: Iterable[tuple[Address, Push]]) -> list[Address]:
        """Give pushes a moment to be taken. Returns the addresses that have not taken theirs."""
        given = [(self._deliveries[address], push) for address, push in pushes if address in self._deliveries]
        slow = [(delivery, push) for delivery, push in given if delivery.late]
        prompt = [(delivery, push) for delivery, push in given if not delivery.late]
        await asyncio.gather(_settle(prompt, PATIENCE), _settle(slow, LITTLE_PATIENCE))
        missed = [delivery for delivery, push in given if delivery.missed(push)]
        for delivery, push in prompt:
            delivery.late = delivery.late or push in delivery.queue
        return [delivery.address for delivery in missed]


async def _settle(given: list[tuple[Delivery, Push]], seconds: float) -> None:
    tasks = [asyncio.ensure_future(delivery.settled(push)) for delivery, push in given if push in delivery.queue]
    if not tasks:
        return
    _, left = await asyncio.wait(tasks, timeout=seconds)
    for task in left:
        task.cancel()
