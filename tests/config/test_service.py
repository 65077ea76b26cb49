"""The configuration as a whole: what is shown reads back as the same state, and what is wrong changes nothing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.documents import document
from support.goto_process import Goto
from support.lab import FIRST, Lab, in_lab
from support.site import Site
from support.strategies import documents, peers
from support.upstream import Reply, Upstream, held
from support.waiting import eventually

from goto.config.dump import yaml_text
from goto.config.errors import ConfigError
from goto.errors import Conflict, NotFound
from goto.feature import Feature
from goto.features import FEATURES
from goto.settings import setting
from goto.words import Label


async def fed_back(lab: Lab) -> None:
    """Show the state, apply it to a fresh instance, and compare."""
    shown = await lab.text()
    as_json = await lab.call("GET", "/goto/config", headers={"Accept": "application/json"})
    assert json.loads(as_json.body) == yaml.safe_load(shown)
    for text in (shown, as_json.body):
        other = Lab()
        try:
            answer = await other.post(text)
            assert answer.status == 200, answer.body.decode()
            assert other.state() == lab.state()
            assert await other.text() == shown
            for port, listener in lab.instance.listeners.by_port.items():
                twin = other.instance.listeners.by_port[port]
                assert twin.show() == listener.show()
                assert [feature.active for feature in twin.features] == [feature.active for feature in listener.features]
        finally:
            await other.instance.stop()


@given(documents)
def test_a_state_that_is_fed_back_is_the_same_state(data: dict[str, Any]):
    async def test(lab: Lab) -> None:
        answer = await lab.post(yaml_text(data))
        assert answer.status == 200, answer.body.decode()
        await fed_back(lab)
        # and here it changes nothing
        assert b"like this already" in (await lab.post(await lab.text())).body
        assert b"like this already" in (await lab.post(await lab.text(), replace=True)).body

    in_lab(test)


@given(peers)
def test_peers_too(given_peers: list[Any]):
    async def test(lab: Lab) -> None:
        for peer in given_peers:
            await lab.api("/registry/peers/add", json.dumps(peer))
        await fed_back(lab)

    in_lab(test)


CALLS = [
    ("/label/set/edge", ""),
    ("/label/clear", ""),
    ("/response/delay/set/1m:3", ""),
    ("/response/delay/clear", ""),
    ("/response/headers/add/x/503:2", ""),
    ("/response/headers/add/x/503:2", ""),
    ("/response/headers/remove/x", ""),
    ("/response/status/set/418:2", ""),
    ("/response/status/set/0", ""),
    ("/request/headers/track/add/User,x,all", ""),
    ("/request/headers/track/x/remove", ""),
    ("/request/timeout/track/all", ""),
    ("/request/timeout/track/headers/x,Y", ""),
    ("/request/timeout/track/headers/x,all", ""),
    ("/request/timeout/track/clear", ""),
    ("/request/uri/bypass/add?uri=/live", ""),
    ("/request/uri/bypass/add?uri=/a/{x}?b=1", ""),
    ("/request/uri/bypass/remove?uri=/live", ""),
    ("/request/uri/bypass/status/set/204", ""),
    (
        "/request/proxy/targets/add",
        '{"name": "a", "url": "http://a", "match": {"headers": [["x", ""]], "uris": ["/{x:[0-9]}"]}}',
    ),
    ("/request/proxy/targets/add", '{"name": "b", "url": "http://b:1/?x=1", "addQuery": [["é", "{x}"]], "sendId": true}'),
    ("/request/proxy/targets/a/disable", ""),
    ("/request/proxy/targets/a/remove", ""),
    ("/client/targets/add", '{"name": "c", "method": "GET", "url": "http://c", "rate": 2.5, "body": "\\u0000\\n\\ud83d\\ude00"}'),
    ("/client/targets/c/remove", ""),
    ("/client/track/headers/add/Via-Goto", ""),
    ("/client/reporting/set/y", ""),
    ("/listeners/add", '{"port": 81, "label": "inner"}'),
    ("/listeners/81/open", ""),
    ("/listeners/81/close", ""),
    ("/goto/port/81/response/status/set/503", ""),
    ("/registry/peers/web/targets/add", '{"name": "t", "method": "GET", "url": "http://t", "timeout": "1s"}'),
    ("/registry/peers/é%2F1/targets/add", '{"name": "t", "method": "GET", "url": "http://t", "replicas": 0}'),
    ("/registry/peers/web/targets/t/remove", ""),
]


@given(st.lists(st.sampled_from(CALLS), max_size=12))
def test_a_state_that_was_made_by_calls_too(calls: list[tuple[str, str]]):
    async def test(lab: Lab) -> None:
        for path, body in calls:
            with contextlib.suppress(NotFound):  # of a listener that is not there
                await lab.call("POST", path, body)
        await fed_back(lab)

    in_lab(test)


def test_what_is_posted_is_added_and_what_it_names_is_so():
    async def test(lab: Lab) -> None:
        await lab.post("{response: {delay: 1s, headers: [[a, b]]}, client: {targets: [{name: a, method: GET, url: http://a}]}}")
        answer = await lab.post("{response: {delay: ~, status: 503}, client: {targets: [{name: b, method: GET, url: http://b}]}}")
        assert answer.body == b"Configuration applied: response.delay, response.status, client.targets\n"
        state = lab.state()
        assert state["response"] == {"headers": [["a", "b"]], "status": "503"}
        assert [target["name"] for target in state["client"]["targets"]] == ["a", "b"]
        assert b"like this already" in (await lab.post("{}")).body

    in_lab(test)


def test_with_replace_it_is_all_there_is():
    async def test(lab: Lab) -> None:
        before = await lab.text()
        assert before == b"{}\n"
        await lab.post("{label: x, response: {delay: 1s}, listeners: [{port: 81}], registry: {targets: {web: []}}}")
        await lab.post("{label: y, listeners: [{port: 82}]}", replace=True)
        assert lab.state() == {"label": "y", "listeners": [{"port": 82, "protocol": "http", "open": True}]}
        await lab.post(before, replace=True)
        assert await lab.text() == before

    in_lab(test)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("response: {stats: 503}\nlabel: [x]", "body:1:12: response.stats: unknown key; did you mean status?\nbody:2:8: label:"),
        ('{\n\t"label": []\n}', "body:2:11: label: expected text, got a list"),
        ("a: [", "body:"),
        (b"\xff", "body:1: not UTF-8: save it as UTF-8"),
        ("listeners: [{port: 81, protocol: gopher}]", "body:1:13: listeners[0]: protocol: 'gopher' is not served"),
        ("label: x\nlisteners: [{port: 8080}]", "listeners: 8080 is the first listener"),
        ("label: x\nregistry: {url: http://r}", "registry.url: read at the start only"),
    ],
)
def test_what_is_wrong_changes_nothing(text: str, message: str):
    async def test(lab: Lab) -> None:
        await lab.post("{label: edge, response: {status: 503:2}}")
        before = lab.state()
        answer = await lab.post(text)
        assert answer.status in (400, 409)
        assert answer.body.decode().startswith(message)
        assert lab.state() == before

    in_lab(test)


def test_a_dry_run_says_what_it_would_come_to_and_changes_nothing():
    async def test(lab: Lab) -> None:
        await lab.post("{label: a, response: {delay: 1s}, listeners: [{port: 8081, label: b}]}")
        before = await lab.text()
        for query, there in (("", True), ("&replace=y", False)):
            answer = await lab.call("POST", f"/goto/config?dry=y{query}", b"response: {status: 503:2}")
            assert answer.status == 200
            told = yaml.safe_load(answer.body)
            assert told["response"]["status"] == "503:2"
            assert ("delay" in told["response"], "listeners" in told) == (there, there)
            assert await lab.text() == before
            # and that is what it comes to
            other = Lab()
            try:
                assert (await other.post(before)).status == 200
                assert (await other.post("response: {status: 503:2}", replace=bool(query))).status == 200
                assert yaml.safe_load(await other.text()) == told
            finally:
                await other.instance.stop()
        wrong = await lab.call("POST", "/goto/config?dry=y", b"response: {dealy: 1s}")
        assert (wrong.status, b"did you mean delay?" in wrong.body) == (400, True)

    in_lab(test)


def test_errors_as_json():
    async def test(lab: Lab) -> None:
        answer = await lab.call("POST", "/goto/config", "lable: x", {"Accept": "application/json"})
        assert answer.status == 400
        assert json.loads(answer.body) == {"error": "body:1:1: lable: unknown key; did you mean label?"}

    in_lab(test)


def test_yaml_says_that_it_is():
    async def test(lab: Lab) -> None:
        assert (await lab.call("GET", "/goto/config")).headers.get("content-type") == "application/yaml"

    in_lab(test)


def write(folder: Path, **texts: str) -> list[str]:
    files = []
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
        files.append(str(folder / f"{name}.yaml"))
    return files


def test_several_files_are_one_document_and_all_their_mistakes_are_told(tmp_path: Path):
    async def test(lab: Lab) -> None:
        files = write(tmp_path, a="{label: a, response: {delay: 1s}}", b="{label: b, response: {status: 503}}")
        read = lab.config.read(files)
        assert {path: str(given.value) for path, given in read.first.items()} == {
            "label": "b",
            "response.delay": "1s",
            "response.status": "503",
        }
        files = write(tmp_path, a="{label: [], response: {delay: x}}", b="{lable: b}")
        with pytest.raises(ConfigError) as caught:
            lab.config.read(files)
        wheres = [f"{Path(problem.file).name} {problem.path}" for problem in caught.value.problems]
        assert wheres == ["a.yaml label", "a.yaml response.delay", "b.yaml lable"]
        (tmp_path / "a.yaml").write_text("a: [")
        with pytest.raises(ConfigError) as caught:
            lab.config.read([*files, "none.yaml"])
        assert [Path(problem.file).name for problem in caught.value.problems] == ["a.yaml", "none.yaml"]

    in_lab(test)


def test_the_command_line_wins_over_files_also_when_they_are_read_again(tmp_path: Path):
    async def test(lab: Lab) -> None:
        lab.config.overrides = {"label": Label("flag")}
        files = write(tmp_path, a="{label: file, response: {delay: 1s}}")
        await lab.config.seed(lab.config.read(files))
        assert lab.first.label == "flag"
        write(tmp_path, a="{label: other, response: {delay: 2s}}")
        assert await lab.config.reload(lab.config.read(files)) == ["response.delay"]
        assert lab.first.label == "flag"

    in_lab(test)


def test_what_a_document_takes_away(tmp_path: Path):
    async def test(lab: Lab) -> None:
        text = "{label: a, response: {headers: [[x, '1'], [y, '2']]}, request: {headers: {track: [u, v]}}, "
        text += "listeners: [{port: 81, label: b}]}"
        await lab.config.seed(lab.config.read(write(tmp_path, a=text)))

        def takes_away(old: str, new: str) -> bool:
            return lab.config.takes_away(lab.config.read(write(tmp_path, a=text.replace(old, new))))

        assert text.count("[u, v]") == 1
        for old, new in (
            *(("label: a, ", ""), (", [y, '2']", ""), ("[u, v]", "[u]"), ("[u, v]", "[]"), ("[u, v]", "[u, w, x]")),
            *((", label: b", ""), (", listeners: [{port: 81, label: b}]", ""), ("port: 81", "port: 82"), ("[x, '1'], ", "")),
        ):
            assert takes_away(old, new), (old, new)
        for old, new in (
            *(("", ""), ("label: a", "label: c"), ("'2'", "'3'"), ("[u, v]", "[v, w, u]"), ("label: b", "label: c, open: false")),
            *(("label: a", "label: a, registry: {url: 'http://r'}"), ("{port: 81", "{port: 82}, {port: 81")),
        ):
            assert not takes_away(old, new), (old, new)

    in_lab(test)


def test_keys_of_later_documents_meet_earlier_ones_in_any_letter_case(tmp_path: Path):
    async def test(lab: Lab) -> None:
        files = write(
            tmp_path,
            a="{response: {status: 503, delay: 1s}, client: {targets: [{name: t, method: GET, url: 'http://a', replicas: 2}]}}",
            b="{Response: {STATUS: 504}, CLIENT: {Targets: [{NAME: t, REPLICAS: 3}]}, Listeners: [{PORT: 81, LABEL: x}]}",
            c="{listeners: [{port: 81, Label: y}]}",
        )
        await lab.config.seed(lab.config.read(files))
        await lab.post("{RESPONSE: {Status: 505}, listeners: [{Port: 81, request: {HEADERS: {Track: [u]}}}]}")
        state = lab.state()
        assert state["response"] == {"delay": "1s", "status": "505"}
        assert state["client"]["targets"][0]["replicas"] == 3
        assert state["listeners"] == [
            {"port": 81, "protocol": "http", "open": True, "label": "y", "request": {"headers": {"track": ["u"]}}}
        ]

    in_lab(test)


def test_a_body_that_curl_has_made_one_line():
    async def test(lab: Lab) -> None:
        text = "response:  status: 503label: x"
        answer = await lab.call("POST", "/goto/config", text)
        assert answer.status == 400
        said = answer.body.decode().rstrip()
        assert said.startswith("body:1:")
        assert said.endswith("(curl --data drops line ends: use --data-binary)")
        for other in ("response:  status: 503\nlabel: x: y", "response: 1", "respons: 1"):
            assert "--data-binary" not in (await lab.call("POST", "/goto/config", other)).body.decode()

    in_lab(test)


def test_reloading_applies_the_difference_to_the_last_files(tmp_path: Path):
    async def test(lab: Lab) -> None:
        files = write(tmp_path, a="{response: {status: 503:2, delay: 1s}}")
        await lab.config.seed(lab.config.read(files))
        await lab.post("{response: {delay: 5s}, label: api}")
        lab.feature("forced_status").ration.left = 1
        assert await lab.config.reload(lab.config.read(files)) == []
        write(tmp_path, a="{response: {status: 503:2}, request: {headers: {track: [x]}}}")
        assert await lab.config.reload(lab.config.read(files)) == ["response.delay", "request.headers.track"]
        assert lab.state() == {"label": "api", "request": {"headers": {"track": ["x"]}}, "response": {"status": "503:1"}}
        write(tmp_path, a="{response: {status: x}}")
        with pytest.raises(ConfigError):
            await lab.config.reload(lab.config.read(files))
        write(tmp_path, a="{response: {status: 503:2}}")
        assert await lab.config.reload(lab.config.read(files)) == ["request.headers.track"]

    in_lab(test)


def test_targets_are_invoked_once_all_is_in_force_and_unchanged_ones_not_again():
    async def test(lab: Lab) -> None:
        target = "{name: a, method: GET, url: 'http://127.0.0.1:1', autoInvoke: true, requestCount: 9, delay: 1m}"
        text = f"client: {{targets: [{target}]}}"
        client = lab.feature("client")
        lab.config._applier().check(document(text), lab.config._scratch)
        assert client.running == set()
        await lab.post(text)
        assert client.running == {"a"}
        assert len(client.invocations.runs) == 1
        await lab.post(text)
        assert len(client.invocations.runs) == 1
        await lab.post("client: {targets: []}")
        assert client.targets == {}

    in_lab(test)


def test_a_call_through_another_listener_is_about_the_process(tmp_path: Path):
    async def test(lab: Lab) -> None:
        await lab.post("listeners: [{port: 81}]")
        await lab.api("/goto/port/81/goto/config", "label: x")
        assert lab.first.label == "x"
        assert lab.first.port == FIRST

    in_lab(test)


# ------------------------------------------------------------ reset
SEEDED = """
label: seeded
response: {delay: 1ms, headers: [[a, "1"]], status: 503:2}
request:
  headers: {track: [x]}
  proxy: {targets: [{name: t, url: "http://127.0.0.1:1", match: {uris: [/t]}}]}
