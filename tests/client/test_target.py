"""Client targets as they come in and as they go out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from goto.client.target import ClientTarget
from goto.errors import BadInput
from goto.flow import Origin
from goto.words import Duration
from goto.words.reading import read_json, read_struct
from goto.words.writing import as_json

GO_SENDS = b"""{"name":"t1","method":"GET","url":"http://localhost:8080/status/418","headers":null,"body":"","bodyReader":null,
"replicas":0,"requestCount":0,"delay":"","connTimeout":"","connIdleTimeout":"","requestTimeout":"","sendID":true,
"autoInvoke":true}"""


def test_a_target_as_the_seed_has_it(target: Callable[..., ClientTarget]):
    read = target(
        name="t1",
        url="http://localhost:8080/status/418",
        headers=[["foo", "bar"], ["x", "x1"]],
        replicas=2,
        delay="1s",
        requestCount=5,
        sendId=True,
    )
    assert (read.replicas, read.request_count, read.delay, read.send_id) == (2, 5, Duration.parse("1s"), True)
    assert read.headers == [("foo", "bar"), ("x", "x1")]
    assert read.origin == Origin("http", "localhost", 8080)
    assert read.timeout == 30


def test_a_target_as_the_original_sends_it():
    read, unknown = read_struct(read_json(GO_SENDS), ClientTarget)
    assert unknown == []
    assert (read.replicas, read.request_count, read.headers, read.send_id, read.auto_invoke) == (1, 1, [], True, True)


def test_what_goes_out_is_complete_and_typed_as_the_original_reads_it(target: Callable[..., ClientTarget]):
    wire = json.loads(json.dumps(target(headers=[["a", "b"]], delay="90s", requestTimeout="500us").complete()))
    assert wire == {
        "name": "t",
        "method": "GET",
        "url": "http://127.0.0.1:9/",
        "headers": [["a", "b"]],
        "body": "",
        "bodyReader": None,
        "replicas": 1,
        "requestCount": 1,
        "delay": "1m30s",
        "requestTimeout": "500µs",
        "connTimeout": "",
        "connIdleTimeout": "",
        "sendId": False,
        "autoInvoke": False,
    }


EVERY = {
    "duration": "30s",
    "keepAlive": False,
    "bodyBase64": "gA==",
    "urls": ["http://127.0.0.1:9/a"],
    "pick": "random",
    "variables": True,
    "checks": ["status=2xx", "body~a"],
    "connectTo": "[::1]:80",
    "maxTime": "5s",
}


@pytest.mark.parametrize(
    "fields",
    [
        EVERY,
        {"stages": [{"for": "1s", "rate": [1.0, 5.0]}, {"for": "1m0s", "rate": 5.0}]},
        {"duration": "1s", "proxy": "http://p:1"},
    ],
)
def test_what_was_given_is_handed_out_and_nothing_else(target: Callable[..., ClientTarget], fields: dict[str, Any]):
    plain, wire = json.loads(json.dumps(target().complete())), json.loads(json.dumps(target(**fields).complete()))
    assert {key: value for key, value in wire.items() if key not in plain} == fields
    assert "requestCount" not in wire
    assert json.loads(json.dumps(target(requestCount=5, **fields).complete()))["requestCount"] == 5


@pytest.mark.parametrize(
    "fields", [{}, EVERY, {"stages": [{"for": "1s", "rate": [1.0, 5.0]}], "requestCount": 5}, {"requestCount": 2}]
)
def test_in_a_configuration_stands_what_was_given(target: Callable[..., ClientTarget], fields: dict[str, Any]):
    assert as_json(target(**fields)) == {"name": "t", "method": "GET", "url": "http://127.0.0.1:9/", **fields}


@pytest.mark.parametrize(
    "fields", [{}, {"rate": 2.5, "http2": True, "verifyTLS": False}, {"delay": "1s", "body": "ü", "replicas": 9}, EVERY]
)
def test_what_went_out_comes_in_as_an_equal_target(target: Callable[..., ClientTarget], fields: dict[str, Any]):
    sent = target(**fields)
    assert read_struct(json.loads(json.dumps(sent.complete())), ClientTarget) == (sent, [])
    assert sent != target(**fields, requestCount=77)


STAGES = [{"for": "1s", "rate": 5}]
OTHER = r"urls\[3\]: another origin than url: make it a target of its own$"
KEEP = "requestsPerConnection: cannot be given together with keepAlive false$"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": ""}, "name: must not be empty"),
        ({"name": "a,b"}, "name: a name must not contain a comma"),
        ({"name": None}, "name: expected"),
        ({"method": ""}, "method: '' is not a valid method: write it like GET or PURGE"),
        ({"method": "G T"}, "method: 'G T' is not a valid method: write it like GET or PURGE"),
        ({"url": "ftp://x"}, "url: 'ftp://x' is not an http or https URL"),
        ({"url": "http://x/#a"}, "url: a fragment is never sent"),
        ({"url": "http://x/\r\na: b"}, "url: control characters"),
        ({"url": "http://ä" + "ä" * 70}, "url: "),
        ({"headers": [["x"]]}, r"headers\[0\]: "),
        ({"headers": [["x", "y"], ["a b", "c"]]}, r"headers\[1\]\[0\]: 'a b' is not a legal header name"),
        ({"headers": [["x", "a\nb"]]}, r"headers\[0\]\[1\]: control characters"),
        ({"headers": [["Content-Length", "3"]]}, r"headers\[0\]\[0\]: .* belongs to the connection"),
        ({"headers": [["transfer-encoding", "chunked"]]}, r"headers\[0\]\[0\]: .* belongs to the connection"),
        ({"replicas": -1}, "replicas: "),
        ({"replicas": 10_001}, "replicas: "),
        ({"replicas": "2"}, "replicas: "),
        ({"replicas": 1.5}, "replicas: "),
        ({"requestCount": -1}, "requestCount: "),
        ({"delay": "later"}, "delay: 'later' is not a duration"),
        ({"delay": "-1s"}, "delay: "),
        ({"delay": 5}, "delay: expected a string"),
        ({"rate": 0}, "rate: "),
        ({"rate": "5"}, "rate: "),
        ({"rate": 5, "delay": "1s"}, "rate: cannot be given together with delay"),
        ({"bodyReader": {}}, "bodyReader: "),
        ({"sendId": "y"}, "sendId: "),
        ({"headers": [["Host", "a"], ["x", "y"], ["host", "a"]]}, "headers: Host is there twice"),
        ({"body": "\ud800"}, "body: half of a surrogate pair"),
        ({"bodyBase64": "x"}, "bodyBase64: not base64$"),
        ({"bodyBase64": "ü==="}, "bodyBase64: not base64$"),
        ({"bodyBase64": "gA==", "body": "x"}, "body: cannot be given together with bodyBase64$"),
        ({"urls": ["http://127.0.0.1:9/a", "http://127.0.0.1:9"] * 2 + ["http://x/"]}, OTHER.replace("3", "4")),
        ({"urls": [*["http://127.0.0.1:9/a"] * 3, "https://127.0.0.1:9/"]}, OTHER),
        ({"urls": ["x"]}, r"urls\[0\]: 'x' is not an http or https URL"),
        ({"urls": ["http://127.0.0.1:9/" + "a" * 8192]}, r"urls\[0\]: has more than 8,192 bytes"),
        ({"pick": "any"}, "pick: "),
        ({"stages": STAGES, "rate": 5}, "stages: cannot be given together with rate$"),
        ({"stages": STAGES, "duration": "1s"}, "duration: cannot be given together with stages$"),
        ({"stages": STAGES, "delay": "1s"}, "stages: with a rate cannot be given together with delay"),
        ({"stages": [*STAGES, {"for": "1s", "replicas": 1}]}, "stages: some have a rate and some have replicas"),
        ({"stages": [{"for": "1s", "replicas": 0}]}, "stages: none has a replica"),
        ({"stages": [{"for": "1s"}]}, r"stages\[0\]: needs either rate or replicas"),
        ({"stages": [{"for": "1s", "rate": 1, "replicas": 1}]}, r"stages\[0\]: needs either rate or replicas"),
        ({"stages": [{"rate": 1}]}, r"stages\[0\].for: missing"),
        ({"stages": [{"for": "0s", "rate": 1}]}, r"stages\[0\].for: 0s is not over 0 and at most 168h0m0s"),
        ({"stages": [{"for": "1s", "rate": [1, -1]}]}, r"stages\[0\].rate\[1\]: "),
        ({"stages": [{"for": "1s", "rate": [1]}]}, r"stages\[0\].rate: "),
        ({"stages": STAGES * 101}, "stages: "),
        ({"duration": "169h"}, "duration: 169h0m0s is more than 168h0m0s"),
        ({"requestsPerConnection": 5, "keepAlive": False}, KEEP),
        ({"requestsPerConnection": 0}, "requestsPerConnection: "),
        (
            {"checks": ["foo"]},
            r"checks\[0\]: 'foo' is no check: write it like status=2xx, body~text, json:",
        ),
        ({"checks": ["status=2xx"] * 21}, "checks: "),
        ({"proxy": "http://p/a"}, "proxy: 'http://p/a' is not an http proxy: write it like http://proxy:3128"),
        ({"proxy": "http://p", "connectTo": "x:1"}, "proxy: cannot be given together with connectTo"),
        ({"connectTo": "x"}, "connectTo: 'x' is not a host with a port"),
        ({"connectTo": "x:70000"}, "connectTo: 'x:70000' is not a host with a port"),
        ({"variables": True, "body": "{random:3-1}"}, "body: {random:3-1} has no number"),
        ({"variables": True, "url": "http://x/{random:0}"}, "url: {random:0} is not from 1"),
    ],
)
def test_what_is_wrong_is_refused(target: Callable[..., ClientTarget], fields: dict[str, Any], reason: str):
    with pytest.raises(BadInput, match=f"^{reason}"):
        target(**fields)


def test_host_may_be_set_and_rate_goes_with_no_delay(target: Callable[..., ClientTarget]):
    assert target(headers=[["Host", "other"]], rate=5, delay="0s").rate == 5
