"""Documents as typed values, and ten broken ones."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.documents import document, problems
from support.lab import FIRST

from goto.config.errors import ConfigError
from goto.instance.wiring import config_keys
from goto.words import Status
from goto.words.values import Dose, Statuses

FULL = f"""
label: edge
response: {{delay: 200ms, headers: [[x, x1]], status: "503:2"}}
request:
  headers: {{track: [x, y]}}
  timeout: {{track: all}}
  uri: {{bypass: {{uris: [/healthz], status: 200}}}}
  proxy: {{targets: [{{name: t1, url: "http://127.0.0.1:9000", match: {{uris: [/]}}}}]}}
client: {{track: {{headers: [via-goto]}}, targets: [{{name: c1, method: GET, url: "http://127.0.0.1:9000/a", autoInvoke: true}}]}}
listeners: [{{port: {FIRST + 1}, label: inner, open: true, response: {{status: "418"}}}}, {{port: 9, open: false}}]
registry:
  url: http://registry:8080
  peers: [{{name: web, address: "10.0.0.7:8080"}}, {{name: web, address: "10.0.0.8:8080"}}]
  targets: {{web: [{{name: t2, method: GET, url: "http://127.0.0.1:9000/b"}}]}}
"""


def test_every_key():
    read = document(FULL)
    assert set(read.first) == {
        "label",
        "response.delay",
        "response.headers",
        "response.status",
        "request.headers.track",
        "request.timeout.track",
        "request.uri.bypass.uris",
        "request.uri.bypass.status",
        "request.proxy.targets",
        "client.track.headers",
        "client.targets",
    }
    assert set(read.process) == {"registry.url", "registry.peers", "registry.targets"}
    assert read.first["response.status"].value == Statuses((Status(503),), Dose(2))
    assert (read.first["response.status"].at.line, read.first["response.status"].at.column) == (3, 46)
    inner = read.listeners[FIRST + 1]
    assert (inner.open, inner.protocol, set(inner.settings)) == (True, "http", {"label", "response.status"})
    assert not read.listeners[9].open


def test_nothing_is_said_of_what_is_null():
    read = document("{label: ~, response: ~, request: {headers: ~}, listeners: ~}")
    assert (read.first, read.process, read.listeners) == ({}, {}, {})


BROKEN = {
    "a misspelt key": (
        "response:\n  dealy: 1s\n",
        ["2:3: response.dealy: unknown key; did you mean delay?"],
    ),
    "a key at the wrong place": (
        "delay: 1s\n",
        ["1:1: delay: unknown key; did you mean response.delay?"],
    ),
    "a key that is like nothing": (
        "response: {zzz: 1}\n",
        ["1:12: response.zzz: unknown key; known here: delay, headers, setHeaders, rules, status"],
    ),
    "values that are none": (
        "response:\n  delay: 5 minutes\n  status: 99\n  headers: [[x]]\nlabel: [a]\n",
        [
            "2:10: response.delay: '5 minutes' is not a duration: write it like 300ms, 1.5s or 1m30s",
            "3:11: response.status: 99 is not a status from 200 to 599",
            "4:13: response.headers[0]: expected a list of 2, got a list of 1",
            "5:8: label: expected text, got a list",
        ],
    ),
    "a target without a url": (
        "request:\n  proxy:\n    targets:\n      - name: a\n        urll: http://x\n        replicas: 0\n",
        [
            "4:9: request.proxy.targets[0].url: missing",
            "5:9: request.proxy.targets[0].urll: unknown key; did you mean url?",
            "6:19: request.proxy.targets[0].replicas: expected int >= 1",
        ],
    ),
    "a name twice": (
        "client:\n  targets:\n  - {name: a, method: GET, url: http://x}\n  - {name: a, method: GET, url: http://y}\n",
        ["4:5: client.targets[1]: a is given already, in line 3"],
    ),
    "a listener without a port, and one with a bad one": (
        "listeners:\n- label: x\n- port: 70000\n  respons: {delay: 1s}\n- 8081\n",
        [
            "2:3: listeners[0].port: missing",
            "3:9: listeners[1].port: 70000 is not a port from 1 to 65535",
            "4:3: listeners[1].respons: unknown key; did you mean response?",
            "5:3: listeners[2]: expected a map with a port, got the number 8081",
        ],
    ),
    "a list where a map should be": (
        "response:\n- delay: 1s\n",
        ["2:1: response: expected a map of delay, headers, setHeaders, rules, status, got a list"],
    ),
    "a key twice": (
        "response: {delay: 1s}\nlabel: x\nresponse: {status: 503}\n",
        ["3:1: the key response is given already, in line 1"],
    ),
    "a regular expression and a header": (
        "request:\n  proxy:\n    targets:\n    - name: a\n      url: http://x\n      match: {uris: ['/{x:[}']}\n"
        "      addHeaders: [[connection, x]]\n",
        [
            "6:22: request.proxy.targets[0].match.uris[0]: '{x:[}' is not closed: write a } at its end",
            "7:21: request.proxy.targets[0].addHeaders[0][0]: 'connection' belongs to the connection: leave it out",
        ],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_ten_broken_documents(name: str):
    text, messages = BROKEN[name]
    assert problems(text) == messages


def test_the_example_of_the_documentation():
    text = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text()
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.S) if block.startswith("label: edge")]
    read = document(example)
    keys = config_keys()
    assert set(read.first) == set(keys.listener)
    assert set(read.process) == set(keys.process)
    for path in [*keys.listener, *keys.process]:
        assert f"| `{path}` |" in text, f"{path} is not documented"


@pytest.mark.parametrize("text", ["[a]", "text", "5"])
def test_what_is_no_map(text: str):
    assert [line.partition(": ")[2].split(",")[0] for line in problems(text)] == ["expected a map of settings"]


KEYS = [
    "label",
    "response",
    "delay",
    "status",
    "headers",
    "request",
    "proxy",
    "targets",
    "uri",
    "bypass",
    "listeners",
    "registry",
]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["503:2", "1s", "all", "/a", "http://x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KEYS, *["name", "port", "url", "match", "peers", "open"]]) | st.text(max_size=5), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=5))
def test_garbage_raises_nothing_else(data: dict[str, object]):
    with contextlib.suppress(ConfigError):
        document(yaml.safe_dump(data, allow_unicode=True))
