"""The proxy feature: its routes, and what it decides."""

from __future__ import annotations

import time
from typing import Any

import pytest

from goto.api.table import RouteTable, remarks
from goto.errors import BadInput, Conflict, NotFound
from goto.features.proxy.feature import Proxy
from goto.features.proxy.target import ProxyTarget
from goto.flow import Call, Flow, Headers, Request
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener, ListenerSpec
from goto.upstream.answer import Upstream
from goto.words import Name, Names
from goto.words.reading import read_struct


def target(name: str, *uris: str, **given: Any) -> ProxyTarget:
    return read_struct({"name": name, "url": "http://up", "match": {"uris": list(uris)}, **given}, ProxyTarget)[0]


def proxy(*targets: ProxyTarget) -> Proxy:
    feature = Proxy()
    for each in targets:
        feature.add(each)
    return feature


def upstreams(feature: Proxy, path: str = "/", status: int | None = None) -> list[Call]:
    flow = Flow(Request("GET", path, Headers()))
    flow.status = status
    feature.request(flow)
    assert flow.decided == bool(flow.upstreams)
    return list(flow.upstreams)


def names(feature: Proxy, path: str = "/") -> list[str]:
    return [call.target for call in upstreams(feature, path)]


def manage(feature: Proxy, method: str, path: str, body: bytes = b"") -> Any:
    request = Request(method, path, Headers([(b"X", b"1")]))
    found = RouteTable([Proxy]).find(method, request.path)
    assert found
    route, words = found
    result, unknown = route.call(feature, Listener(ListenerSpec(1), "h", Upstream(), features=()), request, words, body)
    return remarks(result, unknown, [])[0]


def test_matching_traffic_is_sent_on_in_target_then_replica_order() -> None:
    feature = proxy(target("z", "/m", replicas=2), target("a", "/"), target("n", "/other"))
    assert [call.id for call in upstreams(feature, "/m")] == ["z[1][1]", "z[2][2]", "a[1][1]"]
    assert names(feature, "/x") == ["a"]


def test_other_traffic_and_a_forced_status_are_left_alone() -> None:
    feature = proxy(target("t", "/m"))
    assert upstreams(feature, "/x") == []
    assert upstreams(feature, "/m", status=503) == []
    assert names(feature, "/m") == ["t"]


def test_captures_reach_the_call() -> None:
    feature = proxy(target("t", "/foo/{x}/bar/{y}", replaceURI="/abc/{y:.*}/def/{x:.*}"))
    assert [call.path for call in upstreams(feature, "/foo/X/bar/Y")] == ["/abc/Y/def/X"]


def test_active_only_while_traffic_may_trigger_a_target() -> None:
    seen: list[bool] = []

    class Watched(Proxy):
        def changed(self) -> None:
            seen.append(self.active)

    feature = Watched()
    feature.add(target("by-hand"))
    feature.add(target("t", "/t"))
    feature.disable(Name("t"))
    feature.enable(Name("by-hand"))
    feature.enable(Name("t"))
    feature.add(target("t"))
    feature.add(target("t", "/t", enabled=False))
    feature.add(target("t", "/t"))
    feature.remove(Name("t"))
    feature.add(target("t", "/t"))
    feature.clear()
    assert seen == [False, True, False, False, True, False, False, True, False, True, False]


def test_changes_take_effect_at_the_next_request() -> None:
    feature = proxy(target("a", "/"))
    assert names(feature) == ["a"]
    feature.add(target("b", "/"))
    assert names(feature) == ["a", "b"]
    feature.disable(Name("a"))
    assert names(feature) == ["b"]
    feature.add(target("c", "/", enabled=False))
    assert names(feature) == ["b"]
    feature.enable(Name("a"))
    assert names(feature) == ["a", "b"]
    feature.remove(Name("b"))
    assert names(feature) == ["a"]
    feature.clear()
    assert names(feature) == []


def test_a_name_added_again_replaces_in_its_place() -> None:
    feature = proxy(target("a", "/"), target("b", "/"))
    assert names(feature) == ["a", "b"]
    assert feature.add(target("a", "/", "/new")).startswith("Replaced proxy target a (/new matches only /new itself; ")
    assert names(feature) == ["a", "b"]
    assert list(feature.targets()) == ["a", "b"]
    assert feature.targets()["a"].match.uris == ["/", "/new"]


def test_a_fallback_is_triggered_by_what_triggers_no_other() -> None:
    feature = proxy(target("f", "/", fallback=True), target("a", "/a/{x}"), target("g", "/{x:.*}", fallback=True))
    assert names(feature, "/a/1") == ["a"]
    assert names(feature, "/b") == ["f", "g"]
    feature.disable(Name("a"))
    assert names(feature, "/a/1") == ["f", "g"]
    feature.remove(Name("g"))
    assert names(feature, "/a/1") == ["f"]


