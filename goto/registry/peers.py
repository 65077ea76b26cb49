"""The instances that have registered, by label and address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from goto.errors import Conflict
from goto.registry.address import Address

MOST_PEERS = 10_000
"""Peers in all. An address under two labels is two peers."""


@dataclass(slots=True)
class Peer:
    """An instance under one of its labels."""

    label: str
    address: Address
    last_seen: datetime | None = None
    """When it last registered, or answered a push or a call."""

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
            peer.last_seen = now

    def addresses(self, label: str) -> list[Address]:
        """The addresses that have a label."""
        return list(self._addresses.get(label, ()))

    def labels(self, address: Address) -> list[str]:
        """The labels that an address has."""
        return list(self._labels.get(address, ()))
