"""A registry and its workers, as processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from support.calls import call
from support.goto_process import Goto
from support.ports import free_port
from support.upstream import Reply, Upstream
from support.waiting import PATIENCE, eventually

from goto.client.target import ClientTarget
from goto.registry import peers as peers_module
from goto.registry import service as module
from goto.registry.address import Address
from goto.registry.service import PeerSpec, Registry
from goto.upstream.answer import Upstream as Sender
from goto.words import Label, Name
from goto.words.reading import read_struct

Start = Callable[..., Goto]
LOCAL = {"POD_IP": "127.0.0.1"}
DEAD = "127.0.0.1:1"


@pytest.fixture(scope="module")
def registry(goto: Start) -> Goto:
    return goto("registry")


@pytest.fixture(autouse=True)
def nothing_left(registry: Goto) -> None:
    registry.api("POST", "/registry/peers/clear")


@pytest.fixture
def worker(registry: Goto) -> Iterator[Callable[..., Goto]]:
    """`worker(label, *args)` starts a worker of the registry, there when it has registered."""
    started: list[Goto] = []

    def start(label: str = "w", *args: str, of: Goto = registry, **how: Any) -> Goto:
        process = Goto(label, "--registry", of.base, *args, env=LOCAL, **how)
        started.append(process)
        eventually(lambda: (label, address(process)) in peers(of))
        return process

    yield start
    for process in started:
        if process.running:
            process.process.send_signal(signal.SIGCONT)
        process.stop()


def address(process: Goto) -> str:
    return f"127.0.0.1:{process.port}"


def peers(registry: Goto) -> list[tuple[str, str]]:
    return [(peer["name"], peer["address"]) for peer in registry.api("GET", "/registry/peers").json()]


def missed(registry: Goto, peer: str) -> list[tuple[str, str]]:
    [found] = [one for one in registry.api("GET", "/registry/peers").json() if one["address"] == peer]
    assert found["missedCount"] == len(found["missed"])
    return [(one["push"], one["target"]) for one in found["missed"]]


def target(name: str, url: str = "http://127.0.0.1:9/", **more: Any) -> dict[str, Any]:
    return {"name": name, "method": "GET", "url": url, **more}


def names(process: Goto) -> set[str]:
    return set(process.api("GET", "/client/targets").json())


def add(registry: Goto, label: str, *targets: dict[str, Any]) -> str:
    """The last answer."""
    text = ""
    for one in targets:
        text = registry.api("POST", f"/registry/peers/{label}/targets/add", one).text
    return text


# ---------------------------------------------------------------- peers
def test_peers_are_listed_each_once_with_a_time_and_what_they_missed(registry: Goto):
    for _ in range(2):
        registry.api("POST", "/registry/peers/add", {"Name": "w", "ADDRESS": "[0:0::1]:8080", "other": 1})
    [peer] = registry.api("GET", "/registry/peers").json()
    assert (peer["name"], peer["address"], peer["missed"], peer["missedCount"]) == ("w", "[::1]:8080", [], 0)
    assert peer["lastSeen"].endswith("Z")
    registry.api("PUT", "/registry/peers/w/remove/%5B::1%5D:8080")
    assert registry.api("GET", "/registry/peers").json() == []


def test_labels_and_addresses_are_percent_encoded(registry: Goto):
    registry.api("POST", "/registry/peers/add", {"name": "a/b, ü?", "address": "h:1"})
    registry.api("POST", "/registry/peers/a%2Fb%2C%20%C3%BC%3F/targets/add", target("x/y z"))
    assert "x/y z" in registry.api("GET", "/registry/peers/a%2Fb%2C%20%C3%BC%3F/targets").json()
    registry.api("PUT", "/registry/peers/a%2Fb%2C%20%C3%BC%3F/targets/x%2Fy%20z/remove")
    registry.api("POST", "/registry/peers/a%2Fb%2C%20%C3%BC%3F/remove/h%3A1")
    assert peers(registry) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "w"}, "address: missing"),
        ({"address": DEAD}, "name: missing"),
        ({"name": "", "address": DEAD}, "name: "),
        ({"name": None, "address": DEAD}, "name: "),
        ({"name": "w", "address": ""}, "address: must not be empty"),
        ({"name": "w", "address": "w:99999"}, "address: 99999 is not a port"),
        ({"name": "w", "address": "http://w"}, "address: "),
        ({"name": "w\n", "address": DEAD}, "name: control characters"),
        ({"name": 1, "address": DEAD}, "name: expected a string"),
        ([], "body: expected a JSON object"),
    ],
)
def test_a_peer_that_is_none_is_refused(registry: Goto, body: Any, field: str):
    answer = registry.call("POST", "/registry/peers/add", body)
    assert answer.status == 400
    assert answer.text.startswith(field)
    assert peers(registry) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/registry/peers/w/remove/127.0.0.1:2"),
        ("POST", f"/registry/peers/v/remove/{DEAD}"),
        ("PUT", "/registry/peers/w/targets/t/remove"),
        ("PUT", "/registry/peers/v/targets/t/remove"),
        ("POST", "/registry/peers/v/targets/clear"),
    ],
)
def test_unknown_names_are_404(registry: Goto, method: str, path: str):
    registry.api("POST", "/registry/peers/add", {"name": "w", "address": DEAD})
    assert registry.call(method, path).status == 404
    assert peers(registry) == [("w", DEAD)]


def test_a_label_nobody_knows_has_no_targets(registry: Goto):
    assert registry.api("GET", "/registry/peers/nobody/targets").json() == {}


def test_clearing_the_peers_forgets_the_targets_too(registry: Goto):
    add(registry, "w", target("t"))
    registry.api("POST", "/registry/peers/add", {"name": "w", "address": DEAD})
    assert registry.api("POST", "/registry/peers/clear").text == "Cleared 1 peer and 1 target\n"
    assert registry.api("GET", "/registry/peers/w/targets").json() == {}
    answer = registry.api("POST", "/registry/peers/add", {"name": "w", "address": DEAD}).json()
    assert (answer["targets"], answer["jobs"]) == ({}, {})


def test_there_is_one_registry_whichever_port_is_called(registry: Goto):
    port = free_port()
    registry.api("POST", "/listeners/add", {"port": port})
    registry.api("PUT", f"/listeners/{port}/open")
    call(port, "POST", "/registry/peers/add", {"name": "w", "address": DEAD})
    assert peers(registry) == [("w", DEAD)]
    registry.api("PUT", f"/listeners/{port}/remove")


# ---------------------------------------------------------------- what is handed out
GO_KEYS: dict[str, type] = {
    "name": str,
    "method": str,
    "url": str,
    "body": str,
    "replicas": int,
    "requestCount": int,
    "delay": str,
    "requestTimeout": str,
    "connTimeout": str,
    "connIdleTimeout": str,
    "sendId": bool,
    "autoInvoke": bool,
}
"""The original's types; its reader ends with an error for another one, and takes what is missing for zero."""


