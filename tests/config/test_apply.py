"""The difference between two documents, in a running instance."""

from __future__ import annotations

import msgspec
import pytest
from support.documents import document
from support.lab import FIRST, Lab, in_lab

from goto.config.errors import ConfigError
from goto.errors import Conflict
from goto.words import Name
from goto.words.values import Statuses


def test_only_what_differs_is_touched():
    async def test(lab: Lab) -> None:
        old = "{response: {status: 503:3, delay: 1s}, request: {headers: {track: [x, y]}}}"
        await lab.apply("", old)
        forced, tracking = lab.feature("forced_status"), lab.feature("tracking")
        forced.ration.left = 1  # two were used up
        tracking.headers["x"].of(b"x1").requests += 1
        await lab.api("/request/headers/track/add/by-api")
        done = await lab.apply(old, "{response: {status: 503:3}, request: {headers: {track: [z, x]}}}")
        assert done == ["response.delay", "request.headers.track"]
        assert forced.configured == Statuses.parse("503:1")
        assert tracking.list() == ["z", "x", "by-api"]
        assert tracking.show_one("x")["RequestCountsByHeaderValue"] == {"x1": 1}
        assert not lab.feature("delay").active

    in_lab(test)


def test_targets_by_name():
    async def test(lab: Lab) -> None:
        def targets(*items: str) -> str:
            return f"{{request: {{proxy: {{targets: [{', '.join(items)}]}}}}}}"

        a, b = "{name: a, url: http://a, match: {uris: [/a]}}", "{name: b, url: http://b}"
        await lab.apply("", targets(a, b))
        await lab.api("/request/proxy/targets/a/disable", method="PUT")
        await lab.api("/request/proxy/targets/add", '{"name": "api", "url": "http://api"}')
        await lab.apply(targets(a, b), targets("{name: c, url: http://c}", a))
        shown = lab.feature("proxy").targets()
        assert list(shown) == ["c", "a", "api"]
        assert not shown["a"].enabled

    in_lab(test)


def test_a_document_stays_what_it_was_when_the_api_changes_what_came_of_it():
    async def test(lab: Lab) -> None:
        text = "{request: {proxy: {targets: [{name: a, url: http://a, match: {uris: [/]}}]}}}"
        made = document(text)
        await lab.config.seed(made)
        await lab.api("/request/proxy/targets/a/disable", method="PUT")
        assert made.first["request.proxy.targets"].value[0].enabled

    in_lab(test)


def test_listeners_come_and_go():
    async def test(lab: Lab) -> None:
        old = "listeners: [{port: 81, label: a}, {port: 82, open: false}]"
        assert await lab.apply("", old) == [
            "listener 81 added",
            "label of listener 81",
            "listener 81 opened",
            "listener 82 added",
        ]
        assert lab.carrier.open_ports == {FIRST, 81}
        new = "listeners: [{port: 82, response: {status: 503}}, {port: 83}]"
        assert await lab.apply(old, new) == [
            "response.status of listener 82",
            "listener 82 opened",
            "listener 83 added",
            "listener 83 opened",
            "listener 81 removed",
        ]
        assert lab.carrier.open_ports == {FIRST, 82, 83}
        assert await lab.apply(new, "listeners: [{port: 82, open: false}, {port: 83}]") == [
            "response.status of listener 82",
            "listener 82 closed",
        ]
        assert list(lab.instance.listeners.by_port) == [FIRST, 82, 83]

    in_lab(test)


def test_a_listener_that_the_api_removed_stays_away_until_the_document_says_something_new_of_it():
    async def test(lab: Lab) -> None:
        old = "listeners: [{port: 81}]"
        await lab.apply("", old)
        await lab.api("/listeners/81/remove")
        assert await lab.apply(old, "{label: x, listeners: [{port: 81}]}") == ["label"]
        assert "listener 81 opened" in await lab.apply(old, "listeners: [{port: 81, label: x}]")

    in_lab(test)


def test_a_listener_that_the_api_added_is_taken_over():
    async def test(lab: Lab) -> None:
        await lab.api("/listeners/add", '{"port": 81}')
        await lab.api("/listeners/81/open")
        assert await lab.apply("", "listeners: [{port: 81, label: x, open: false}]") == [
            "label of listener 81",
            "listener 81 closed",
        ]

    in_lab(test)


