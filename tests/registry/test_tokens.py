"""A registry and its workers that show each other a token, as real processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from support.calls import call
from support.goto_process import Goto
from support.ports import free_port
from support.upstream import Reply, Upstream
from support.waiting import eventually

ADMIN, WORKERS, PEER = "admin-s3cr3t", "workers-s3cr3t", "peer-s3cr3t"
BOTH = {"GOTO_ADMIN_TOKEN": ADMIN, "GOTO_REGISTRY_TOKEN": PEER}
TARGET = {"name": "t", "method": "GET", "url": "http://127.0.0.1:1/"}


def shows(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def registry(goto: Callable[..., Goto]) -> Goto:
    return goto("registry", env=BOTH)


@pytest.fixture
def worker(registry: Goto) -> Iterator[Goto]:
    env = {"GOTO_ADMIN_TOKEN": WORKERS, "GOTO_REGISTRY_TOKEN": PEER, "POD_IP": "127.0.0.1"}
    with Goto("worker", "--registry", registry.base, env=env) as process:
        eventually(lambda: [peer["name"] for peer in peers(registry)], lambda names: names == ["worker"])
        yield process
    assert peers(registry) == []


def peers(registry: Goto) -> list[dict[str, str]]:
    found: list[dict[str, str]] = registry.call("GET", "/registry/peers", headers=shows(ADMIN)).json()
    return found


def test_registering_pushing_collecting_and_deregistering(registry: Goto, worker: Goto, upstream: Upstream) -> None:
    target = {**TARGET, "url": upstream.base, "autoInvoke": True, "requestCount": 3}
    done = registry.call("POST", "/registry/peers/worker/targets/add", target, headers=shows(ADMIN))
    assert done.text == "Added target t of worker\n"
    upstream.take(3)
    results = eventually(
        lambda: registry.call("GET", "/registry/results", headers=shows(ADMIN)).json(),
        lambda results: results["countsByStatusCodes"] == {"200": 3},
    )
    assert results["peers"] == {"answered": [f"127.0.0.1:{worker.port}"], "unanswered": {}}
    assert worker.call("GET", "/client/targets", headers=shows(WORKERS)).json().keys() == {"t"}
    # the token of peers opens what peers ask of each other, and no more
    for process, method, path in (
        (worker, "GET", "/client/targets"),
        (worker, "POST", "/client/targets/t/invoke"),
        (worker, "GET", "/goto/config"),
        (registry, "GET", "/registry/peers"),
        (registry, "POST", "/registry/peers/worker/targets/add"),
        (registry, "POST", "/registry/peers/clear"),
    ):
        assert process.call(method, path, headers=shows(PEER)).status == 401, path
    assert registry.call("PUT", "/registry/peers/worker/targets/t/remove", headers=shows(ADMIN)).status == 200
    assert worker.call("GET", "/client/targets", headers=shows(WORKERS)).json() == {}


@pytest.mark.parametrize("env", [{}, {"GOTO_REGISTRY_TOKEN": "another"}])
def test_a_worker_that_shows_none_or_another_is_refused(registry: Goto, env: dict[str, str]) -> None:
    with Goto("stranger", "--registry", registry.base, env={"POD_IP": "127.0.0.1", **env}) as worker:
        complaint = eventually(lambda: [line for line in worker.log.splitlines() if "cannot register" in line])[0]
        assert "answered 401: " in complaint
        assert peers(registry) == []


def test_a_push_that_is_refused_is_named(registry: Goto, goto: Callable[..., Goto]) -> None:
    worker = goto("closed", env={"GOTO_ADMIN_TOKEN": WORKERS})
    address = f"127.0.0.1:{worker.port}"
    registry.call("POST", "/registry/peers/add", {"name": "closed", "address": address}, headers=shows(ADMIN))
    done = registry.call("POST", "/registry/peers/closed/targets/add", TARGET, headers=shows(ADMIN))
    assert f"not yet taken by {address}" in done.text
    (peer,) = peers(registry)
    assert "answered 401: the token of this call" in json.dumps(peer)
    assert worker.call("GET", "/client/targets", headers=shows(WORKERS)).json() == {}
    registry.call("POST", "/registry/peers/clear", headers=shows(ADMIN))


def test_with_a_registry_token_alone_people_go_on_without(goto: Callable[..., Goto]) -> None:
    process = goto("peers-only", env={"GOTO_REGISTRY_TOKEN": PEER})
    registration = {"name": "w", "address": "127.0.0.1:1"}
    assert process.call("POST", "/registry/peers/add", registration).status == 401
    assert process.call("POST", "/registry/peers/add", registration, shows(PEER)).status == 200
    assert process.call("POST", "/registry/peers/w/remove/127.0.0.1:1").status == 401
    assert process.call("POST", "/registry/peers/w/remove/127.0.0.1:1", headers=shows(PEER)).status == 200
    assert process.call("POST", "/registry/peers/w/targets/add", TARGET).status == 200
    assert process.call("POST", "/client/targets/add", TARGET).status == 200
    pushed = {"Goto-Registry-Epoch": "e", "Goto-Registry-Revision": "1", "Goto-Registry-Label": "w"}
    assert process.call("POST", "/client/targets/add", {**TARGET, "name": "p"}, headers=pushed).status == 401
    assert process.call("POST", "/client/targets/add", {**TARGET, "name": "p"}, headers={**pushed, **shows(PEER)}).status == 200


@pytest.mark.parametrize("env", [{}, {"GOTO_REGISTRY_TOKEN": PEER}, {"GOTO_ADMIN_TOKEN": ADMIN}])
def test_what_goes_over_the_wire(env: dict[str, str], upstream: Upstream, goto: Callable[..., Goto]) -> None:
    """Towards the original, which knows no tokens, nothing is sent that was not sent before; and never the admin token."""
    wanted = ["Bearer " + PEER] if "GOTO_REGISTRY_TOKEN" in env else []
    upstream.on("/registry/peers/add", Reply(body=b'{"targets": {}, "jobs": {}}'))
    with Goto("sender", "--registry", upstream.base, env={"POD_IP": "127.0.0.1", **env}) as process:
        assert upstream.take(1)[0].values("authorization") == wanted
        me = {"name": "up", "address": f"127.0.0.1:{upstream.port}"}
        both = {**shows(env.get("GOTO_ADMIN_TOKEN", PEER))}
        process.call("POST", "/registry/peers/add", me, headers=both)
        process.call("POST", "/registry/peers/up/targets/add", TARGET, headers=both)
        process.call("PUT", "/registry/peers/up/targets/t/remove", headers=both)
        process.call("POST", "/registry/peers/up/targets/clear", headers=both)
        process.call("GET", "/registry/results", headers=both)
        for received in upstream.take(4):
            assert received.values("authorization") == wanted, received.target
    assert upstream.take(1)[0].values("authorization") == wanted


def test_a_worker_without_management_on_its_listener_is_reached_at_its_admin_port(registry: Goto) -> None:
    admin = free_port()
    env = {"GOTO_ADMIN_TOKEN": WORKERS, "GOTO_REGISTRY_TOKEN": PEER, "POD_IP": "127.0.0.1"}
    args = ("--registry", registry.base, "--no-admin", "--admin-port", str(admin), "--admin-host", "goto.test")
    with Goto("apart", *args, env=env):
        found = eventually(lambda: peers(registry), bool)
        assert [(peer["name"], peer["address"]) for peer in found] == [("apart", f"127.0.0.1:{admin}")]
        done = registry.call("POST", "/registry/peers/apart/targets/add", TARGET, headers=shows(ADMIN))
        assert done.text == "Added target t of apart\n"
        named = {**shows(WORKERS), "Host": "goto.test"}
        assert call(admin, "GET", "/client/targets", headers=named).json().keys() == {"t"}


@pytest.mark.parametrize("answer", ["json", "text", "no http"])
def test_a_peer_that_repeats_the_token_is_quoted_without_it(registry: Goto, upstream: Upstream, answer: str) -> None:
    def repeat(received: object) -> Reply:
        (shown,) = received.values("authorization")
        if answer == "no http":
            return Reply(verbatim=f"HTTP/1.1 200 OK\r\n{shown} and more\r\n\r\n".encode())
        return Reply(400, body=json.dumps({"error": f"you sent {shown}"}).encode() if answer == "json" else shown.encode())

    upstream.on("/client/targets/add", repeat)
    upstream.on("/client/results", repeat)
    me = {"name": "up", "address": f"127.0.0.1:{upstream.port}"}
    registry.call("POST", "/registry/peers/add", me, headers=shows(ADMIN))
    said = registry.call("POST", "/registry/peers/up/targets/add", TARGET, headers=shows(ADMIN)).text
    said += registry.call("GET", "/registry/peers", headers=shows(ADMIN)).text
    said += registry.call("GET", "/registry/results", headers=shows(ADMIN)).text
    registry.call("POST", "/registry/peers/clear", headers=shows(ADMIN))
    assert upstream.received
    assert PEER not in said + registry.log
    if answer != "no http":
        assert "Bearer ***" in said