def check_go_shape(wire: dict[str, Any]) -> None:
    assert {key: type(wire[key]) for key in GO_KEYS} == GO_KEYS
    assert wire["replicas"] >= 1
    assert wire["requestCount"] >= 1
    assert isinstance(wire["headers"], list)
    assert all(isinstance(pair, list) and list(map(type, pair)) == [str, str] for pair in wire["headers"])
    assert wire.get("bodyReader") is None
    assert not any(isinstance(value, dict) for value in wire.values())


def test_what_is_stored_handed_out_and_pushed_is_complete_and_typed_as_the_original_reads_it(registry: Goto, upstream: Upstream):
    registry.api("POST", "/registry/peers/add", {"name": "w", "address": f"127.0.0.1:{upstream.port}"})
    wires = [
        target("bare"),
        target(
            "full", headers=[["x", "1"], ["x", "2"]], replicas=2, delay="10ms", requestTimeout="1m", sendID=True, autoInvoke=True
        ),
        target("null", headers=None, bodyReader=None, delay="", requestTimeout="", connTimeout=None, replicas=0, requestCount=0),
    ]
    add(registry, "w", *wires)
    stored = registry.api("GET", "/registry/peers/w/targets").json()
    assert list(stored) == ["bare", "full", "null"]
    answer = registry.api("POST", "/registry/peers/add", {"name": "w", "address": DEAD}).json()
    assert answer["targets"] == stored
    assert answer["jobs"] == {}
    assert isinstance(answer["epoch"], str)
    assert type(answer["revision"]) is int
    received = upstream.take(3)
    assert [one.target for one in received] == ["/client/targets/add"] * 3
    pushed = [json.loads(one.body) for one in received]
    assert pushed == list(stored.values())
    for wire in pushed:
        check_go_shape(wire)
    assert stored["full"]["headers"] == [["x", "1"], ["x", "2"]]
    assert (stored["full"]["delay"], stored["full"]["requestTimeout"]) == ("10ms", "1m0s")


