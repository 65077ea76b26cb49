"""An instance that serves on no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, TypeVar

from goto.config.dump import data_of
from goto.config.keys import Keys
from goto.exchange.waiting import step_in_task
from goto.feature import ABILITIES, Feature
from goto.features import FEATURES
from goto.flow import Flow, Headers, Request, Response
from goto.instance.wiring import Instance, config_keys
from goto.traffic.listener import Listener, ListenerSpec
from goto.traffic.listeners import Load
from support.documents import document

T = TypeVar("T")
FIRST = 8080


class Carrier:
    """Carries nothing; refuses the ports that it is told to."""

    protocols: ClassVar[tuple[str, ...]] = ("http", "https")
    elsewhere: ClassVar[dict[str, str]] = {}
    name: ClassVar[str] = "lab"
    abilities: ClassVar[frozenset[str]] = ABILITIES

    def __init__(self) -> None:
        self.refused: set[int] = set()
        self.open_ports: set[int] = set()

    def loads(self) -> dict[Listener, Load]:
        return {}

    async def open(self, listener: Listener) -> None:
        if listener.port in self.refused:
            raise OSError(98, "Address already in use")
        self.open_ports.add(listener.port)

    async def close(self, listener: Listener) -> None:
        self.open_ports.discard(listener.port)


class Lab:
    """An instance with a first listener, and its configuration."""

    def __init__(self, features: Sequence[type[Feature]] = FEATURES) -> None:
        self.carrier = Carrier()
        self.instance = Instance(self.carrier, features)
        self.first = self.instance.listeners.adopt(ListenerSpec(FIRST))
        self.carrier.open_ports.add(FIRST)
        self.config = self.instance.config

    async def call(self, method: str, path: str, body: bytes | str = b"", headers: dict[str, str] | None = None) -> Response:
        """A management call through the first listener."""
        fields = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        request = Request(method, path, Headers(fields))
        management = self.instance.management
        asked = management.find(self.first, request)
        assert asked is not None, f"there is no route {path}"
        served = await step_in_task(
            management.serve(management.admit(asked), Flow(request), body.encode() if isinstance(body, str) else body)
        )
        assert isinstance(served, Response)
        return served

    async def api(self, path: str, body: bytes | str = b"", method: str = "POST") -> str:
        """One that must succeed; its text."""
        answer = await self.call(method, path, body)
        assert answer.status in (200, 202), answer.body.decode()
        return answer.body.decode()

    async def post(self, text: str | bytes, *, replace: bool = False) -> Response:
        return await self.call("POST", "/goto/config" + ("?replace=y" if replace else ""), text)

    async def apply(self, old: str, new: str) -> list[str]:
        """The difference between two documents, as a reload makes it."""
        return await self.config._applier().apply(document(old), document(new))

    async def text(self) -> bytes:
        return (await self.call("GET", "/goto/config")).body

    def state(self) -> dict[str, Any]:
        return data_of(self.config._applier().present(), self.keys)

    @property
    def keys(self) -> Keys:
        return config_keys(self.instance.features)

    def feature(self, name: str, port: int = FIRST) -> Any:
        listener = self.instance.listeners.by_port[port]
        return next(feature for feature in listener.features if feature.name == name)


def in_lab(test: Callable[..., Awaitable[T]], *args: Any, features: Sequence[type[Feature]] = FEATURES) -> T:
    """Run a test with a lab, which ends with it."""

    async def run() -> T:
        lab = Lab(features)
        try:
            return await test(lab, *args)
        finally:
            await lab.instance.stop()

    return asyncio.run(run())
