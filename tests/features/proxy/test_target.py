"""The JSON of a proxy target: read, refused, given back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from goto.errors import BadInput
from goto.features.proxy.target import MOST_REPLICAS, ProxyTarget
from goto.flow import Origin
from goto.tls.client import client_tls
from goto.words.reading import read_json, read_struct

FULL = {
    "name": "t1",
    "url": "http://somewhere:8083/base?k=v",
    "sendId": True,
    "replaceURI": "/abc/{y:.*}/def/{x:.*}",
    "addHeaders": [["z", "z1"], ["Host", "{x}"]],
    "removeHeaders": ["foo"],
    "addQuery": [["bar", "{f}"], ["empty", ""]],
    "removeQuery": ["foo"],
    "match": {"headers": [["foo"], ["bar", "{y}"]], "uris": ["/x/{x}/y/{y:[0-9]{3}}", "/"], "query": [["foo", "{f}"], ["q"]]},
    "when": None,
    "unless": None,
    "replicas": 3,
    "enabled": False,
    "fallback": True,
    "requestTimeout": "1m30s",
    "bodyTimeout": "5s",
    "verifyTLS": False,
    "tls": {"ca": "/ca.pem", "cert": "/me.pem", "key": "/me.key", "serverName": "other.example"},
}


def read(document: dict[str, Any]) -> ProxyTarget:
    target, unknown = read_struct(read_json(json.dumps(document).encode()), ProxyTarget)
    assert not unknown
    return target


def written(target: ProxyTarget) -> bytes:
    return msgspec.json.encode(target, enc_hook=str)


def test_what_is_listed_is_what_was_given_in_the_order_of_the_schema() -> None:
    listed = json.loads(written(read(FULL)))
    assert listed == FULL
    assert list(listed) == list(FULL)


@pytest.mark.parametrize("document", [FULL, {"name": "t", "url": "https://u"}])
def test_what_is_listed_can_be_given_again(document: dict[str, Any]) -> None:
    first = read(document)
    assert read(json.loads(written(first))) == first


def test_what_is_not_given() -> None:
    target = read({"name": "t", "url": "http://u"})
    assert json.loads(written(target)) == {
        "name": "t",
        "url": "http://u",
        "sendId": False,
        "replaceURI": "",
        "addHeaders": [],
        "removeHeaders": [],
        "addQuery": [],
        "removeQuery": [],
        "match": {"headers": [], "uris": [], "query": []},
        "when": None,
        "unless": None,
        "replicas": 1,
        "enabled": True,
        "fallback": False,
        "requestTimeout": "30s",
        "bodyTimeout": None,
        "verifyTLS": True,
        "tls": None,
    }
    assert not target.match
    assert target.timeout == 30


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_text_mean_not_given(nothing: str | None) -> None:
    given = {"name": "t", "url": "http://u", **dict.fromkeys(list(FULL)[2:], nothing)}
    assert read(given) == read({"name": "t", "url": "http://u"})
    assert read({"name": "t", "url": "http://u", "match": {"headers": nothing, "uris": None, "query": nothing}}) == read(
        {"name": "t", "url": "http://u"}
    )


def test_keys_are_read_in_any_letter_case() -> None:
    target = read({"Name": "t", "URL": "http://u", "sendID": True, "replaceuri": "/r", "Match": {"URIs": ["/"]}})
    assert (target.send_id, target.replace_uri, target.match.uris) == (True, "/r", ["/"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name: "),
        ({"name": "a,b"}, "name: a name must not contain a comma"),
        ({"name": "a\nb"}, "name: control characters"),
        ({"url": ""}, "url: "),
        ({"url": "ftp://x"}, "url: 'ftp://x' is not an http or https URL"),
        ({"url": "http://"}, "url: "),
        ({"url": "http://u/a b"}, "url: a URL must not contain a space: write %20"),
        ({"url": "http://u/\r\nX: y"}, "url: control characters"),
        ({"url": "http://u/#part"}, "url: a fragment"),
        ({"url": "http://u/#"}, "url: a fragment"),
        ({"url": "http://ü..ü/"}, "url: "),
        ({"replaceURI": "/a#b"}, "replaceURI: a fragment"),
        ({"replaceURI": "/a/{b"}, "replaceURI: '{b' is not closed"),
        ({"replaceURI": "/a\rb"}, "replaceURI: control characters"),
        ({"addHeaders": [[]]}, "addHeaders[0]: "),
        ({"addHeaders": [["a", "b"], ["c"]]}, "addHeaders[1]: "),
        ({"addHeaders": [["a", "b", "c"]]}, "addHeaders[0]: "),
        ({"addHeaders": [["a b", "c"]]}, "addHeaders[0][0]: 'a b' is not a legal header name"),
        ({"addHeaders": [["Connection", "x"]]}, "addHeaders[0][0]: 'Connection' belongs to the connection"),
        ({"addHeaders": [["content-length", "1"]]}, "addHeaders[0][0]: 'content-length' belongs"),
        ({"addHeaders": [["a", "b\r\nc: d"]]}, "addHeaders[0][1]: control characters"),
        ({"addHeaders": [["a", "{x"]]}, "addHeaders[0][1]: '{x' is not closed"),
        ({"addHeaders": "a"}, "addHeaders: "),
        ({"removeHeaders": ["ok", "not ok"]}, "removeHeaders[1]: "),
        ({"addQuery": [["", "v"]]}, "addQuery[0][0]: the name of a parameter must not be empty"),
        ({"addQuery": [["a", "{x"]]}, "addQuery[0][1]: "),
        ({"addQuery": [["a", "b\n"]]}, "addQuery[0][1]: control characters"),
        ({"removeQuery": ["a", ""]}, "removeQuery[1]: the name of a parameter must not be empty"),
        ({"match": []}, "match: "),
        ({"match": {"uris": ["a"]}}, "match.uris[0]: 'a' does not start with a slash"),
        ({"match": {"headers": [["a"], ["b c"]]}}, "match.headers[1]: 'b c' is not a legal header name"),
        ({"match": {"uris": ["/a"]}, "when": {"uris": ["/a"]}}, "match: cannot be given together with when"),
        ({"when": {"uri": ["/a"]}}, "when.uri: unknown key; known here: methods, uris, "),
        ({"unless": {"uris": ["/a"]}}, "unless: stands beside when alone"),
        ({"when": {}, "unless": {}}, "unless: nothing would be left"),
        ({"replicas": 0}, "replicas: "),
        ({"replicas": -1}, "replicas: "),
        ({"replicas": MOST_REPLICAS + 1}, "replicas: "),
        ({"replicas": "2"}, "replicas: "),
        ({"enabled": "yes"}, "enabled: "),
        ({"requestTimeout": "soon"}, "requestTimeout: 'soon' is not a duration"),
        ({"requestTimeout": "-1s"}, "requestTimeout: "),
        ({"requestTimeout": [5]}, "requestTimeout: expected a string, got a list"),
    ],
)
def test_bad_input_is_named_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read({"name": "t", "url": "http://u", **change})
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize("missing", ["name", "url"])
def test_name_and_url_are_needed(missing: str) -> None:
    document = {"name": "t", "url": "http://u"}
    del document[missing]
    with pytest.raises(BadInput, match=f"^{missing}: missing$"):
        read(document)


def test_most_replicas() -> None:
    assert read({"name": "t", "url": "http://u", "replicas": MOST_REPLICAS}).replicas == 1000


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://U.Example/base", Origin("http", "u.example", 80)),
        ("https://u", Origin("https", "u", 443)),
        ("https://[::1]:8443/?a", Origin("https", "::1", 8443)),
        ("http://bücher.example", Origin("http", "xn--bcher-kva.example", 80)),
    ],
)
def test_where_connections_go(url: str, origin: Origin) -> None:
    assert read({"name": "t", "url": url}).origin == origin


def test_certificates_go_unchecked_on_demand() -> None:
    target = read({"name": "t", "url": "https://u", "verifyTLS": False})
    assert target.origin == Origin("https", "u", 443, client_tls(verify=False)) != Origin("https", "u", 443)


@pytest.mark.parametrize(("text", "seconds"), [("400ms", 0.4), ("2m", 120), ("0", 30)])
def test_the_timeout_in_seconds(text: str, seconds: float) -> None:
    assert read({"name": "t", "url": "http://u", "requestTimeout": text}).timeout == seconds
