"""Headers given to every answer to traffic."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.flows import flow, passed
from support.goto_process import Goto
from support.site import Site
from support.upstream import Reply, Upstream

from goto.errors import Conflict, NotFound
from goto.features.response_headers import HEADERS_LIMIT, ResponseHeaders
from goto.flow import Flow, Headers, Response
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


def given_by(*fields: tuple[bytes, bytes]) -> Flow:
    """A flow that is answered with these fields."""
    one = flow()
    one.response = Response(200, b"", Headers(fields))
    return one


def test_one_that_is_set_takes_the_place_of_all_of_its_name() -> None:
    feature = headers(("x", "added before"), ("y", "1"))
    feature.set(SentHeaderName("X"), HeaderValue("2"))
    feature.set(SentHeaderName("X"), HeaderValue("3"))
    feature.add(SentHeaderName("x"), HeaderValue("added after"))
    one = passed([feature], given_by((b"X", b"theirs"), (b"z", b"0"), (b"x", b"theirs too")))
    assert one.response is not None
    assert one.response.headers.fields == [(b"z", b"0"), (b"X", b"3"), (b"y", b"1"), (b"x", b"added after")]
    assert feature.show() == {"X": ["3"], "y": ["1"], "x": ["added after"]}
    assert feature.show_set() == {"X": "3"}
    feature.remove(HeaderName("x"))
    assert (feature.show(), feature.show_set()) == ({"y": ["1"]}, {})
    feature.set(SentHeaderName("y"), HeaderValue("2"))
    feature.clear()
    assert (feature.show(), feature.active) == ({}, False)


NAMES = st.sampled_from(["a", "A", "b", "Via-Goto"]).map(SentHeaderName)
VALUES = st.sampled_from(["1", "2"]).map(HeaderValue)


@given(st.lists(st.tuples(st.sampled_from(["add", "set", "remove"]), NAMES, VALUES), max_size=10), st.lists(NAMES, max_size=4))
def test_whatever_was_added_set_and_removed(steps: list[tuple[str, SentHeaderName, HeaderValue]], theirs: list[str]) -> None:
    feature = ResponseHeaders()
    expected: list[tuple[str, str]] = []
    replaced = set[str]()
    for step, name, value in steps:
        if step != "add":
            expected = [pair for pair in expected if pair[0].lower() != name.lower()]
            replaced.discard(name.lower())
        if step == "remove":
            with contextlib.suppress(NotFound):
                feature.remove(HeaderName(name))
            continue
        expected.append((name, value))
        if step == "set":
            replaced.add(name.lower())
        getattr(feature, step)(name, value)
    one = passed([feature], given_by(*((name.encode(), b"theirs") for name in theirs)))
    assert one.response is not None
    kept = [(name, "theirs") for name in theirs if name.lower() not in replaced]
    shown = [(name.decode(), value.decode()) for name, value in one.response.headers.fields]
    for lower in {name.lower() for name in (*theirs, *(name for name, _ in expected))}:
        # in which order names come does not matter, in which order the values of one come does
        assert [p for p in shown if p[0].lower() == lower] == [p for p in (*kept, *expected) if p[0].lower() == lower]
    assert one.response.replaced == {name.encode() for name in replaced}


def test_those_of_a_file_stand_beside_each_other() -> None:
    feature = ResponseHeaders()
    feature.configure_set([(SentHeaderName("x"), HeaderValue("1")), (SentHeaderName("X"), HeaderValue("2"))])
    feature.configure([(SentHeaderName("x"), HeaderValue("3"))])
    assert feature.configured_set == [("X", "2")]
    assert feature.show() == {"X": ["2"], "x": ["3"]}
    feature.configure_set([])
    assert feature.show() == {"x": ["3"]}


def test_a_limit_holds_for_both_together() -> None:
    feature = ResponseHeaders()
    feature.configure([(SentHeaderName(f"x{n}"), HeaderValue("1")) for n in range(HEADERS_LIMIT)])
    feature.set(SentHeaderName("x0"), HeaderValue("2"))
    with pytest.raises(Conflict, match=r"at most 1000"):
        feature.set(SentHeaderName("y"), HeaderValue("2"))


def test_what_goto_itself_adds_is_replaced_too(goto: Callable[..., Goto], upstream: Upstream) -> None:
    upstream.on("/up", Reply(headers=[("X", "theirs"), ("Date", "theirs"), ("Via-Goto", "theirs"), ("Via-goto", "theirs")]))
    site = Site(goto("response-headers"))
    site.target(upstream.port, "/up")
    for name in ("X", "Via-Goto", "Date", "Content-Type"):
        site.api("PUT", f"/response/headers/set/{name}/ours")
    for path in ("/up", "/echo", "/status/418", "/status/204", "/nothing"):
        answer = site.call("GET", path)
        for name in ("x", "via-goto", "date", "content-type"):
            assert answer.values(name) == ["ours"], (path, name)
        assert len(answer.values("goto-host")) == 1
    assert site.call("GET", "/label").values("via-goto") != ["ours"]


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
