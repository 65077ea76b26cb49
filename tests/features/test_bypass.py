"""Bypass URIs: what matches, what is counted, and that nothing behind them sees the exchange."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.client import get
from support.flows import flow, passed
from support.goto_process import Goto
from support.site import Site

from goto.errors import NotFound
from goto.features.bypass import Bypass, BypassUri
from goto.words import Status


def bypass(*uris: str) -> Bypass:
    feature = Bypass()
    for uri in uris:
        feature.add(BypassUri.parse(uri))
    return feature


def test_a_star_is_told_to_be_a_letter() -> None:
    feature = Bypass()
    said = "/api/*: * is a letter here; write /api/{rest:.*}"
    assert feature.add(BypassUri.parse("/api/*?q=*")) == f"Added bypass URI /api/*?q=* ({said})"
    assert feature.add(BypassUri.parse("/live")) == "Added bypass URI /live"
    assert list(feature.remarks()) == [("request.uri.bypass.uris", said)]


@pytest.mark.parametrize(
    ("uri", "target", "hit"),
    [
        ("/foo", "/foo", True),
        ("/foo", "/FOO", True),
        ("/Foo", "/fOO", True),
        ("/foo", "/foo?a=b", True),
        ("/foo", "/foo?", True),
        ("/foo", "/foo/", False),
        ("/foo", "/foo/bar", False),
        ("/foo", "/fo", False),
        ("/", "/", True),
        ("/", "/x", False),
        ("/foo?a=b", "/foo?a=b", True),
        ("/foo?a=b", "/foo?A=B", True),
        ("/foo?a=b", "/foo", False),
        ("/foo?a=b", "/foo?a=c", False),
        ("/foo?a=b", "/foo?a=b&c=d", False),
        ("/a/{x}/b", "/a/1/b", True),
        ("/a/{x}/b", "/A/1/B?q", True),
        ("/a/{x}/b", "/a/1/2/b", False),
        ("/a/{x}/b", "/a//b", False),
        ("/a/{x}?q=1", "/a/z?q=1", True),
        ("/a/{x}?q=1", "/a/z", False),
        ("/a.c", "/abc", False),
        ("/foo%2Fbar", "/foo/bar", False),
    ],
)
def test_what_a_bypass_uri_matches(uri: str, target: str, hit: bool) -> None:
    feature = bypass(uri)
    answered = passed([feature], flow(target), status=299)
    assert answered.response is not None
    assert answered.response.status == (200 if hit else 299)
    assert feature.count(uri) == int(hit)


def test_the_status_may_be_set_and_holds_for_all() -> None:
    feature = bypass("/a", "/b/{x}")
    feature.set_status(Status(418))
    for target in ("/a", "/b/1"):
        response = passed([feature], flow(target)).response
        assert response is not None
        assert (response.status, response.body, response.headers.fields) == (418, b"", [])
    assert feature.get_status() == "Bypass status: 418"
    assert feature.list() == {"Uris": {"/a": 1, "/b/{x}": 1}, "BypassStatus": 418}


def test_counts_stay_when_a_uri_is_added_again_or_another_one_is_removed() -> None:
    feature = bypass("/a", "/b", "/c/{x}")
    for target in ("/a", "/a", "/b", "/c/1"):
        passed([feature], flow(target))
    feature.add(BypassUri.parse("/a"))
    feature.remove("/b")
    assert feature.list()["Uris"] == {"/a": 2, "/c/{x}": 1}
    assert passed([feature], flow("/b"), status=299).response.status == 299


def test_a_uri_is_the_same_in_any_letter_case_and_shown_as_it_was_added() -> None:
    feature = bypass("/Foo", "/v{x}/A?q=B", "/{x:\\d}")
    assert feature.add(BypassUri.parse("/fOO")) == "Bypass URI /Foo is there already"
    for target in ("/foo", "/V1/a?Q=b", "/1"):
        passed([feature], flow(target))
    assert feature.list()["Uris"] == {"/Foo": 1, "/v{x}/A?q=B": 1, "/{x:\\d}": 1}
    assert (feature.count("/FOO"), feature.count("/V{x}/a?Q=b")) == (1, 1)
    feature.configure_uris([BypassUri.parse(uri) for uri in ("/FOO", "/foo", "/V{x}/A?q=B", "/{x:\\d}")])
    assert feature.list()["Uris"] == {"/FOO": 1, "/V{x}/A?q=B": 1, "/{x:\\d}": 1}
    with pytest.raises(NotFound, match=r"is not a bypass URI"):
        feature.count("/{x:\\D}")  # a regex sees letter case
    assert feature.remove("/foo") == "Removed bypass URI /FOO"
    assert passed([feature], flow("/foo"), status=299).response.status == 299


def test_it_is_active_only_while_there_are_uris() -> None:
    feature = bypass()
    assert not feature.active
    feature.add(BypassUri.parse("/a"))
    assert feature.active
    feature.remove("/a")
    assert not feature.active
    feature.add(BypassUri.parse("/a"))
    feature.clear()
    assert not feature.active
    assert feature.list() == {"Uris": {}, "BypassStatus": 200}


def test_unknown_uris_are_not_found() -> None:
    feature = bypass("/a")
    for act in (feature.remove, feature.count):
        with pytest.raises(NotFound, match=r"uri: /b is not a bypass URI"):
            act("/b")


@pytest.mark.parametrize("text", ["", "foo", "*", "/a\nb", "/{", "/{x:[}"])
def test_what_is_no_bypass_uri(text: str) -> None:
    if text == "/{":
        assert BypassUri.parse(text).matches("/{", "")  # other braces are literal text
        return
    with pytest.raises(ValueError, match=r"."):
        BypassUri.parse(text)


def test_nothing_else_sees_a_bypassed_request(goto: Callable[..., Goto]) -> None:
    site = Site(goto("bypass"))
    for path in (
        "/request/uri/bypass/add?uri=/health",
        "/request/uri/bypass/status/set/204",
        "/request/headers/track/add/x",
        "/request/timeout/track/all",
        "/response/headers/add/y/z",
        "/response/status/set/503",
        "/response/delay/set/1h",
    ):
        site.api("PUT", path)
    site.target(1, "/")
    answer = site.call("GET", "/health?x=1", headers={"X": "x1"})
    assert answer.status == 204
    assert {name.lower() for name, _ in answer.headers} == {"via-goto", "goto-host", "date"}
    assert site.ends == {"ConnectionClosed": 0, "RequestCompleted": 0}
    assert site.api("GET", "/request/headers/track/x/counts").json()["RequestCountsByHeaderValue"] == {}
    assert site.reported == {}
    assert site.api("GET", "/response/status").text.strip() == "Response status: 503"
    assert site.api("GET", "/request/uri/bypass/counts?uri=/health").text.strip() == "1"


def test_a_body_that_nobody_reads_leaves_the_connection_usable(goto: Callable[..., Goto]) -> None:
    site = Site(goto("bypass-body"))
    site.api("PUT", "/request/uri/bypass/add?uri=/health")
    with site.client() as client:
        client.send(get("/health", method="POST", body=b"x" * 300_000) + get("/status/202"))
        assert [client.answer().status, client.answer().status] == [200, 202]


def test_management_is_never_bypassed(goto: Callable[..., Goto]) -> None:
    site = Site(goto("bypass-api"))
    site.api("PUT", "/request/uri/bypass/add?uri=/label")
    site.api("PUT", "/request/uri/bypass/status/set/500")
    assert site.call("GET", "/label").status == 200
    assert site.api("GET", "/request/uri/bypass").json() == {"Uris": {"/label": 0}, "BypassStatus": 500}
