"""Who has registered."""

from __future__ import annotations

import re

import pytest

from goto.errors import Conflict
from goto.registry import peers as module
from goto.registry.address import Address
from goto.registry.peers import Peers

A, B = Address.parse("10.0.0.1:80"), Address.parse("10.0.0.2:80")


def listed(peers: Peers) -> list[tuple[str, str]]:
    return [(peer.label, peer.address) for peer in peers]


def test_each_is_there_once_in_order():
    peers = Peers()
    assert [peers.add("w", A), peers.add("v", A), peers.add("w", B), peers.add("w", A)] == [True, True, True, False]
    assert listed(peers) == [("w", A), ("v", A), ("w", B)]
    assert (peers.addresses("w"), peers.addresses("v"), peers.addresses("x")) == ([A, B], [A], [])
    assert (peers.labels(A), peers.labels(B)) == (["w", "v"], ["w"])


def test_one_is_removed_and_no_other():
    peers = Peers()
    for label, address in (("w", A), ("v", A), ("w", B)):
        peers.add(label, address)
    peers.remove("w", A)
    assert listed(peers) == [("v", A), ("w", B)]
    with pytest.raises(KeyError):
        peers.remove("w", A)
    peers.remove("v", A)
    assert (peers.labels(A), "v" in peers, "w" in peers) == ([], False, True)
    assert peers.clear() == 1
    assert (len(peers), listed(peers), peers.addresses("w"), "w" in peers) == (0, [], [], False)


def test_signs_of_life():
    peers = Peers()
    peers.add("w", A)
    peers.add("v", A)
    first, second = peers
    assert first.last_seen is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.last_seen_text or "")
    first.last_seen = second.last_seen = None
    assert first.last_seen_text is None
    peers.heard(B)
    assert first.last_seen is None
    peers.heard(A)
    assert first.last_seen is not None
    assert second.last_seen == first.last_seen


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_PEERS", 1)
    peers = Peers()
    peers.add("w", A)
    with pytest.raises(Conflict, match="1 peers"):
        peers.add("w", B)
    assert not peers.add("w", A)
    assert listed(peers) == [("w", A)]


class Clock:
    """In place of the module `time`."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_who_registers_again_and_falls_silent(clock: Clock):
    peers = Peers()
    for label, address in (("w", A), ("v", B)):
        peers.add(label, address)
        assert not peers.registered(label, address)
    assert not peers.watched
    clock.now += 30
    assert peers.registered("w", A)
    peers.heard(A)
    assert peers.watched
    clock.now += module.SILENT_SECONDS - 0.1
    assert peers.silent() == []
    peers.heard(A)  # a push was taken
    clock.now += 0.1
    assert peers.silent() == []
    clock.now += module.SILENT_SECONDS
    assert [(peer.label, peer.address) for peer in peers.silent()] == [("w", A)]


def test_who_registers_once_a_life_stays(clock: Clock):
    peers = Peers()
    for _ in range(3):
        peers.add("w", A)
        assert not peers.registered("w", A)
        clock.now += 10_000
    assert (peers.silent(), peers.watched) == ([], False)
