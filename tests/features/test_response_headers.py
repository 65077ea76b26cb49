"""Headers given to every answer to traffic."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.flows import flow, passed
from support.goto_process import Goto
from support.site import Site
from support.upstream import Reply, Upstream

from goto.errors import NotFound
from goto.features.response_headers import ResponseHeaders
from goto.words import HeaderName, HeaderValue, SentHeaderName


def headers(*pairs: tuple[str, str]) -> ResponseHeaders:
    feature = ResponseHeaders()
    for name, value in pairs:
        feature.add(SentHeaderName.parse(name), HeaderValue.parse(value))
    return feature


def test_they_are_added_and_replace_nothing() -> None:
    feature = headers(("X", "1"), ("y", "ä"), ("X", "2"))
    one = passed([feature], flow())
    assert one.response is not None
    assert one.response.headers.fields == [(b"X", b"1"), (b"y", "ä".encode()), (b"X", b"2")]
    assert feature.show() == {"X": ["1", "2"], "y": ["ä"]}


def test_remove_takes_all_values_in_any_case() -> None:
    feature = headers(("X", "1"), ("y", "2"), ("x", "3"))
    feature.remove(HeaderName("x"))
    assert feature.show() == {"y": ["2"]}
    with pytest.raises(NotFound, match=r"header: x is not a response header"):
        feature.remove(HeaderName("x"))
    feature.remove(HeaderName("Y"))
    assert not feature.active


def test_clear() -> None:
    feature = headers(("x", "1"))
    assert feature.active
    feature.clear()
    assert (feature.active, feature.show()) == (False, {})


@pytest.mark.parametrize("name", ["Content-Length", "connection", "TRANSFER-ENCODING", "Upgrade", "te", "a b", "", "ä", "x:"])
def test_names_that_cannot_be_set(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        SentHeaderName.parse(name)


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\0b", "\x7f"])
def test_values_that_cannot_be_set(value: str) -> None:
    with pytest.raises(ValueError, match=r"control characters"):
        HeaderValue.parse(value)


def test_local_proxied_forced_and_refused_answers_have_them_management_not(goto: Callable[..., Goto], upstream: Upstream) -> None:
    upstream.on("/up", Reply(headers=[("X", "theirs")]))
    site = Site(goto("response-headers"))
    site.api("PUT", "/response/headers/add/X/ours%20%C3%A4")
    site.target(upstream.port, "/up")
    site.target(1, "/down")
    ours = "ours \u00e4".encode().decode("latin-1")
    assert site.call("GET", "/up").values("x") == ["theirs", ours]
    assert site.call("GET", "/down").status == 502
    for path in ("/echo", "/status/418", "/nothing", "/down", "/status/204"):
        assert site.call("GET", path).values("x") == [ours], path
    assert site.call("GET", "/label").values("x") == []
    assert site.call("GET", "/request/proxy/targets").values("x") == []