listeners: [{port: 8082, label: other, response: {delay: 2ms}}]
registry: {targets: {w: [{name: r, method: GET, url: "http://127.0.0.1:1"}]}}
"""


@given(documents)
def test_reset_all_puts_back_what_files_say_whatever_was_set_since(data: dict[str, Any]):
    async def test(lab: Lab) -> None:
        await lab.config.seed(document(SEEDED))
        seeded = lab.state()
        await lab.post(yaml_text(data))
        before = lab.state()
        await lab.api("/goto/reset/all")
        after = lab.state()
        assert after.get("registry", {}).get("peers") == before.get("registry", {}).get("peers")
        assert after["registry"]["targets"] == seeded["registry"]["targets"]
        others = {part["port"]: part for part in seeded["listeners"]}
        was = {part["port"]: part for part in before.get("listeners", [])}
        for part in after.get("listeners", []):
            head = {key: part[key] for key in ("port", "protocol", "tls", "open", "admin") if key in part}
            assert all(was[part["port"]][key] == value for key, value in head.items())  # it stays, open or closed
            expected = others.get(part["port"], head)
            assert {**part, "open": True} == {**expected, "open": True}
        for key in seeded.keys() - {"registry", "listeners"}:
            assert after[key] == seeded[key]
        assert after.keys() - {"registry", "listeners"} == seeded.keys() - {"registry", "listeners"}

    in_lab(test)


def test_a_reset_is_about_one_listener():
    async def test(lab: Lab) -> None:
        lab.config.overrides = {"label": Label("given")}
        await lab.api("/listeners/add", '{"port": 8081, "protocol": "http", "label": "added"}')
        for before in ("", "/goto/port/8081"):
            await lab.api(f"{before}/label/set/by-call")
            await lab.api(f"{before}/response/status/set/418")
        assert await lab.api("/goto/reset", method="PUT") == f"Reset listener {FIRST}\n"
        assert lab.state() == {
            "label": "given",
            "listeners": [{"port": 8081, "protocol": "http", "open": False, "label": "by-call", "response": {"status": "418"}}],
        }
        assert await lab.api("/goto/port/8081/goto/reset") == "Reset listener 8081\n"
        assert lab.state()["listeners"] == [{"port": 8081, "protocol": "http", "open": False, "label": "added"}]
        await lab.api("/registry/peers/w/targets/add", '{"name": "r", "method": "GET", "url": "http://h"}')
        assert await lab.api("/goto/reset/all") == "Reset 2 listeners, the targets of the registry and the journal\n"
        assert "registry" not in lab.state()

    in_lab(test)


def test_a_countdown_begins_anew_and_a_reset_that_fails_changes_nothing():
    class Stubborn(Feature):
        """A setting that cannot be put back."""

        value: str | None = None
        refuses = False

        @setting("stubborn")
        def configured(self) -> str | None:
            """A text."""
            return self.value

        @configured.setter
        def configure(self, value: str | None) -> None:
            if self.refuses:
                raise Conflict("stubborn: not now")
            self.value = value

    async def test(lab: Lab) -> None:
        await lab.config.seed(document("response: {status: 503:2}", (*FEATURES, Stubborn)))
        status, stubborn = lab.feature("forced_status"), lab.feature("stubborn")
        status.ration.left = 1
        await lab.api("/goto/reset")
        assert str(status.value) == "503:2"
        await lab.api("/response/status/set/418")
        stubborn.value, stubborn.refuses = "set since", True
        before = lab.state()
        assert (await lab.call("PUT", "/goto/reset")).body == b"stubborn: not now\n"
        assert lab.state() == before

    in_lab(test, features=(*FEATURES, Stubborn))


def test_what_was_counted_is_forgotten_and_runs_are_stopped(goto: Callable[..., Goto], upstream: Upstream):
    site = Site(goto("reset"))
    site.target(upstream.port, "/up")
    for call in (
        "/request/headers/track/add/x",
        "/request/timeout/track/headers/all,x",
        "/request/uri/bypass/add?uri=/by",
        "/response/headers/set/a/b",
    ):
        site.api("PUT", call)
    for path in ("/up", "/status/418", "/by"):
        site.call("GET", path, headers={"X": "1"})
    with held() as event:
        upstream.on("/run", Reply(hold=event))
        target = {"name": "c", "method": "GET", "url": f"{upstream.base}/run", "requestCount": 100, "replicas": 2}
        site.api("POST", "/client/targets/add", target)
        site.api("POST", "/client/targets/c/invoke")
        eventually(lambda: len(upstream.received), lambda count: count >= 3)
        before = site.api("GET", "/goto/metrics").text
        site.api("POST", "/goto/reset")
        shown = site.api("GET", "/goto/config").text
        assert not any(f"{key}:" in shown for key in ("request", "response", "client"))
        counts = [
            "/response/status/counts",
            "/request/headers/track/counts",
            "/request/uri/bypass",
            "/client/targets",
        ]
        assert [site.api("GET", path).json() for path in counts] == [
            {"countsByRequestedStatus": {}, "countsByReportedStatus": {}, "countsByResponseStatus": {}},
            {},
            {"Uris": {}, "BypassStatus": 200},
            {},
        ]
        assert site.api("GET", "/request/timeout/status").json() == {"all": None, "headers": {}}
        results = site.api("GET", "/client/results").json()
        assert (results["countsByStatus"], results["all"]["requests"]) == ({}, 0)
        # the figures of the process go on
        for line in before.splitlines():
            if line.startswith("goto_exchanges_total{"):
                assert line in site.api("GET", "/goto/metrics").text
    upstream.take()


def test_settings_of_a_file_stay_and_their_counts_begin_anew(goto: Callable[..., Goto], tmp_path: Path):
    (tmp_path / "f.yaml").write_text(
        "request: {headers: {track: [x]}, timeout: {track: [all, x]}, uri: {bypass: {uris: [/by]}}}\n"
    )
    process = goto("reset-file", "--config", str(tmp_path / "f.yaml"))
    shown = process.api("GET", "/goto/config").text
    for path in ("/a", "/status/418", "/by"):
        process.call("GET", path, headers={"X": "1"})
    process.api("PUT", "/goto/reset/all")
    assert process.api("GET", "/goto/config").text == shown
    nothing = {"ConnectionClosed": 0, "RequestCompleted": 0}
    assert process.api("GET", "/request/timeout/status").json() == {"all": nothing, "headers": {"x": {}}}
    assert process.api("GET", "/request/headers/track/counts").json()["x"]["RequestCountsByHeaderValue"] == {}
    assert process.api("GET", "/request/uri/bypass").json()["Uris"] == {"/by": 0}
    process.call("GET", "/a", headers={"X": "1"})
    assert process.api("GET", "/request/headers/track/counts").json()["x"]["RequestCountsByHeaderValue"] == {"1": 1}


def test_what_a_posted_document_says_that_may_be_meant_otherwise_is_told_once():
    async def test(lab: Lab) -> None:
        text = "request: {proxy: {targets: [{name: t, url: 'http://h'}]}}"
        said = "(t: matches nothing: it is called by hand only)"
        assert (await lab.post(text)).body.decode() == f"Configuration applied: request.proxy.targets {said}\n"
        assert said not in (await lab.post("label: x")).body.decode()

    in_lab(test)