def test_bad_targets_are_refused_and_pushed_to_nobody(registry: Goto, upstream: Upstream):
    registry.api("POST", "/registry/peers/add", {"name": "w", "address": f"127.0.0.1:{upstream.port}"})
    for bad in ({"name": "t"}, target("a,b"), target("t", replicas=-1), target("t", url="x"), target("t", delay="soon")):
        assert registry.call("POST", "/registry/peers/w/targets/add", bad).status == 400
    assert registry.api("GET", "/registry/peers/w/targets").json() == {}
    upstream.take(0)


# ---------------------------------------------------------------- workers
def test_a_worker_gets_the_targets_of_its_label_and_invokes_those_marked(
    registry: Goto, worker: Callable[..., Goto], upstream: Upstream
):
    add(registry, "w", target("auto", upstream.base + "/auto", autoInvoke=True, requestCount=2), target("plain", upstream.base))
    add(registry, "v", target("other"))
    one = worker("w")
    eventually(lambda: names(one), lambda found: found == {"auto", "plain"})
    assert [request.path for request in upstream.take(2)] == ["/auto"] * 2
    add(registry, "w", target("late", upstream.base + "/late", autoInvoke=True))
    assert [request.path for request in upstream.take(1)] == ["/late"]
    add(registry, "w", target("late", upstream.base + "/late", autoInvoke=True))
    add(registry, "w", target("late", upstream.base + "/changed", autoInvoke=True))
    assert [request.path for request in upstream.take(1)] == ["/changed"], "unchanged is not invoked again, changed is"
    registry.api("PUT", "/registry/peers/w/targets/late/remove")
    assert names(one) == {"auto", "plain"}
    one.api("POST", "/client/targets/add", target("mine"))
    registry.api("POST", "/registry/peers/w/targets/clear")
    assert names(one) == {"mine"}, "only what came from the registry is removed by it"


def test_a_target_added_at_the_worker_is_not_replaced(registry: Goto, worker: Callable[..., Goto]):
    one = worker("w")
    one.api("POST", "/client/targets/add", target("t", "http://127.0.0.1:9/mine"))
    assert f"(not yet taken by {address(one)})" in add(registry, "w", target("t", "http://127.0.0.1:9/theirs"))
    assert missed(registry, address(one)) == [("add", "t")]
    assert one.api("GET", "/client/targets").json()["t"]["url"] == "http://127.0.0.1:9/mine"
    registry.api("PUT", "/registry/peers/w/targets/t/remove")
    assert names(one) == {"t"}
    assert missed(registry, address(one)) == []


def test_an_older_push_is_dropped(registry: Goto, worker: Callable[..., Goto]):
    one = worker("w")

    def pushed(revision: int, *words: str, body: Any = None, epoch: str = "e") -> int:
        headers = {"Goto-Registry-Epoch": epoch, "Goto-Registry-Revision": str(revision), "Goto-Registry-Label": "w"}
        return one.call("POST", "/".join(("/client/targets", *words)), body, headers).status

    assert pushed(5, "add", body=target("t")) == 200
    assert pushed(7, "t", "remove") == 200
    assert pushed(6, "add", body=target("t")) == 202
    assert names(one) == set()
    assert pushed(1, "add", body=target("t"), epoch="f") == 200
    assert pushed(8, "clear") == 200
    assert names(one) == set()
    assert one.call("POST", "/client/targets/add", target("t"), {"Goto-Registry-Epoch": "e"}).status == 400


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_deregisters_itself_and_no_other(registry: Goto, worker: Callable[..., Goto], sig: int):
    one, two = worker("w"), worker("w")
    one.stop(sig)
    assert peers(registry) == [("w", address(two))]


def test_a_worker_without_a_label_goes_by_its_port(registry: Goto):
    port = str(free_port())
    command = [sys.executable, "-m", "goto", "--port", port, "--registry", registry.base]
    process = subprocess.Popen(command, env={**os.environ, **LOCAL}, stdout=subprocess.DEVNULL)
    eventually(lambda: peers(registry), lambda found: found == [(port, f"127.0.0.1:{port}")])
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert peers(registry) == []


@pytest.mark.parametrize("given", ["[::1]:{port}", "localhost:{port}"])
def test_the_address_can_be_given(registry: Goto, worker: Callable[..., Goto], given: str):
    if given.startswith("[") and not _has_v6():
        pytest.skip("no IPv6 here")
    port = free_port()
    process = Goto("w", "--registry", registry.base, "--address", given.format(port=port), port=port)
    with process:
        eventually(lambda: peers(registry), lambda found: found == [("w", given.format(port=port))])
        add(registry, "w", target("t"))
        assert names(process) == {"t"}
    assert peers(registry) == []


