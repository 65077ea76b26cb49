"""Finding the targets that a request triggers: the index against a plain scan, and what it must not cost."""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goto.features.proxy.target import ProxyTarget
from goto.flow import Headers, Request, encode
from goto.matching.index import Capture, MatchIndex
from goto.words.reading import read_struct


def index_of(*criteria: dict[str, Any]) -> MatchIndex[int]:
    targets = [read_struct({"name": "t", "url": "http://u", "match": match}, ProxyTarget)[0] for match in criteria]
    return MatchIndex((number, target.match) for number, target in enumerate(targets))


def request(target: str = "/", *fields: tuple[str, str]) -> Request:
    return Request("GET", target, Headers((encode(name), encode(value)) for name, value in fields))


def triggered(index: MatchIndex[int], *given: Any) -> list[int]:
    return [number for number, _ in index.match(request(*given))]


class Var(NamedTuple):
    name: str
    regex: str | None


VARIABLES = st.builds(Var, st.sampled_from("xyz"), st.sampled_from([None, None, "[0-9]+", "a.*", "(b|/)+", "A|b"]))
URIS = st.one_of(
    st.just(["/"]),
    st.lists(st.one_of(st.sampled_from(["/", "a", "B", "/a", "/b/", "é", "-", "//"]), VARIABLES), max_size=5).map(
        lambda parts: ["/", *parts]
    ),
)
TEXTS = st.lists(st.one_of(st.sampled_from(["a", "B", "1", " ", "É", "a1", "b"]), VARIABLES), min_size=1, max_size=3)
PAIRS = st.tuples(st.sampled_from(["h", "X-B", "é b"]), st.one_of(st.none(), TEXTS))
HEADER_PAIRS = st.tuples(st.sampled_from(["h", "X-B"]), st.one_of(st.none(), TEXTS))
TARGETS = st.lists(
    st.tuples(st.lists(URIS, max_size=3), st.lists(HEADER_PAIRS, max_size=2), st.lists(PAIRS, max_size=2)), max_size=6
)
PATHS = st.lists(st.sampled_from(["/", "a", "b", "1", "A", "É", "-", "/b", "/a", "%2F"]), max_size=7).map(
    lambda p: "/" + "".join(p)
)
VALUES = st.lists(st.sampled_from(["a", "b", "1", "é", "A"]), max_size=4).map("".join)
FIELDS = st.lists(st.tuples(st.sampled_from(["H", "x-b", "other"]), VALUES), max_size=4)
WORDS = st.sampled_from(["h", "X-B", "x-b", "%C3%A9+b", "é%20b", "a", "1", "a1", "A+", "%", "+b", "%C3%89", ""])
QUERIES = st.lists(st.tuples(WORDS, st.sampled_from(["=", ""]), WORDS).map("".join), max_size=4).map("&".join)


def spelled(parts: list[str | Var]) -> str:
    return "".join(
        part if isinstance(part, str) else f"{{{part.name}}}" if part.regex is None else f"{{{part.name}:{part.regex}}}"
        for part in parts
    )


def found_in(parts: list[str | Var], text: str, anything: str) -> dict[str, str] | None:
    """What Python's own regular expressions make of a template."""
    names: list[str] = []
    regex = ""
    for part in parts:
        if isinstance(part, str):
            regex += f"(?i:{re.escape(part)})"
        else:
            regex += f"(?P<g{len(names)}>{part.regex or anything})"
            names.append(part.name)
    found = re.fullmatch(regex, text)
    if found is None:
        return None
    captures: dict[str, str] = {}
    for number, name in enumerate(names):
        captures.setdefault(name, found[f"g{number}"])
    return captures


def scan(targets: list[Any], target: str, fields: list[tuple[str, str]]) -> list[tuple[int, dict[str, Capture]]]:
    """Every criterion of every target, one after another."""
    path, _, query = target.partition("?")
    parameters = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    answer = []
    for number, (uris, headers, queries) in enumerate(targets):
        hit = False
        captures: dict[str, Capture] = {}

        def take(found: dict[str, str] | None, kind: Any, captures: dict[str, Capture] = captures) -> bool:
            for name, value in (found or {}).items():
                captures.setdefault(name, Capture(value, kind))
            return found is not None

        for uri in uris:
            hit |= take({} if uri == ["/"] else found_in(uri, path, "[^/]+"), "uri")
        for name, text in headers:
            for value in [value for other, value in fields if other.lower() == name.lower()]:
                hit |= take({} if text is None else found_in(text, value, "(?s:.*)"), "header")
        for name, text in queries:
            for value in [value for other, value in parameters if other == name]:
                hit |= take({} if text is None else found_in(text, value, "(?s:.*)"), "query")
        if hit:
            answer.append((number, captures))
    return answer


