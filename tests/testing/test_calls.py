"""The typed client, which is written from the table of routes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import ROOT, client_code
from support.goto_process import Goto
from support.upstream import Reply, Upstream

from goto.features.rules.rule import Rule
from goto.instance.wiring import route_table
from goto.testing import BadInput, Calls, Conflict, NotFound
from goto.testing import calls as written
from goto.testing.routes import Route
from goto.words.reading import read_struct


@pytest.fixture(scope="module")
def calls(goto: Callable[..., Goto]) -> Iterator[Calls]:
    with Calls(goto("calls").base) as calls:
        yield calls


@pytest.mark.parametrize("file", client_code.WRITTEN, ids=lambda file: file.name)
def test_what_is_written_is_as_it_would_be(file: Path):
    assert file.read_text() == client_code.WRITTEN[file](), "write it anew: make client"


def test_every_method_of_the_api_has_a_route_in_the_client():
    there = {route.path for route in vars(written).values() if isinstance(route, Route)}
    served = {(route.owner, route.method): [] for route in route_table().routes}
    for route in route_table().routes:
        served[route.owner, route.method].append(route.path)
    assert [paths for paths in served.values() if not there & set(paths)] == []


def test_words_become_arguments(calls: Calls):
    assert calls.response.delay.set("200ms:5") == "Response delay: 200ms for the next 5"
    assert calls.response.delay().startswith("Response delay: 200ms")
    calls.response.delay.clear()
    assert calls.response.headers.set("x", "a/b") == "Set response header x: a/b"
    assert calls.response.headers.set() == {"x": "a/b"}
    assert calls.response.headers() == {"x": ["a/b"]}
    calls.response.headers.clear()
    assert calls.response.status.set(503)
    calls.response.status.clear()


def test_structs_and_typed_dicts(calls: Calls):
    assert calls.response.rules.add(name="a", when={"uris": ["/a"]}, status=503, count=2, for_=60).startswith("Added rule a")
    rule, _ = read_struct({"name": "b", "abort": "reset"}, Rule)
    assert calls.response.rules.add(rule) == "Added rule b"
    rules = calls.response.rules()
    assert list(rules) == ["a", "b"]
    assert (rules["a"].count, str(rules["a"].for_), rules["b"].abort) == (2, "1m0s", "reset")
    assert [line["n"] for line in calls.response.rules.plan("a", count=3)] == [0, 1, 2]
    assert calls.response.rules.disable.all() == "Disabled all rules"
    assert calls.response.rules("a").state == "disabled"
    calls.response.rules.clear()
    assert calls.response.status.counts(200)["status"] == 200


def test_bodies_and_queries(calls: Calls):
    assert calls.goto.config(body={"label": "again"}).startswith("Configuration applied")
    assert calls.goto.config()["label"] == "again"
    assert calls.request.uri.bypass.add("/b?c=d")
    assert calls.request.uri.bypass.counts("/b?c=d") == 0
    assert calls.request.uri.bypass()["Uris"] == {"/b?c=d": 0}
    calls.request.uri.bypass.clear()


def test_what_is_handed_on_comes_back_as_it_is(calls: Calls, upstream: Upstream):
    upstream.on("/request/proxy/targets/t1,t2/invoke", Reply(503, b"busy"))
    calls.request.proxy.targets.add(name="t1", url=upstream.base, requestTimeout=2.5)
    assert str(calls.request.proxy.targets()["t1"].request_timeout) == "2.5s"
    answer = calls.request.proxy.targets.invoke(["t1"], body="hello", headers={"X": "1"})
    assert answer.status == 200
    (received,) = upstream.take(1)
    assert (received.body, received.values("x")) == (b"hello", ["1"])
    calls.request.proxy.targets.clear()


def test_errors(calls: Calls):
    with pytest.raises(BadInput, match="status: 99 is not a status"):
        calls.response.status.set(99)
    with pytest.raises(NotFound, match="flakey"):
        calls.response.rules("flakey")
    port = next(iter(calls.listeners()))
    with pytest.raises(Conflict, match="is open already"):
        calls.listeners.open(int(port))


WELL_TYPED = """
from goto.testing import AsyncCalls, Calls

calls = Calls("http://localhost:8080", token=None)
text: str = calls.response.delay.set("200ms")
rules = calls.response.rules()
matched: int = rules["a"].matched
one: int = calls.response.rules("a").struck
text = calls.response.rules.add(name="a", status=503, when={"uris": ["/a"]}, for_=1.5)
headers: dict[str, str] = calls.response.headers.set()
text = calls.response.headers.set("x", "1")

async def awaited(calls: AsyncCalls) -> int:
    return (await calls.response.rules("a")).struck
"""

ILL_TYPED = {
    'calls.response.rules.add(nam="a")': "nam",
    'calls.response.rules.add(name="a", count="two")': "overload",
    "calls.response.delay.set()": "delay",
    'calls.response.headers.set("x")': "overload",
    "calls.response.delays": "delays",
}


def test_mypy_knows_the_client(tmp_path: Path):
    file = tmp_path / "typed.py"
    file.write_text(WELL_TYPED + "\n".join(ILL_TYPED))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    found = {int(line.split(":")[1]): line for line in ran.stdout.splitlines() if ": error:" in line}
    first = WELL_TYPED.count("\n") + 1
    assert list(found) == list(range(first, first + len(ILL_TYPED))), ran.stdout + ran.stderr
    for word, line in zip(ILL_TYPED.values(), found.values(), strict=True):
        assert word in line