def _has_v6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_worker_before_its_registry_and_the_end_without_it(upstream: Upstream):
    port = free_port()
    one = Goto("w", "--registry", f"http://127.0.0.1:{port}", env=LOCAL)
    eventually(lambda: "cannot register with" in one.log)
    assert one.call("GET", "/x").status == 200
    first = Goto("registry", port=port)
    add(first, "w", target("t", upstream.base + "/t", autoInvoke=True))
    eventually(lambda: names(one), lambda found: found == {"t"})
    upstream.take(1)
    first.kill()
    log = one.stop()
    assert "cannot deregister" in log
    assert log.count("cannot register") == 1


# ---------------------------------------------------------------- pushes to the dead, the slow and the stopped
def test_nobody_waits_for_the_dead_and_the_silent(registry: Goto, worker: Callable[..., Goto]):
    one = worker("w")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hung = f"127.0.0.1:{silent.getsockname()[1]}"
        for peer in (DEAD, hung):
            registry.api("POST", "/registry/peers/add", {"name": "w", "address": peer})
        started = time.monotonic()
        text = registry.api("POST", "/registry/peers/w/targets/add", target("t0")).text
        assert time.monotonic() - started < 4
        assert f"Added target t0 of w (not yet taken by {DEAD}, {hung})" in text
        for number in range(1, 10):
            text = add(registry, "w", target(f"t{number}"))
            assert names(one) == {f"t{n}" for n in range(number + 1)}
        assert time.monotonic() - started < 8, "the same slow one is waited for again and again"
        for peer in (DEAD, hung):
            assert missed(registry, peer) == [("add", f"t{n}") for n in range(10)]
        for number in range(1, 10):
            registry.api("PUT", f"/registry/peers/w/targets/t{number}/remove")
        assert missed(registry, DEAD) == [("add", "t0"), *(("remove", f"t{n}") for n in range(1, 10))]
        registry.api("POST", "/registry/peers/w/targets/clear")
        assert missed(registry, DEAD) == [("clear", "")]
        reasons = {one["reason"] for peer in registry.api("GET", "/registry/peers").json() for one in peer["missed"]}
        assert any("cannot connect" in reason for reason in reasons)
        registry.api("PUT", f"/registry/peers/w/remove/{DEAD}")
        assert (f"w{DEAD}" in str(peers(registry)), missed(registry, hung)) == (False, [("clear", "")])


def test_one_killed_and_one_stopped_among_four(registry: Goto, worker: Callable[..., Goto], upstream: Upstream):
    """The others have every target within a second; the stopped one catches up; nothing that was removed comes back."""
    first, second, killed, stopped = (worker("w") for _ in range(4))
    add(registry, "w", target("before"))
    assert all(names(one) == {"before"} for one in (first, second, killed, stopped))
    killed.kill()
    stopped.process.send_signal(signal.SIGSTOP)

    done = threading.Event()
    seen: list[set[str]] = []

    def watch() -> None:
        while not done.is_set():
            seen.append(names(first))
            time.sleep(0.02)

    watching = threading.Thread(target=watch)
    watching.start()
    for number in range(12):
        started = time.monotonic()
        add(registry, "w", target(f"t{number}", upstream.base + f"/t{number}", autoInvoke=number % 3 == 0))
        wanted = {"before", *(f"t{n}" for n in range(number + 1) if n % 2)} | {f"t{number}"}
        for one in (first, second):
            eventually(lambda one=one: names(one), lambda found, wanted=wanted: found == wanted, 4)
        assert time.monotonic() - started < 4
        if number % 2 == 0:
            registry.api("PUT", f"/registry/peers/w/targets/t{number}/remove")
    # long enough for tries at the stopped one to be given up and to lie in its backlog
    time.sleep(6)
    registry.api("PUT", "/registry/peers/w/targets/before/remove")
    done.set()
    watching.join()
    final = {f"t{n}" for n in range(12) if n % 2}
    assert all(names(one) == final for one in (first, second))

    stopped.process.send_signal(signal.SIGCONT)
    eventually(lambda: names(stopped), lambda found: found == final, 15)
    eventually(lambda: missed(registry, address(stopped)), lambda left: left == [])
    for _ in range(20):
        assert names(stopped) == final
        time.sleep(0.05)
    gone: set[str] = set()
    for before, after in pairwise(seen):
        gone |= before - after
        assert not gone & after, "a removed target came back"

    # each target marked runs once at each worker that had it: the stopped one never saw t0 and t6, which were removed meanwhile
    def ran() -> dict[str, int]:
        return {name: sum(1 for one in upstream.received if one.path == f"/{name}") for name in ("t0", "t3", "t6", "t9")}

    counts = eventually(ran, lambda counts: counts["t3"] >= 3 <= counts["t9"])
    assert (counts["t3"], counts["t9"]) == (3, 3)
    assert 2 <= counts["t0"] <= 3
    assert 2 <= counts["t6"] <= 3