@settings(max_examples=500)
@given(TARGETS, PATHS, FIELDS, QUERIES)
def test_the_index_finds_what_a_scan_finds(targets: list[Any], path: str, fields: list[tuple[str, str]], query: str) -> None:
    index = index_of(
        *(
            {
                "uris": [spelled(uri) for uri in uris],
                "headers": [[name] if text is None else [name, spelled(text).strip(" \t")] for name, text in headers],
                "query": [[name] if text is None else [name, spelled(text)] for name, text in queries],
            }
            for uris, headers, queries in targets
        )
    )
    # white space around a header value is not a part of it; an empty one stands for any
    trimmed = [(uris, [(name, text and trim(text)) for name, text in headers], queries) for uris, headers, queries in targets]
    target = f"{path}?{query}" if query else path
    wanted = scan(trimmed, target, fields)
    assert index.match(request(target, *fields)) == wanted
    assert index.match(request(target, *fields)) == wanted


def trim(text: list[str | Var]) -> list[str | Var] | None:
    text = list(text)
    while text and text[0] == " ":
        del text[0]
    while text and text[-1] == " ":
        del text[-1]
    return text or None


def test_a_slash_takes_all_traffic() -> None:
    index = index_of({"uris": ["/"]}, {"uris": ["/a"]}, {"uris": ["/"], "headers": [["h", "{x}"]]})
    assert triggered(index, "/") == triggered(index, "*") == triggered(index, "/b/c?d") == [0, 2]
    assert triggered(index, "/A") == [0, 1, 2]
    assert index.match(request("/b", ("H", "v"))) == [(0, {}), (2, {"x": Capture("v", "header")})]


def test_no_criteria_never_match() -> None:
    assert triggered(index_of({}), "/") == []
    assert triggered(index_of(), "/") == []


@pytest.mark.parametrize(
    ("uri", "path", "hit"),
    [
        ("/a", "/a/", False),
        ("/a/", "/a", False),
        ("/a/", "/A/", True),
        ("/a//b", "/a//b", True),
        ("/a//b", "/a/b", False),
        ("/a%2Fb", "/a%2fb", True),
        ("/a%2Fb", "/a/b", False),
        ("/{x}/b", "/a%2Fc/b", True),
        ("/{x}", "/", False),
        ("/{x:.*}", "/", True),
        ("/{x:.*}/z", "/a/b/Z", True),
        ("/pre{x:.*}", "/PRE", True),
        ("/v{x}.json", "/v1.json", True),
        ("/v{x}.json/{y:[0-9]}", "/V1.json/2", True),
        ("/v{x}.json/{y:[0-9]}", "/v1.json/22", False),
        ("/a/{x:[A-Z]+}", "/A/B", True),
        ("/a/{x:[A-Z]+}", "/A/b", False),
        ("/{x}", "*", False),
        ("/{x:.*}", "*", False),
    ],
)
def test_paths(uri: str, path: str, hit: bool) -> None:
    assert bool(triggered(index_of({"uris": [uri]}), path)) == hit


def test_the_first_value_of_a_name_stays_uris_before_headers_before_query() -> None:
    every = {"uris": ["/n/{x}", "/{a}/{x}"], "headers": [["h", "{x}"], ["h", "{b}"]], "query": [["q", "{b}"], ["q", "{c}"]]}
    assert index_of(every).match(request("/n/u?q=%41", ("h", "v"), ("h", "w"))) == [
        (0, {"x": Capture("u", "uri"), "a": Capture("n", "uri"), "b": Capture("v", "header"), "c": Capture("A", "query")})
    ]


def test_any_value_of_a_repeated_header_triggers_and_the_first_is_captured() -> None:
    index = index_of({"headers": [["h", "b"], ["h", "{x}"]]}, {"headers": [["h", "c{x}"]]}, {"headers": [["h", "d"]]})
    assert index.match(request("/", ("H", "a"), ("h", "B"), ("h", "C1"), ("h", "c2"))) == [
        (0, {"x": Capture("a", "header")}),
        (1, {"x": Capture("1", "header")}),
    ]


