"""The worker's side: it registers, takes the targets that are handed out, and deregisters.

A registration is sent again every 30 s, and its answer is the whole list of targets. So a push that was missed is made up for,
and a registry that was restarted gets to know its workers again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

import msgspec

from goto.client.desired import Desired, Source
from goto.client.target import ClientTarget
from goto.errors import BadInput, Conflict
from goto.flow import Origin
from goto.http.targets import segment
from goto.registry.address import Address
from goto.registry.retry import forever
from goto.upstream.answer import Upstream
from goto.upstream.ask import ask, failure
from goto.upstream.errors import UpstreamError
from goto.words import http_url
from goto.words.duration import duration_text
from goto.words.reading import read_struct
from goto.words.token import Token

log = logging.getLogger("goto")

AGAIN_SECONDS = 30.0
"""From one registration to the next; up to a tenth less, so that workers that were started together drift apart."""

REGISTER_SECONDS = 5.0
"""For one attempt, from connecting to the end of the answer."""

DEREGISTER_SECONDS = 3.0
"""For all of the deregistration."""

ANSWER_LIMIT = 256 << 20
"""Bytes of the answer to a registration: it may hold 10,000 targets with bodies."""


class NotRegistered(Exception):
    """A registration failed; it will be tried again."""


class TakesTargets(Protocol):
    """What a worker needs of its listener's client."""

    desired: Desired

    targets: dict[str, ClientTarget]

    def store(self, target: ClientTarget) -> None:
        """Raises `Conflict` when there are too many, `BadInput` when its files will not do."""

    def discard(self, name: str) -> None: ...

    def invoke_targets(self, targets: Iterable[ClientTarget]) -> object: ...


class RegistryUrl(str):
    """The http or https URL of a registry; it may have a base path."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "format": "uri", "examples": ["http://registry:8080"]}

    @classmethod
    def parse(cls, text: str) -> RegistryUrl:
        parts = urlsplit(http_url(text))
        if parts.query or parts.fragment:
            raise ValueError(f"{text!r} has a query or a fragment, which the URL of a registry must not have: leave it out")
        return cls(text.rstrip("/"))

    @property
    def origin(self) -> Origin:
        """Where connections to it go."""
        return Origin.of(self)

    @property
    def base(self) -> str:
        """The path of the URL, without a slash at the end."""
        return urlsplit(self).path


@dataclass(slots=True)
class HandOut:
    """The answer to a registration."""

    source: Source
    targets: list[ClientTarget] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    """Names of targets that goto cannot send, and why."""


class Worker:
    """Registers one listener's client with a registry, under a label and an address that stay the same, showing a token."""

    def __init__(
        self,
        upstream: Upstream,
        client: TakesTargets,
        registry: RegistryUrl,
        label: str,
        address: Address,
        token: Token | None = None,
    ) -> None:
        self.registered = False
        """Whether the last registration succeeded."""
        self._upstream = upstream
        self._client = client
        self._registry = registry
        self._label = label
        self._address = address
        self._token = token
        self._task: asyncio.Task[None] | None = None
        self._busy = asyncio.Lock()
        self._sent = False
        self._complaint = ""

    def start(self) -> None:
        """Begin to register, and to repeat it. Returns at once."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Deregister. Takes DEREGISTER_SECONDS at most, whatever the registry does."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(DEREGISTER_SECONDS):
                # wait for a registration that is under way: it would arrive after this, and stay
                async with self._busy:
                    self._task.cancel()
                    if self._sent:
                        await self._deregister()
        except (TimeoutError, UpstreamError) as error:
            log.warning(
                "cannot deregister from %s: %s",
                self._registry,
                str(error) or f"no answer within {duration_text(DEREGISTER_SECONDS)}",
            )
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    # ------------------------------------------------------------ inside
    async def _run(self) -> None:
        try:
            while True:
                async for attempt in forever(NotRegistered):
                    with attempt:
                        await self._register()
                await asyncio.sleep(AGAIN_SECONDS * random.uniform(0.9, 1))
        except Exception:
            log.exception("registering with %s failed", self._registry)

    async def _register(self) -> None:
        """Register once. Raises `NotRegistered`."""
        async with self._busy:
            try:
                hand_out = await self._ask()
            except (UpstreamError, BadInput) as error:
                self._complain(str(error))
                raise NotRegistered from None
            if self._complaint:
                log.warning("registered with %s as %s at %s", self._registry, self._label, self._address)
                self._complaint = ""
            self.registered = True
            self._apply(hand_out)

    async def _ask(self) -> HandOut:
        self._sent = True
        status, data = await ask(
            self._upstream.pool,
            self._registry.origin,
            "POST",
            f"{self._registry.base}/registry/peers/add",
            msgspec.json.encode({"name": str(self._label), "address": str(self._address)}),
            timeout=REGISTER_SECONDS,
            limit=ANSWER_LIMIT,
            token=self._token,
        )
        if not 200 <= status < 300:
            raise BadInput(failure(status, data))
        return read_hand_out(data, self._label)

    def _apply(self, hand_out: HandOut) -> None:
        client = self._client
        for name, reason in hand_out.unread.items():
            log.warning("target %s of %s is not taken: %s", name, self._registry, reason)
        changes = client.desired.answer(hand_out.targets, hand_out.source, client.targets, hand_out.unread)
        for name in changes.remove:
            client.discard(name)
        for target in changes.put:
            try:
                client.store(target)
            except Conflict as error:
                log.warning("not all targets of %s are taken: %s", self._registry, error.message)
                break
            except BadInput as error:
                log.warning("target %s of %s is not taken: %s", target.name, self._registry, error.message)
        # in one run, as the original does; those that were not taken are not sent either
        if invoke := [target for target in changes.invoke if client.targets.get(target.name) is target]:
            client.invoke_targets(invoke)

    def _complain(self, reason: str) -> None:
        """Log each reason once, not at each attempt."""
        self.registered = False
        if reason != self._complaint:
            log.warning("cannot register with %s: %s; trying again", self._registry, reason)
            self._complaint = reason

    async def _deregister(self) -> None:
        path = f"{self._registry.base}/registry/peers/{segment(self._label)}/remove/{segment(self._address)}"
        status, data = await ask(
            self._upstream.pool, self._registry.origin, "POST", path, timeout=DEREGISTER_SECONDS, token=self._token
        )
        if status >= 300 and status != 404:
            log.warning("cannot deregister from %s: %s", self._registry, failure(status, data))


def read_hand_out(data: bytes, label: str) -> HandOut:
    """Read the answer to a registration, this goto's or the original's. Raises `BadInput` if it is not one."""
    try:
        document: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadInput("did not answer with a JSON object: is it a registry?")
    given = {key.lower(): value for key, value in document.items()}
    targets = given.get("targets")
    if "targets" not in given or not isinstance(targets, dict | None):
        raise BadInput("answered without targets: is it a registry?")
    epoch, revision = given.get("epoch"), given.get("revision")
    hand_out = HandOut(Source(label))
    if isinstance(epoch, str) and epoch and type(revision) is int:
        hand_out.source = Source(label, epoch, revision)
    for name, wire in (targets or {}).items():
        try:
            target, _ = read_struct(wire, ClientTarget, "target")
        except BadInput as error:
            hand_out.unread[name] = error.message
        else:
            hand_out.targets.append(target)
    return hand_out