def test_two_labels_at_one_address(registry: Goto, worker: Callable[..., Goto]):
    one = worker("w")
    registry.api("POST", "/registry/peers/add", {"name": "v", "address": address(one)})
    add(registry, "w", target("both", "http://127.0.0.1:9/w"), target("w"))
    add(registry, "v", target("both", "http://127.0.0.1:9/v"), target("v"))
    assert names(one) == {"both", "w", "v"}
    registry.api("PUT", "/registry/peers/v/targets/both/remove")
    assert one.api("GET", "/client/targets").json()["both"]["url"] == "http://127.0.0.1:9/w"
    registry.api("POST", "/registry/peers/w/targets/clear")
    assert names(one) == {"v"}


def test_removals_do_not_pile_up_for_one_that_takes_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_OUTDATED", 5)

    async def main() -> None:
        sender = Sender()
        registry = Registry(sender)
        label = Label("w")
        registry.add_peer(PeerSpec(label, Address.parse(DEAD)))
        for number in range(40):
            one, _ = read_struct(target(f"t{number}"), ClientTarget)
            await registry.add_target(label, one)
            if number % 4:
                await registry.remove_target(label, Name(one.name))
        [peer] = registry.list_peers()
        assert peer["missedCount"] <= 10 + 1 + 1 + 5
        told = [(miss["push"], miss["target"]) for miss in peer["missed"]]
        assert told[0] == ("clear", "")
        left = [name for kind, name in told if kind == "add"]
        assert left == list(registry.list_targets(label)) == [f"t{n}" for n in range(0, 40, 4)]
        registry.stop()
        await sender.close()

    asyncio.run(main())


# ---------------------------------------------------------------- results
def test_results_of_all_peers_as_one(registry: Goto, worker: Callable[..., Goto], upstream: Upstream):
    upstream.on("/t", Reply(418, b"", reason="I'm a teapot"))
    one, two = worker("w"), worker("v")
    for label, count in (("w", 3), ("v", 4)):
        add(registry, label, target("t", upstream.base + "/t", autoInvoke=True, requestCount=count))
    registry.api("POST", "/registry/peers/add", {"name": "x", "address": DEAD})
    registry.api("POST", "/registry/peers/add", {"name": "x", "address": address(one)})

    def results() -> dict[str, Any]:
        found: dict[str, Any] = registry.api("GET", "/registry/results").json()
        return found

    found = eventually(results, lambda found: found["targetInvocationCounts"].get("t") == 7)
    assert found["countsByTargetStatus"] == {"t": {"418 I'm a teapot": 7}}
    assert found["all"]["latency"]["raw"]["count"] == 7
    assert found["peers"]["answered"] == [address(one), address(two)]
    assert list(found["peers"]["unanswered"]) == [DEAD]
    assert "histograms" not in found
    assert "t" in registry.api("GET", "/registry/results?histograms=y").json()["histograms"]


# ---------------------------------------------------------------- the command
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--registry", "reg:8080"], "argument --registry: 'reg:8080' is not an http or https URL"),
        (["--registry", "http://reg:8080", "--address", "a b"], "argument --address: 'a b' is not a valid address"),
        (["--address", "10.0.0.7:8080"], "--address: says what is registered, so it needs a registry"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_status_2(args: list[str], says: str):
    ended = subprocess.run([sys.executable, "-m", "goto", "--port", "12001", *args], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"goto: {says}")
    assert ended.stderr.count("\n") == 1


def test_a_worker_that_is_silent_is_forgotten_and_one_that_registers_once_stays(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(peers_module, "SILENT_SECONDS", 0.05)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    worker, original, named = (Address.parse(f"127.0.0.1:{port}") for port in (1, 2, 3))

    async def main() -> list[str]:
        sender = Sender()
        registry = Registry(sender)
        await registry.configure_peers([PeerSpec(Label("w"), named)])
        for address in (worker, original, worker):
            registry.add_peer(PeerSpec(Label("w"), address))
        while worker in registry.peers.addresses("w"):
            await asyncio.sleep(0.005)
        assert registry._looking is None
        left = [str(address) for address in registry.peers.addresses("w")]
        registry.stop()
        await sender.close()
        return left

    assert asyncio.run(asyncio.wait_for(main(), PATIENCE)) == [named, original]
    assert [record.getMessage() for record in caplog.records] == [
        f"peer w at {worker} is forgotten: nothing was heard of it for 5m0s"
    ]
