"""The index against the plain look at each item."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.fields import Headers
from goto.http.messages import Request
from goto.matching.captures import in_text
from goto.matching.criteria import UriTemplate
from goto.matching.fitting import FitIndex
from goto.matching.when import Body, BodyTest, Method, When


def request(method: str, target: str, *fields: tuple[str, str]) -> Request:
    return Request(method, target, Headers((name.encode(), value.encode()) for name, value in fields))


def when(
    *uris: str,
    methods: Iterable[str] = (),
    headers: list[list[str]] | None = None,
    query: list[list[str]] | None = None,
    body: BodyTest | None = None,
    reused: bool | None = None,
) -> When:
    return When(list(map(Method, methods)), list(map(UriTemplate, uris)), headers or [], query or [], body, reused)


def found(index: FitIndex[str], asked: Request, *, reused: bool = False, body: bytes = b"") -> set[str]:
    return {fit.item for fit in index.find(asked, reused) if fit.holds(Body(body, True))}


def test_all_kinds_given_have_to_fit() -> None:
    index: FitIndex[str] = FitIndex()
    criteria = when("/a", "/b", methods=["PUT", "POST"], headers=[["x"], ["y", "y1"]], query=[["q", "1"], ["r"]], reused=True)
    index.add("w", criteria)
    fields = [("X", "any"), ("y", "other"), ("y", "Y1")]
    assert found(index, request("POST", "/b?q=1&r=2", *fields), reused=True) == {"w"}
    for asked, reused in [
        (request("GET", "/b?q=1&r=2", *fields), True),
        (request("post", "/b?q=1&r=2", *fields), True),
        (request("PUT", "/c?q=1&r=2", *fields), True),
        (request("PUT", "/a?q=1", *fields), True),
        (request("PUT", "/a?q=2&r=2", *fields), True),
        (request("PUT", "/a?q=1&r=2", *fields[:2]), True),
        (request("PUT", "/a?q=1&r=2", *fields[1:]), True),
        (request("PUT", "/a?q=1&r=2", *fields), False),
    ]:
        assert found(index, asked, reused=reused) == set()


def test_captures_are_taken_of_uris_then_headers_then_query_and_the_first_stays() -> None:
    index: FitIndex[str] = FitIndex()
    # its atoms are known before the others, in another order
    index.add("before", when(query=[["q", "{a}"]]))
    index.add("then", when(headers=[["h", "{a}-{b}"]]))
    index.add("all", when("/{x}", "/{y}", headers=[["h", "{a}-{b}"]], query=[["q", "{a}"], ["r", "{c}"]]))
    fits = {fit.item: fit.captures for fit in index.find(request("GET", "/%20?q=3&r=4", ("h", "1-2")), False)}
    texts = {item: {name: in_text(capture) for name, capture in captures.items()} for item, captures in fits.items()}
    assert texts == {
        "before": {"a": "3"},
        "then": {"a": "1", "b": "2"},
        "all": {"x": " ", "y": " ", "a": "1", "b": "2", "c": "4"},
    }


def test_nothing_given_fits_all_traffic_and_unless_takes_out() -> None:
    index: FitIndex[str] = FitIndex()
    index.add("all", when())
    index.add("but", when("/a/{x}"), when("/a/free", headers=[["tester", "ann"]]))
    assert found(index, request("OPTIONS", "*")) == {"all"}
    assert found(index, request("GET", "/a/free")) == {"all", "but"}
    assert found(index, request("GET", "/a/b", ("tester", "ann"))) == {"all", "but"}
    assert found(index, request("GET", "/a/free", ("tester", "ann"))) == {"all"}


def test_the_body_is_asked_for_only_where_all_else_fits() -> None:
    index: FitIndex[str] = FitIndex()
    index.add("b", when("/a", methods=["POST"], body=BodyTest("contains", "x")))
    index.add("not", when("/c"), when(methods=["POST"], body=BodyTest("contains", "x")))

    def asks(asked: Request) -> list[bool]:
        return [fit.asks for fit in index.find(asked, False)]

    assert asks(request("GET", "/a")) == []
    assert asks(request("POST", "/a")) == [True]
    assert asks(request("GET", "/c")) == [False]
    assert asks(request("POST", "/c")) == [True]
    assert found(index, request("POST", "/a"), body=b"axb") == {"b"}
    assert found(index, request("POST", "/a"), body=b"ab") == set()
    assert found(index, request("POST", "/c"), body=b"axb") == set()
    assert found(index, request("POST", "/c"), body=b"ab") == {"not"}
    (fit,) = index.find(request("POST", "/c"), False)
    assert fit.holds(Body(b"axb", False))


uris = st.sampled_from(["/a", "/b", "/{x}", "/a/{x}", "/{x:[a-z]}", "/"])
pairs = st.sampled_from([["h"], ["h", "1"], ["h", "{y}"], ["i"], ["i", "2"], ["i", "x{z}"]])
methods = st.sampled_from(["GET", "PUT", "POST"])
criteria = st.builds(
    lambda paths, verbs, headers, query, reused: when(
        *paths, methods=verbs, headers=[list(p) for p in headers], query=[list(p) for p in query], reused=reused
    ),
    st.lists(uris, max_size=2),
    st.lists(methods, max_size=2),
    st.lists(pairs, max_size=2),
    st.lists(pairs, max_size=2),
    st.none() | st.booleans(),
)
values = st.sampled_from(["1", "2", "xz", ""])
requests = st.builds(
    lambda method, path, fields, query: request(method, path + "?" + "&".join(f"{n}={v}" for n, v in query), *fields),
    methods,
    st.sampled_from(["/a", "/b", "/a/c", "/d/e", "/"]),
    st.lists(st.tuples(st.sampled_from("hij"), values), max_size=3),
    st.lists(st.tuples(st.sampled_from("hij"), values), max_size=3),
)


def alone(criteria: When, unless: When | None, asked: Request, reused: bool) -> bool:
    """Each criterion by an index of its own."""

    def holds(one: When) -> bool:
        index: FitIndex[str] = FitIndex()
        index.add("x", one)
        return bool(index.find(asked, reused))

    def all_hold(every: When) -> bool:
        parts = [
            *([when(*every.uris)] if every.uris else []),
            *([when(methods=every.methods)] if every.methods else []),
            *(when(headers=[pair]) for pair in every.headers),
            *(when(query=[pair]) for pair in every.query),
            *([when(reused=every.reused)] if every.reused is not None else []),
        ]
        return all(map(holds, parts))

    return all_hold(criteria) and not (unless is not None and all_hold(unless))


@given(st.lists(st.tuples(criteria, st.none() | criteria.filter(bool)), max_size=8), requests, st.booleans())
def test_many_together_are_each_as_it_is_alone(items: list[tuple[When, When | None]], asked: Request, reused: bool) -> None:
    index: FitIndex[str] = FitIndex()
    for number, (one, unless) in enumerate(items):
        index.add(str(number), one, unless)
    expected = {str(number) for number, (one, unless) in enumerate(items) if alone(one, unless, asked, reused)}
    assert found(index, asked, reused=reused) == expected


@pytest.mark.parametrize("size", [10, 10_000])
def test_what_does_not_fit_is_not_looked_at(size: int) -> None:
    """All share the path, the header's name and the method, as rules for one route do."""
    index: FitIndex[int] = FitIndex()
    for number in range(size):
        index.add(number, when("/orders/{id}", methods=["GET"], headers=[["tenant", f"t{number}"]], query=[["page"]]))
    places = index._when._index.match(request("GET", "/orders/7?page=1", ("tenant", "other")))
    assert len(places) == 2
    assert index.find(request("GET", "/orders/7?page=1", ("tenant", "other")), False) == []
    (fit,) = index.find(request("GET", "/orders/7?page=1", ("tenant", "t5")), False)
    assert fit.item == 5
