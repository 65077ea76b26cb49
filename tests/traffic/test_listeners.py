"""Listeners at run time."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.calls import call
from support.client import Client, get
from support.goto_process import Goto
from support.lab import Lab, in_lab
from support.ports import free_port
from support.site import Site
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually

from goto.errors import Conflict
from goto.hosts.standalone.host import StandaloneHost
from goto.traffic import listeners
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import ListenerSpec
from goto.words import Label, Port


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("first")


def refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def test_an_open_that_runs_out_of_files_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    """An https listener reads its files first."""

    def no_files(*_: object) -> None:
        raise OSError(24, "Too many open files", "/some/file")

    async def check(lab: Lab) -> None:
        lab.instance.listeners.add(ListenerSpec(Port(8081), "https", tls=None))
        monkeypatch.setattr(listeners, "server_context", no_files)
        answer = await lab.call("PUT", "/listeners/8081/open")
        assert (answer.status, answer.body) == (409, b"tls: Too many open files\n")
        assert not lab.instance.listeners.by_port[8081].open

    in_lab(check)


def test_the_life_of_a_listener(process: Goto) -> None:
    port = free_port()
    assert process.api("GET", "/listeners").json()[str(process.port)] == {
        "label": "first",
        "port": process.port,
        "protocol": "http",
        "open": True,
    }
    assert process.call("POST", "/listeners/add", {"port": port, "protocol": "HTTP", "label": "second"}).status == 200
    assert process.api("GET", "/listeners").json()[str(port)] == {
        "label": "second",
        "port": port,
        "protocol": "http",
        "open": False,
    }
    assert refused(port)
    again = process.call("POST", "/listeners/add", {"port": port, "label": "other"})
    assert (again.status, str(port) in again.text) == (202, True)
    process.api("PUT", f"/listeners/{port}/open")
    assert call(port, "GET", "/").value("via-goto") == "second"
    assert process.call("POST", f"/listeners/{port}/open").status == 409
    call(port, "PUT", "/request/headers/track/add/x")
    process.api("POST", f"/listeners/{port}/close")
    assert refused(port)
    assert process.call("PUT", f"/listeners/{port}/close").status == 409
    process.api("PUT", f"/listeners/{port}/open")
    assert call(port, "GET", "/request/headers/track").json() == ["x"]  # state survives
    process.api("PUT", f"/listeners/{port}/remove")
    assert refused(port)
    assert str(port) not in process.api("GET", "/listeners").json()
    for verb in ("open", "close", "remove"):
        assert process.call("PUT", f"/listeners/{port}/{verb}").status == 404
    process.api("POST", "/listeners/add", {"port": port})
    process.api("PUT", f"/listeners/{port}/open")
    assert call(port, "GET", "/request/headers/track").json() == []
    assert call(port, "GET", "/").value("via-goto") == str(port)
    process.api("PUT", f"/listeners/{port}/remove")


def test_a_port_that_cannot_be_bound_stays_closed_until_it_can(process: Goto) -> None:
    with socket.create_server(("0.0.0.0", free_port())) as taken:
        port = taken.getsockname()[1]
        process.api("POST", "/listeners/add", {"port": port})
        answer = process.call("PUT", f"/listeners/{port}/open")
        assert (answer.status, "Address already in use" in answer.text) == (409, True)
        assert process.api("GET", "/listeners").json()[str(port)]["open"] is False
    process.api("PUT", f"/listeners/{port}/open")
    assert call(port, "GET", "/status/202").status == 202


def test_one_that_the_system_chooses_the_port_of(process: Goto) -> None:
    answer = process.api("POST", "/listeners/add", {"port": 0, "open": True})
    found = re.fullmatch(r"Added and opened listener (\d+)\s*", answer.text)
    assert found
    port = int(found[1])
    state = {"label": str(port), "port": port, "protocol": "http", "open": True}
    assert process.api("GET", "/listeners").json()[str(port)] == state
    assert call(port, "GET", "/").value("via-goto") == str(port)
    process.api("PUT", f"/listeners/{port}/remove")


def test_port_0_needs_open(process: Goto) -> None:
    for more in ({}, {"open": False}):
        answer = process.call("POST", "/listeners/add", {"port": 0, **more})
        assert (answer.status, answer.text.startswith("port: 0 ")) == (400, True)


def test_one_that_cannot_be_opened_at_once_is_not_added(process: Goto) -> None:
    with socket.create_server(("0.0.0.0", free_port())) as taken:
        port = taken.getsockname()[1]
        answer = process.call("POST", "/listeners/add", {"port": port, "open": True})
        assert (answer.status, "Address already in use" in answer.text) == (409, True)
        assert str(port) not in process.api("GET", "/listeners").json()
    assert process.api("POST", "/listeners/add", {"port": port, "open": True}).status == 200
    assert process.call("POST", "/listeners/add", {"port": port, "open": True}).status == 202
    process.api("PUT", f"/listeners/{port}/remove")


def test_the_last_open_one_stays(goto: Callable[..., Goto]) -> None:
    alone = goto("alone")
    for verb in ("close", "remove"):
        answer = alone.call("PUT", f"/listeners/{alone.port}/{verb}")
        assert (answer.status, "last open" in answer.text) == (409, True)
    closed = free_port()
    alone.api("POST", "/listeners/add", {"port": closed})
    assert alone.call("PUT", f"/listeners/{alone.port}/close").status == 409
    assert alone.api("PUT", f"/listeners/{closed}/remove").status == 200


def test_a_listener_closes_through_itself(process: Goto) -> None:
    site = Site(process)
    with site.client() as client:
        client.send(get(f"/listeners/{site.port}/close", method="PUT", body=b"") + get("/status/202"))
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (200, "close")
        assert client.rest() == b""
    assert refused(site.port)


def test_close_ends_idle_connections_and_lets_exchanges_finish(process: Goto, upstream: Upstream) -> None:
    with held() as event:
        upstream.on("/held", Reply(hold=event))
        site = Site(process)
        site.target(upstream.port, "/held")
        site.api("PUT", "/request/timeout/track/all")
        with site.client() as idle, site.client() as kept, site.client() as busy, site.client() as part, site.client() as upload:
            kept.send(get("/"))
            kept.answer()
            part.send(b"GET / HTTP/1.1\r\nHost")
            busy.send(get("/held"))
            upload.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
            upstream.take(1)
            process.api("PUT", f"/listeners/{site.port}/close")
            assert refused(site.port)
            assert (idle.rest(), kept.rest(), part.rest()) == (b"", b"", b"")
            upload.send(b"llo" + get("/late"))
            answer = upload.answer()
            assert (answer.json()["RequestBody"], answer.value("connection")) == ("hello", "close")
            assert upload.rest() == b""
            busy.send(get("/late"))
            event.set()
            answer = busy.answer()
            assert (answer.status, answer.value("connection")) == (200, "close")
            assert busy.rest() == b""
        process.api("PUT", f"/listeners/{site.port}/open")
        site.ended(completed=3)
        assert "/late" not in "".join(site.log())


def test_no_request_is_answered_once_close_has_answered(process: Goto) -> None:
    """Whatever clients do meanwhile: what they get after the call's answer is nothing."""
    site = Site(process)
    closed = threading.Event()
    late: list[int] = []

    def knock() -> None:
        while not closed.is_set():
            try:
                with Client(site.port) as client:
                    for _ in range(50):
                        before = closed.is_set()
                        client.send(get("/"))
                        status = client.answer().status
                        if before and status:
                            late.append(status)
                        if not status:
                            break
            except OSError:
                pass

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        eventually(lambda: len(site.log()) > 20)
        process.api("PUT", f"/listeners/{site.port}/close")
        with pytest.raises(OSError, match=r"."):
            call(site.port, "GET", "/")
        process.api("PUT", f"/listeners/{site.port}/open")
    process.api("PUT", f"/listeners/{site.port}/close")
    closed.set()
    for thread in threads:
        thread.join()
    assert late == []