def test_values_compare_in_any_letter_case() -> None:
    index = index_of({"headers": [["color", "Bläu"]]}, {"query": [["size", "Big"]]}, {"headers": [["color", "b{x}"]]})
    assert index.match(request("/?size=bIG", ("Color", "BLÄU"))) == [(0, {}), (1, {}), (2, {"x": Capture("LÄU", "header")})]
    assert triggered(index, "/?size=bigger", ("Color", "red")) == []


def test_an_empty_header_is_there_and_an_empty_criterion_is_any() -> None:
    index = index_of({"headers": [["h", "{x}"]]}, {"headers": [["h", ""]]}, {"headers": [["h", "a"]]})
    assert index.match(request("/", ("h", ""))) == [(0, {"x": Capture("", "header")}), (1, {})]


def test_query_names_compare_exactly_and_decoded() -> None:
    index = index_of({"query": [["a b", "{x}"]]})
    assert index.match(request("/?a%20b=1+2%26")) == [(0, {"x": Capture("1 2&", "query")})]
    assert index.match(request("/?a+b")) == [(0, {"x": Capture("", "query")})]
    assert triggered(index, "/?A+b=1") == triggered(index, "/a%20b=1") == triggered(index, "/?c=a+b=1") == []


def test_bytes_that_are_no_utf8_are_captured() -> None:
    index = index_of({"uris": ["/{x}/{y:.+}"], "headers": [["h", "v{h}"]], "query": [["q", "{q:.}"]]})
    assert index.match(request("/\udcff/\udcfe?q=%FF", ("h", "v\udc80"))) == [
        (
            0,
            {
                "x": Capture("\udcff", "uri"),
                "y": Capture("\udcfe", "uri"),
                "h": Capture("\udc80", "header"),
                "q": Capture("\udcff", "query"),
            },
        )
    ]


def test_targets_added_later_come_after_the_others() -> None:
    index = index_of({"uris": ["/"]})
    assert triggered(index, "/a") == [0]
    later = read_struct({"name": "t", "url": "http://u", "match": {"uris": ["/"], "headers": [["h"]]}}, ProxyTarget)[0]
    index.add(1, later.match)
    assert triggered(index, "/a") == triggered(index, "/a", ("h", "1")) == [0, 1]


def test_a_catastrophic_regex_is_done_at_once() -> None:
    index = index_of({"uris": ["/{x:(a+)+$}", "/b/{y:(a|a)*}z"], "headers": [["h", "{z:(a*)*b}"]]})
    started = time.process_time()
    assert triggered(index, "/" + "a" * 20_000 + "!", ("h", "a" * 20_000)) == []
    assert triggered(index, "/b/" + "a" * 20_000 + "z") == [0]
    assert time.process_time() - started < 1


def best_of(index: MatchIndex[int], asked: Request) -> float:
    """Seconds for a hundred matches, the least of ten."""
    times = []
    for _ in range(10):
        started = time.process_time()
        for _ in range(100):
            index.match(asked)
        times.append(time.process_time() - started)
    return min(times)


def test_targets_that_do_not_match_cost_nothing() -> None:
    def many(count: int) -> MatchIndex[int]:
        return index_of(
            *(
                {
                    "uris": [
                        f"/svc-{n}/{{id}}/x",
                        f"/svc/{{id}}/{n}",
                        f"/svc/v{{id}}-{n}-{{y}}",
                        f"/svc/{{x:[a-z]+}}/{n}/{{y}}",
                    ],
                    "headers": [[f"x-{n}", "v"], ["x-id", f"{n}"], ["x-id", f"{{a}}-{n}"]],
                    "query": [[f"q{n}"], ["q", f"{n}"]],
                }
                for n in range(count)
            )
        )

    asked = request("/svc/abc/none?q=none", ("Host", "h"), ("x-id", "none"), ("a", "1"), ("b", "2"), ("c", "3"))
    few, lots = many(10), many(1000)
    assert few.match(asked) == lots.match(asked) == []
    # a scan would take a hundred times as long
    assert best_of(lots, asked) < 5 * best_of(few, asked)
