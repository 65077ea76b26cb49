"""Nodes of the typed client, and what sends their calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from support.goto_process import Goto

from goto.testing import ApiFailure, AsyncCalls, Calls, NotFound, Unauthorized


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("callers", env={"GOTO_ADMIN_TOKEN": "secret"})


@pytest.fixture(scope="module")
def calls(process: Goto) -> Iterator[Calls]:
    with Calls(process.base, token="secret") as calls:
        yield calls


def test_without_the_token(process: Goto):
    with Calls(process.base) as calls, pytest.raises(Unauthorized, match="token"):
        calls.label()


def test_any_path_may_be_called(calls: Calls):
    assert calls.request("PUT", "/label/set/größe x") == f"Port {calls._caller.connection.place.port} is labelled größe x"
    assert calls.request("GET", "/listeners") == calls.listeners()
    assert calls.request("POST", "/response/rules/add", json={"name": "r", "status": 503}) == "Added rule r"
    assert calls.request("POST", "/goto/config", body="label: callers\n").startswith("Configuration applied")
    with pytest.raises(NotFound, match="is no route"):
        calls.request("GET", "/goto/nothing")
    with pytest.raises(NotFound, match=r"^no route GET /response/delays; did you mean /response/delay\?$"):
        calls.request("GET", "/response/delays")  # which was answered as traffic


def test_a_port_is_another_listener(calls: Calls, process: Goto):
    port = int(calls.listeners.add(port=0, open=True, label="second").split()[-1])
    with Calls(process.base, token="secret", port=port) as second:
        assert second.label() == "Label: second"
    assert calls.label() == "Label: callers"
    calls.listeners.remove(port)
    with Calls(process.base, token="secret", port=port) as second, pytest.raises(NotFound, match="there is no listener"):
        second.label()


def test_what_is_awaited_does_the_same(process: Goto):
    async def run() -> None:
        calls = AsyncCalls(process.base, token="secret")
        assert await calls.request("GET", "/label") == await calls.label()
        async with AsyncCalls(process.base, token="secret") as calls:
            assert await calls.response.rules.add(name="awaited", status=503) == "Added rule awaited"
            assert (await calls.response.rules("awaited")).state == "active"
            assert "awaited" in await calls.response.rules()
            with pytest.raises(ApiFailure, match="status: 99"):
                await calls.response.status.set(99)

    asyncio.run(run())


def test_nodes_are_found_on_their_class_too():
    assert type(Calls.response).__name__ == "Under"
