"""A port for management calls alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.calls import call
from support.client import Client, get
from support.goto_process import Goto
from support.ports import free_port
from support.upstream import Upstream


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> tuple[Goto, int]:
    admin = free_port()
    return goto("first", "--admin-port", str(admin)), admin


def test_a_call_acts_on_the_first_listener(process: tuple[Goto, int]) -> None:
    first, admin = process
    answer = call(admin, "GET", "/label")
    assert (answer.text, answer.value("via-goto")) == ("Label: first\n", "first")
    assert call(admin, "PUT", "/response/headers/add/z/1").status == 200
    assert first.call("GET", "/x").value("z") == "1"
    assert call(admin, "GET", "/goto/health").value("z") is None
    first.api("POST", "/response/headers/clear")


def test_it_serves_nothing_else(process: tuple[Goto, int]) -> None:
    first, admin = process
    first.api("POST", "/response/status/counts/clear")
    for path in ("/x", "/status/200", "/echo", "/request/this"):
        answer = call(admin, "GET", path, headers={"Accept": "application/json"})
        assert answer.status == 404
        assert answer.json() == {"error": f"there is no route {path}, and this port serves nothing but the API"}
    assert call(admin, "DELETE", "/label").status == 405
    assert first.api("GET", "/response/status/counts").json()["countsByReportedStatus"] == {}


def test_another_listener_is_named_by_its_port(process: tuple[Goto, int]) -> None:
    _, admin = process
    other = free_port()
    call(admin, "POST", "/listeners/add", {"port": other, "label": "other"})
    assert call(admin, "PUT", f"/listeners/{other}/open").status == 200
    assert call(admin, "GET", f"/goto/port/{other}/label").text == "Label: other\n"
    assert call(admin, "GET", f"/goto/port/{free_port()}/label").status == 404
    call(admin, "PUT", f"/listeners/{other}/remove")


def test_bodies_limits_and_kept_connections_are_as_on_a_listener(process: tuple[Goto, int], upstream: Upstream) -> None:
    first, admin = process
    with Client(admin) as client:
        for _ in range(3):
            client.send(
                get("/request/proxy/targets/add", method="POST", body=b'{"name": "t", "url": "%b"}' % upstream.base.encode())
            )
            assert client.answer().status == 200
        client.send(get("/request/proxy/targets/t/invoke", method="POST", body=b"hello"))
        assert client.answer().body == b"hello\n"
        assert upstream.take(1)[0].body == b"hello"
        client.send(get("/request/proxy/targets/add", f"Content-Length: {2 << 20}", method="POST"))
        assert client.answer().status == 413
    first.api("PUT", "/request/proxy/targets/clear")


def test_it_stays_while_listeners_go(process: tuple[Goto, int]) -> None:
    first, admin = process
    other = free_port()
    call(admin, "POST", "/listeners/add", {"port": other})
    call(admin, "PUT", f"/listeners/{other}/open")
    assert call(admin, "PUT", f"/listeners/{first.port}/close").status == 200
    assert call(admin, "GET", "/label").text == "Label: first\n"
    assert call(admin, "PUT", f"/listeners/{first.port}/open").status == 200
    assert first.call("GET", "/x").status == 200