def test_a_port_that_cannot_be_had_leaves_everything_as_it_was():
    async def test(lab: Lab) -> None:
        old = "{label: edge, response: {delay: 1s}, listeners: [{port: 81, label: a}]}"
        await lab.apply("", old)
        before = lab.state()
        lab.carrier.refused.add(83)
        new = "{label: other, listeners: [{port: 81, label: b}, {port: 82}, {port: 83}], registry: {targets: {web: []}}}"
        with pytest.raises(Conflict, match="cannot open listener 83: Address already in use"):
            await lab.apply(old, new)
        assert lab.state() == before
        assert lab.carrier.open_ports == {FIRST, 81}

    in_lab(test)


def test_what_fails_late_is_taken_back():
    async def test(lab: Lab) -> None:
        old = "{label: edge, request: {headers: {track: [x]}}}"
        await lab.apply("", old)
        before = lab.state()
        target = document("{client: {targets: [{name: b, method: GET, url: http://b}]}}").first["client.targets"].value[0]
        for number in range(10_000):
            lab.feature("client").targets[f"api-{number}"] = msgspec.structs.replace(target, name=Name(f"api-{number}"))
        with pytest.raises(Conflict, match="10,000 client targets"):
            await lab.apply(old, "{label: x, client: {targets: [{name: a, method: GET, url: http://a, autoInvoke: true}]}}")
        lab.feature("client").targets.clear()
        assert lab.state() == before
        lab.config.settle()
        assert lab.feature("client").running == set()

    in_lab(test)


def test_a_way_in_is_left():
    async def test(lab: Lab) -> None:
        old = "listeners: [{port: 81}]"
        await lab.apply("", old)
        await lab.api("/goto/port/81/listeners/8080/close")
        with pytest.raises(Conflict, match="no listener would be left open"):
            await lab.apply(old, "")
        with pytest.raises(Conflict, match="no listener would be left open"):
            await lab.apply(old, "listeners: [{port: 81, open: false}]")
        await lab.apply(old, "listeners: [{port: 82}]")
        await lab.api("/goto/port/82/listeners/8080/remove")
        with pytest.raises(Conflict, match="the first listener was removed"):
            await lab.apply("", "label: x")

    in_lab(test)


def test_the_first_listener_is_not_among_the_others():
    async def test(lab: Lab) -> None:
        with pytest.raises(Conflict, match="8080 is the first listener"):
            await lab.apply("", "listeners: [{port: 8080}]")

    in_lab(test)


def test_where_to_register_is_the_starts_own_matter():
    async def test(lab: Lab) -> None:
        url = "registry: {url: http://registry:8080}"
        with pytest.raises(Conflict, match=r"registry\.url: read at the start only"):
            await lab.apply("", url)
        lab.instance.registry.url = document(url).process["registry.url"].value
        assert await lab.apply("", url) == []
        assert lab.state() == {}
        with pytest.raises(Conflict, match=r"registry\.url"):
            await lab.apply(url, "")

    in_lab(test)


def test_peers_get_what_their_label_has():
    async def test(lab: Lab) -> None:
        target = "{name: a, method: GET, url: http://a}"
        old = f"registry: {{targets: {{web: [{target}]}}, peers: [{{name: web, address: '127.0.0.1:1'}}]}}"
        await lab.apply("", old)
        (peer,) = lab.instance.registry.list_peers()
        assert (peer["name"], peer["missedCount"]) == ("web", 1)
        await lab.apply(old, old.replace("name: a", "name: b").replace("127.0.0.1:1", "127.0.0.1:2"))
        assert list(lab.instance.registry.list_targets("web")) == ["b"]
        assert [peer["address"] for peer in lab.instance.registry.list_peers()] == ["127.0.0.1:2"]

    in_lab(test)


def test_targets_of_a_registry_are_left_alone():
    async def test(lab: Lab) -> None:
        origin = {"Goto-Registry-Label": "web", "Goto-Registry-Epoch": "e", "Goto-Registry-Revision": "1"}
        answer = await lab.call("POST", "/client/targets/add", '{"name": "theirs", "method": "GET", "url": "http://x"}', origin)
        assert answer.status in (200, 202)
        client = lab.feature("client")
        old = "{client: {targets: [{name: mine, method: GET, url: http://x}]}}"
        await lab.apply("", old)
        assert [target["name"] for target in lab.state()["client"]["targets"]] == ["mine"]
        await lab.apply(old, "")
        assert list(client.targets) == ["theirs"]

    in_lab(test)


def test_what_only_a_try_shows_has_a_place():
    async def test(lab: Lab) -> None:
        with pytest.raises(ConfigError) as caught:
            lab.config._applier().check(document("listeners: [{port: 81, protocol: gopher}]"), lab.config._scratch)
        assert str(caught.value) == "goto.yaml:1:13: listeners[0]: protocol: 'gopher' is not served, use http or https"

    in_lab(test)