def test_answers_name_the_target() -> None:
    feature = Proxy()
    assert feature.add(target("t1", "/")) == "Added proxy target t1"
    assert feature.disable(Name("t1")) == "Disabled proxy target t1"
    assert feature.targets()["t1"].enabled is False
    assert feature.enable(Name("t1")) == "Enabled proxy target t1"
    assert feature.remove(Name("t1")) == "Removed proxy target t1"
    assert feature.clear() == "Cleared proxy targets"


@pytest.mark.parametrize("act", [Proxy.remove, Proxy.enable, Proxy.disable])
def test_an_unknown_name_is_not_found(act: Any) -> None:
    feature = proxy(target("t", "/"))
    with pytest.raises(NotFound, match="unknown proxy target: nope"):
        act(feature, Name("nope"))
    assert names(feature) == ["t"]


def test_there_is_a_greatest_number_of_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LIMITS.targets == 100_000
    monkeypatch.setattr(LIMITS, "targets", 2)
    feature = proxy(target("a", "/"), target("b", "/"))
    with pytest.raises(Conflict):
        feature.add(target("c", "/"))
    assert list(feature.targets()) == ["a", "b"]
    feature.add(target("a", "/new"))


def test_a_bad_target_changes_nothing() -> None:
    feature = proxy(target("t", "/"))
    with pytest.raises(BadInput):
        manage(feature, "POST", "/request/proxy/targets/add", b'{"name": "t", "url": "ftp://x"}')
    assert feature.targets() == {"t": target("t", "/")}


@pytest.mark.parametrize(
    ("methods", "path", "answer"),
    [
        (("PUT", "POST"), "/request/proxy/targets/t/remove", "Removed proxy target t"),
        (("PUT", "POST"), "/request/proxy/targets/t/enable", "Enabled proxy target t"),
        (("PUT", "POST"), "/request/proxy/targets/t/disable/", "Disabled proxy target t"),
        (("PUT", "POST"), "/request/proxy/targets/clear", "Cleared proxy targets"),
        (("GET", "HEAD"), "/request/proxy/targets", {"t": target("t", "/")}),
    ],
)
def test_routes(methods: tuple[str, ...], path: str, answer: Any) -> None:
    for method in methods:
        assert manage(proxy(target("t", "/")), method, path) == answer


def test_a_target_is_added_by_its_json() -> None:
    feature = Proxy()
    body = b'{"Name": "t", "url": "http://up", "match": {"uris": ["/t"]}, "sendID": true, "colour": 1}'
    answer = manage(feature, "POST", "/request/proxy/targets/add", body)
    remark = "/t matches only /t itself; write /t/{rest:.*} for all below it"
    assert answer == f"Added proxy target t ({remark}) (ignored unknown keys: colour)"
    assert names(feature, "/t") == ["t"]


@pytest.mark.parametrize("path", ["/request/proxy/targets/{}/invoke", "/request/proxy/targets/invoke/{}"])
def test_manual_invocation_enabled_or_not(path: str) -> None:
    feature = proxy(target("m", replaceURI="/manual", enabled=False), target("r", "/r", replicas=2))
    calls = manage(feature, "POST", path.format("r,%20m") + "?q=1").calls
    assert [(call.id, call.method, call.path) for call in calls] == [
        ("r[1][1]", "POST", "/?q=1"),
        ("r[2][2]", "POST", "/?q=1"),
        ("m[1][1]", "POST", "/manual?q=1"),
    ]
    assert calls[0].headers[:-1] == [(b"Host", b"up"), (b"X", b"1")]
    assert calls[0].headers[-1][0] == b"Goto-Hops"


def test_unknown_names_among_known_ones_are_named_by_calls_that_fail() -> None:
    calls = proxy(target("m")).invoke(Names.parse("nope,m"), Request("POST", "/", Headers())).calls
    assert [(call.target, call.failure) for call in calls] == [("nope", "unknown proxy target: nope"), ("m", "")]


def test_only_unknown_names_are_not_found() -> None:
    with pytest.raises(NotFound, match="unknown proxy targets: a, b"):
        proxy(target("m")).invoke(Names.parse("a,b"), Request("POST", "/", Headers()))


def test_the_body_of_an_invocation_may_be_as_large_as_a_proxied_one() -> None:
    found = RouteTable([Proxy]).find("POST", "/request/proxy/targets/m/invoke")
    assert found
    assert found[0].body_limit == 64 << 20


def test_adding_thousands_under_traffic_takes_no_time_squared() -> None:
    feature = Proxy()
    targets = [target(f"t{n}", f"/svc-{n}/{{id}}") for n in range(3000)]
    started = time.process_time()
    for each in targets:
        feature.add(each)
        upstreams(feature, "/none/1")
    assert time.process_time() - started < 3  # it takes 0.1 s; building the index anew each time takes a minute
    assert names(feature, "/svc-2999/1") == ["t2999"]
