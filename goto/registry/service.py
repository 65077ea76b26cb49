"""The registry: other instances register here, and get the targets kept for their label."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any, ClassVar, TypedDict

import msgspec

from goto.client.results import ClientResults
from goto.client.target import ClientTarget, CompleteTarget
from goto.errors import Conflict, NotFound
from goto.registry.address import Address
from goto.registry.catalog import MOST_LABEL_TARGETS, Catalog
from goto.registry.gather import gather
from goto.registry.peers import MOST_PEERS, SILENT_SECONDS, Peer, Peers
from goto.registry.push import Pusher
from goto.registry.queue import Push, PushKind
from goto.registry.worker import RegistryUrl
from goto.routes import WORKER, get, post, put
from goto.settings import setting
from goto.upstream.answer import Upstream
from goto.words import Flag, Label, Name
from goto.words.duration import duration_text
from goto.words.token import Token

log = logging.getLogger("goto")

LOOK_SECONDS = 10.0
"""From one look for peers that have fallen silent to the next."""

SILENCE = duration_text(SILENT_SECONDS)

MOST_SHOWN = 20
"""Missed pushes, or addresses, that an answer names one by one."""

MOST_OUTDATED = 10_000
"""Pushes waiting for one address beyond the targets it is to have: then it is told to clear all, and gets those anew."""


class PeerSpec(msgspec.Struct):
    """What `POST /registry/peers/add` takes."""

    name: Label
    """The label that the instance goes by."""
    address: Address

    example: ClassVar[dict[str, Any]] = {"name": "web", "address": "127.0.0.1:8081"}


class Registered(TypedDict):
    """What an instance gets that registers."""

    targets: dict[str, CompleteTarget]
    """Those of its label, by name."""
    jobs: dict[str, Any]
    """Always empty; the original has some."""
    epoch: str
    """Names this life of the registry."""
    revision: int
    """Grows with every change of targets."""


class MissedPush(TypedDict):
    """What an instance has not taken."""

    push: str
    """add, remove or clear"""
    target: str
    reason: str
    final: bool
    """Whether it is not tried again."""


class PeerState(TypedDict):
    """An instance that has registered."""

    name: str
    """Its label."""
    address: str
    lastSeen: str | None
    """When it last registered or took a push (RFC 3339)."""
    missed: list[MissedPush]
    """The first of what it has not taken."""
    missedCount: int


class Asked(TypedDict):
    """The peers that were asked."""

    answered: list[str]
    unanswered: dict[str, str]
    """And why not."""


class GatheredResults(ClientResults):
    """The client results of all peers in one."""

    peers: Asked


Targets = dict[Label, Annotated[list[ClientTarget], msgspec.Meta(max_length=MOST_LABEL_TARGETS)]]
Pushes = list[tuple[Address, Push]]


class Registry:
    """Peers and the targets of their labels: one for the process, whichever listener is called."""

    def __init__(self, upstream: Upstream) -> None:
        self.peers = Peers()
        self.catalog = Catalog()
        self.url: RegistryUrl | None = None
        """Where this instance is registered itself, if it is a worker."""
        self._upstream = upstream
        self._looking: asyncio.TimerHandle | None = None
        """The next look for peers that have fallen silent."""
        self.pusher = Pusher(upstream, self.catalog.epoch, self.peers.heard)

    def stop(self) -> None:
        """Push no more."""
        self.pusher.end_all()
        if self._looking is not None:
            self._looking.cancel()

    @property
    def token(self) -> Token | None:
        """What is shown to peers; set before there are any."""
        return self.pusher.token

    @token.setter
    def token(self, token: Token | None) -> None:
        self.pusher.token = token

    # ------------------------------------------------------------ peers
    @post("/registry/peers/add", who=WORKER, raises=[Conflict])
    def add_peer(self, peer: PeerSpec) -> Registered:
        """Register an instance under a label; the answer holds the targets of that label."""
        self._add_peer(peer)
        if self.peers.registered(peer.name, peer.address):
            self._look_later()
        return {
            "targets": _complete(self.catalog.of(peer.name)),
            # the original has jobs too, and reads them strictly: an object, never a list
            "jobs": {},
            "epoch": self.catalog.epoch,
            "revision": self.catalog.revision,
        }

    def _add_peer(self, peer: PeerSpec) -> None:
        self.peers.add(peer.name, peer.address)
        self.pusher.wake(peer.address)

    def _look_later(self) -> None:
        if self._looking is None and self.peers.watched:
            self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._forget_silent)

    def _forget_silent(self) -> None:
        """Forget the peers that have gone without a word."""
        self._looking = None
        for peer in self.peers.silent():
            self.remove_peer(Label(peer.label), peer.address)
            log.warning("peer %s at %s is forgotten: nothing was heard of it for %s", peer.label, peer.address, SILENCE)
        self._look_later()

    @put("/registry/peers/{peer}/remove/{address}", who=WORKER, raises=[NotFound])
    def remove_peer(self, peer: Label, address: Address) -> str:
        """Deregister an instance; the targets of its label stay here, and with the instance."""
        try:
            self.peers.remove(peer, address)
        except KeyError:
            raise NotFound(f"unknown peer: {peer} at {address}") from None
        if self.peers.labels(address):
            self.pusher.drop(address, peer)
        else:
            self.pusher.end(address)
        return f"Removed peer {peer} at {address}"

    @post("/registry/peers/clear")
    def clear_peers(self) -> str:
        """Remove all peers, and forget the targets of every label."""
        self.pusher.end_all()
        peers, targets = self.peers.clear(), self.catalog.clear_all()
        return f"Cleared {_count(peers, 'peer')} and {_count(targets, 'target')}"

    @get("/registry/peers")
    def list_peers(self) -> list[PeerState]:
        """List the peers, when each was last heard of, and which pushes it missed."""
        return [self._show(peer) for peer in self.peers]

    # ------------------------------------------------------------ targets
    @post("/registry/peers/{peer}/targets/add", raises=[Conflict])
    async def add_target(self, peer: Label, target: ClientTarget) -> str:
        """Add a target to a label, and push it to all who bear it."""
        done = "Replaced" if target.name in self.catalog.of(peer) else "Added"
        return f"{done} target {target.name} of {peer}" + await self._push(self._put(peer, target))

    @put("/registry/peers/{peer}/targets/{target}/remove", raises=[NotFound])
    async def remove_target(self, peer: Label, target: Name) -> str:
        """Remove a target from a label, and from all who bear it."""
        return f"Removed target {target} of {peer}" + await self._push(self._take(peer, target))

    def _put(self, peer: Label, target: ClientTarget) -> Pushes:
        """Add a target to the catalog; the pushes that tell of it."""
        self.catalog.put(peer, target)
        push = self._add(peer, target)
        return [(address, push) for address in self.peers.addresses(peer)]

    def _take(self, peer: Label, target: Name) -> Pushes:
        """Remove a target from the catalog; the pushes that tell of it."""
        try:
            self.catalog.remove(peer, target)
        except KeyError:
            raise NotFound(f"unknown target: {target} of {peer}") from None
        removal = self._change("remove", peer, target)
        pushes = []
        for address in self.peers.addresses(peer):
            # an instance may bear another label that has a target of this name: then it is to have that one
            other = next((label for label in self.peers.labels(address) if target in self.catalog.of(label)), None)
            pushes.append((address, removal if other is None else self._add(other, self.catalog.of(other)[target])))
        return pushes

    @post("/registry/peers/{peer}/targets/clear", raises=[NotFound])
    async def clear_targets(self, peer: Label) -> str:
        """Remove all targets of a label, and those it has from all who bear it."""
        if peer not in self.catalog and peer not in self.peers:
            raise NotFound(f"unknown peer: {peer}")
        count = self.catalog.clear(peer)
        clear = self._change("clear", peer)
        pushes = []
        for address in self.peers.addresses(peer):
            pushes.append((address, clear))
            # the original clears whatever there is, so that what it has by other labels is sent again
            pushes += [(address, push) for label in self.peers.labels(address) if label != peer for push in self._adds(label)]
        return f"Cleared {_count(count, 'target')} of {peer}" + await self._push(pushes)

    @get("/registry/peers/{peer}/targets")
    def list_targets(self, peer: Label) -> dict[str, CompleteTarget]:
        """List the targets of a label, in the order added."""
        return _complete(self.catalog.of(peer))

    # ------------------------------------------------------------ configuration
    @setting("registry.url", start=True)
    def configured_url(self) -> RegistryUrl | None:
        """Where this instance registers. It is read at the start only, and `--registry` wins over it."""
        return self.url

    @setting("registry.peers")
    def configured_peers(self) -> Annotated[list[PeerSpec], msgspec.Meta(max_length=MOST_PEERS)]:
        """Instances that get the targets of their label, besides those that register themselves."""
        return [PeerSpec(Label(peer.label), peer.address) for peer in self.peers]

    @configured_peers.setter
    async def configure_peers(self, peers: list[PeerSpec]) -> None:
        present, wanted = ({(peer.name, peer.address) for peer in some} for some in (self.configured_peers, peers))
        for name, address in present - wanted:
            self.remove_peer(name, address)
        new = [peer for peer in peers if (peer.name, peer.address) not in present]
        for peer in new:
            self._add_peer(peer)
        # who registers gets its targets in the answer; who is named here has not asked
        await self._push([(peer.address, push) for peer in new for push in self._adds(peer.name)])

    @setting("registry.targets")
    def configured_targets(self) -> Targets:
        """Client targets handed out, by the label that they are for."""
        return {Label(label): [*self.catalog.of(label).values()] for label in self.catalog}

    @configured_targets.setter
    async def configure_targets(self, targets: Targets) -> None:
        pushes: Pushes = []
        for label, present in self.configured_targets.items():
            wanted = {target.name for target in targets.get(label, ())}
            for target in present:
                if target.name not in wanted:
                    pushes += self._take(label, target.name)
        for label, some in targets.items():
            for target in some:
                if self.catalog.of(label).get(target.name) != target:
                    pushes += self._put(label, target)
        await self._push(pushes)

    # ------------------------------------------------------------ results
    @get("/registry/results")
    async def results(self, histograms: Flag = Flag.NO) -> GatheredResults:
        """Show the client results of all peers as one, and which of them did not answer; `?histograms=y` adds the histograms."""
        addresses = dict.fromkeys(peer.address for peer in self.peers)
        gathered = await gather(self._upstream, addresses, self.token)
        for address in gathered.answered:
            self.peers.heard(address)
        wire = await asyncio.to_thread(lambda: gathered.results.to_wire(histograms=bool(histograms)))
        return {
            **wire,
            "peers": {"answered": [*gathered.answered], "unanswered": {str(at): why for at, why in gathered.unanswered.items()}},
        }

    # ------------------------------------------------------------ inside
    def _change(self, kind: PushKind, label: str, name: str = "", body: bytes = b"") -> Push:
        return Push(kind, str(label), self.catalog.revision, str(name), body)

    def _add(self, label: str, target: ClientTarget) -> Push:
        return self._change("add", label, target.name, msgspec.json.encode(target.complete()))

    def _adds(self, label: str) -> list[Push]:
        return [self._add(label, target) for target in self.catalog.of(label).values()]

    async def _push(self, pushes: Pushes) -> str:
        """Have pushes made; a remark on the addresses that have not taken theirs after a moment."""
        for address, push in pushes:
            self.pusher.put(address, push)
            self._bound(address)
        missed = list(dict.fromkeys(await self.pusher.wait(pushes)))
        if not missed:
            return ""
        more = f" and {len(missed) - MOST_SHOWN:,} more" if len(missed) > MOST_SHOWN else ""
        return f" (not yet taken by {', '.join(missed[:MOST_SHOWN])}{more})"

    def _bound(self, address: Address) -> None:
        """Keep removals of targets long gone from piling up for an address that takes nothing."""
        labels = self.peers.labels(address)
        wanted = sum(len(self.catalog.of(label)) for label in labels)
        if self.pusher.pending(address) > wanted + len(labels) + MOST_OUTDATED:
            for push in [self._change("clear", label) for label in labels] + [p for label in labels for p in self._adds(label)]:
                self.pusher.put(address, push)

    def _show(self, peer: Peer) -> PeerState:
        misses = self.pusher.not_taken(peer.address, peer.label)
        shown: list[MissedPush] = [
            {"push": miss.push.kind, "target": miss.push.name, "reason": miss.reason, "final": miss.final}
            for miss in misses[:MOST_SHOWN]
        ]
        return {
            "name": peer.label,
            "address": peer.address,
            "lastSeen": peer.last_seen_text,
            "missed": shown,
            "missedCount": len(misses),
        }


def _complete(targets: dict[str, ClientTarget]) -> dict[str, CompleteTarget]:
    return {name: target.complete() for name, target in targets.items()}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
