"""The instances that have registered, by label and address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from goto.errors import Conflict
from goto.registry.address import Address

MOST_PEERS = 10_000
"""Peers in all. An address under two labels is two peers."""

SILENT_SECONDS = 300.0
"""A peer that registers time and again, and is not heard of for so long, has gone without a word."""


@dataclass(slots=True)
class Peer:
    """An instance under one of its labels."""

    label: str
    address: Address
    last_seen: datetime | None = None
    """When it last registered, or answered a push or a call."""
    heard_at: float = 0.0
    """The same, by the monotonic clock."""
    registered_at: float = -SILENT_SECONDS
    """When it last registered itself, by the monotonic clock."""
    registers_again: bool = False
    """It registers time and again, as workers do. Those of the original register once."""

    @property
    def last_seen_text(self) -> str | None:
        """In RFC 3339, UTC, with milliseconds."""
        if self.last_seen is None:
            return None
        return self.last_seen.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Peers:
    """All peers, each once, in the order they came."""

    def __init__(self) -> None:
        self._peers: dict[tuple[str, Address], Peer] = {}
        self._addresses: dict[str, dict[Address, Peer]] = {}
        self._labels: dict[Address, dict[str, Peer]] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._peers.values()))

    def __contains__(self, label: str) -> bool:
        """Whether there is a peer with this label."""
        return label in self._addresses

    def add(self, label: str, address: Address) -> bool:
        """A peer registers. Returns whether it is a new one. Raises `Conflict` if there are too many."""
        key = label, address
        new = key not in self._peers
        if new:
            if len(self._peers) >= MOST_PEERS:
                raise Conflict(f"there are {MOST_PEERS:,} peers already: remove some first")
            peer = self._peers[key] = Peer(label, address)
            self._addresses.setdefault(label, {})[address] = peer
            self._labels.setdefault(address, {})[label] = peer
        self.heard(address)
        return new

    def remove(self, label: str, address: Address) -> None:
        """Raises KeyError if there is no such peer."""
        del self._peers[label, address]
        del self._addresses[label][address]
        if not self._addresses[label]:
            del self._addresses[label]
        del self._labels[address][label]
        if not self._labels[address]:
            del self._labels[address]

    def clear(self) -> int:
        """Remove all. Returns how many there were."""
        count = len(self._peers)
        self._peers.clear()
        self._addresses.clear()
        self._labels.clear()
        return count

    def heard(self, address: Address) -> None:
        """An instance was heard of just now."""
        now = datetime.now(UTC)
        for peer in self._labels.get(address, {}).values():
            peer.last_seen, peer.heard_at = now, time.monotonic()

    def registered(self, label: str, address: Address) -> bool:
        """A peer that is known has registered itself just now. Returns whether it does so time and again."""
        peer, now = self._peers[label, address], time.monotonic()
        peer.registers_again = peer.registers_again or now - peer.registered_at < SILENT_SECONDS
        peer.registered_at = now
        return peer.registers_again

    def silent(self) -> list[Peer]:
        """Those that registered time and again, and have not been heard of for SILENT_SECONDS."""
        before = time.monotonic() - SILENT_SECONDS
        return [peer for peer in self._peers.values() if peer.registers_again and peer.heard_at <= before]

    @property
    def watched(self) -> bool:
        """Whether there are peers that may fall silent."""
        return any(peer.registers_again for peer in self._peers.values())

    def addresses(self, label: str) -> list[Address]:
        """The addresses that have a label."""
        return list(self._addresses.get(label, ()))

    def labels(self, address: Address) -> list[str]:
        """The labels that an address has."""
        return list(self._labels.get(address, ()))
