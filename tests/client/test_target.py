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


@pytest.mark.parametrize(
    "fields", [{}, {"rate": 2.5, "http2": True, "verifyTLS": False}, {"delay": "1s", "body": "ü", "replicas": 9}]
)
def test_what_went_out_comes_in_as_an_equal_target(target: Callable[..., ClientTarget], fields: dict[str, Any]):
    sent = target(**fields)
    assert read_struct(json.loads(json.dumps(sent.complete())), ClientTarget) == (sent, [])
    assert sent != target(**fields, requestCount=77)


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
    ],
)
def test_what_is_wrong_is_refused(target: Callable[..., ClientTarget], fields: dict[str, Any], reason: str):
    with pytest.raises(BadInput, match=f"^{reason}"):
        target(**fields)


def test_host_may_be_set_and_rate_goes_with_no_delay(target: Callable[..., ClientTarget]):
    assert target(headers=[["Host", "other"]], rate=5, delay="0s").rate == 5