def test_a_port_is_usable_again_at_once(process: Goto) -> None:
    site = Site(process)
    for _ in range(20):
        assert site.call("GET", "/status/202").status == 202
        process.api("PUT", f"/listeners/{site.port}/close")
        process.api("PUT", f"/listeners/{site.port}/open")


# ---------------------------------------------------------------- calls at the same time
def host_with(check: Callable[[StandaloneHost, Port], Any]) -> None:
    async def run() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        await host.instance.listeners.start(ListenerSpec(free_port()))
        port = Port(free_port())
        host.instance.listeners.add(ListenerSpec(port, label=Label("x")))
        try:
            await asyncio.wait_for(check(host, port), PATIENCE)
        finally:
            await host.stop(1)

    asyncio.run(run())


@pytest.mark.parametrize("verb", ["close", "remove"])
def test_a_listener_may_be_ended_while_it_opens(verb: str) -> None:
    async def check(host: StandaloneHost, port: Port) -> None:
        listeners = host.instance.listeners
        opening = asyncio.ensure_future(listeners.open(port))
        await asyncio.sleep(0)
        await getattr(listeners, verb)(port)
        await asyncio.gather(opening, return_exceptions=True)
        # whoever came last won, and nothing is left behind
        assert refused(port)
        if verb == "remove":
            listeners.add(ListenerSpec(port))
        await listeners.open(port)
        assert not refused(port)

    host_with(check)


def test_of_two_calls_that_open_one_is_refused() -> None:
    async def check(host: StandaloneHost, port: Port) -> None:
        listeners = host.instance.listeners
        outcomes = await asyncio.gather(listeners.open(port), listeners.open(port), return_exceptions=True)
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
        assert not refused(port)

    host_with(check)


def test_one_that_fails_to_open_does_not_count_as_the_last_open_one() -> None:
    async def check(host: StandaloneHost, port: Port) -> None:
        listeners = host.instance.listeners
        assert listeners.first is not None
        with socket.create_server(("127.0.0.1", port)):
            opening = asyncio.ensure_future(listeners.open(port))
            await asyncio.sleep(0)
            with pytest.raises(Conflict):
                await listeners.close(Port(listeners.first.port))
            with pytest.raises(Conflict):
                await opening

    host_with(check)


def test_one_is_carried_as_the_listener_that_it_was_added_through() -> None:
    async def test(lab: Lab) -> None:
        lab.first.mode = "regular@"
        by_port = lab.instance.listeners.by_port
        await lab.api("/listeners/add", '{"port": 81}')
        by_port[81].mode = "reverse:http://up@"
        await lab.api("/goto/port/81/listeners/add", '{"port": 82}')
        await lab.api("/goto/port/81/goto/config", "listeners: [{port: 83, open: false}]")
        await lab.api("/goto/config", "listeners: [{port: 84, open: false}]")
        await lab.apply("", "listeners: [{port: 85, open: false}]")  # as a file is: the host decides
        assert {port: listener.mode for port, listener in by_port.items() if 81 < port < 90} == {
            82: "reverse:http://up@",
            83: "reverse:http://up@",
            84: "regular@",
            85: "",
        }

    in_lab(test)
