"""What a process has once."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from goto.client.feature import Client
from goto.features.tracking import Tracking
from goto.instance.wiring import SERVICES, Instance, route_table
from goto.traffic.listener import Listener, ListenerSpec


class Nowhere:
    """Carries nothing."""

    protocols: ClassVar[tuple[str, ...]] = ("http",)
    name: ClassVar[str] = "nowhere"
    abilities: ClassVar[frozenset[str]] = frozenset(("close",))

    async def open(self, listener: Listener) -> None:
        pass

    async def close(self, listener: Listener) -> None:
        pass


def test_the_table_holds_services_listener_and_features() -> None:
    owners = {route.owner for route in route_table().routes}
    assert owners >= {*SERVICES, Listener, Tracking}


def test_each_path_and_method_is_served_once() -> None:
    seen = [(method, route.path) for route in route_table().routes for method in route.methods]
    assert len(seen) == len(set(seen))


def test_every_route_says_what_it_does() -> None:
    for route in route_table().routes:
        assert route.description.endswith("."), route.path


def test_listeners_share_upstream_and_name() -> None:
    async def check() -> None:
        instance = Instance(Nowhere())
        one = await instance.listeners.start(ListenerSpec(8080, label="edge"))
        assert (one.name, one.open, one.protocol) == ("edge", True, "http")
        assert one.identity[1] == (b"Goto-Host", instance.host.encode())
        assert one.feature(Client)._pool is instance.upstream.pool
        instance.about.ready = True
        await instance.stop()
        assert not instance.about.ready

    asyncio.run(check())


def test_stop_stops_what_features_run() -> None:
    async def check() -> None:
        instance = Instance(Nowhere())
        one = await instance.listeners.start(ListenerSpec(8080))
        stopped: list[Listener] = []
        one.stop = lambda: stopped.append(one)
        await instance.stop()
        assert stopped == [one]

    asyncio.run(check())


def test_there_is_one_of_each_service() -> None:
    async def check() -> None:
        instance = Instance(Nowhere())
        for kind in SERVICES:
            assert [type(part) for part in vars(instance).values()].count(kind) == 1, kind
        await instance.stop()

    asyncio.run(check())
