"""What targets make of requests."""

from __future__ import annotations

import re
from math import inf
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.features.proxy.rewrite import Rewrite
from goto.features.proxy.target import ProxyTarget
from goto.flow import Call, Field, Headers, Request, decode, encode
from goto.http.hops import end_to_end
from goto.matching.index import Capture
from goto.words.reading import read_struct


def U(text: str) -> Capture:  # noqa: N802  # short, as it stands in tables
    return Capture(text, "uri")


def H(text: str) -> Capture:  # noqa: N802  # short, as it stands in tables
    return Capture(text, "header")


def Q(text: str) -> Capture:  # noqa: N802  # short, as it stands in tables
    return Capture(text, "query")


def rewrite(**given: Any) -> Rewrite:
    return Rewrite(read_struct({"name": "t", "url": "http://up:81", **given}, ProxyTarget)[0])


def request(target: str = "/p", *fields: Field, method: str = "GET") -> Request:
    return Request(method, target, Headers(fields))


def call(asked: Request, captures: dict[str, Capture] | None = None, **given: Any) -> Call:
    [only] = rewrite(**given).calls(asked, captures or {})
    assert not only.failure
    return only


def test_a_request_passes_as_it_is_but_for_host() -> None:
    asked = request("/a%2Fb//../c?x=%20&&y", (b"hOST", b"me"), (b"X", b"1"), (b"x", b"\xff"), method="PURGE")
    made = call(asked)
    assert (made.target, made.method, made.path, made.timeout) == ("t", "PURGE", "/a%2Fb//../c?x=%20&&y", 30)
    assert made.headers == [(b"Host", b"up:81"), (b"X", b"1"), (b"x", b"\xff")]
    assert (made.origin.host, made.origin.port, made.id) == ("up", 81, "t[1][1]")
    assert asked.headers.fields == [(b"hOST", b"me"), (b"X", b"1"), (b"x", b"\xff")]


@pytest.mark.parametrize(
    ("url", "target", "path"),
    [
        ("http://up", "/a", "/a"),
        ("http://up/", "/a", "/a"),
        ("http://up/base", "/", "/base/"),
        ("http://up/base/", "/a/", "/base/a/"),
        ("http://up/base//", "//a", "/base///a"),
        ('http://up/b%2Fé"', "/\udcff", '/b%2F%C3%A9"/\udcff'),
        ("http://up/base?k=v", "/a", "/base/a?k=v"),
        ("http://up?k=v", "/a?x=1", "/a?k=v&x=1"),
        ("http://up", "/a?", "/a?"),
        ("http://up", "*", "*"),
        ("http://up/base", "*", "/base"),
        ("http://up?k=v", "*", "*"),
    ],
)
def test_the_base_path_and_query_of_the_url(url: str, target: str, path: str) -> None:
    assert call(request(target), url=url).path == path


@pytest.mark.parametrize(
    ("given", "target", "path"),
    [
        ({"addQuery": [["a", "1"], ["b&", "ü &"]]}, "/p?x=%2f&x&&", "/p?a=1&b%26=%C3%BC%20%26&x=%2f&x&&"),
        ({"addQuery": [["a", ""]]}, "/p", "/p?a="),
        ({"removeQuery": ["x", "y z"]}, "/p?x=1&X=2&y+z=3&y%20z&%78=4&w=%78", "/p?X=2&w=%78"),
        ({"removeQuery": ["x"]}, "/p?x=1", "/p"),
        ({"removeQuery": ["x"]}, "/p?", "/p?"),
        ({"removeQuery": ["x"], "addQuery": [["x", "new"]], "url": "http://up?x=own"}, "/p?x=1&y=2", "/p?x=own&x=new&y=2"),
        ({"replaceURI": "/r?x=in", "addQuery": [["a", "1"]], "url": "http://up/b/?k=v"}, "/p?y=2", "/b/r?k=v&x=in&a=1&y=2"),
        ({"replaceURI": "r"}, "/p?y", "/r?y"),
        ({"replaceURI": "/a b/é?c d"}, "/p", "/a%20b/%C3%A9?c%20d"),
        ({"replaceURI": "/"}, "/p/q", "/"),
    ],
)
def test_the_query_is_edited_and_the_rest_stays_byte_for_byte(given: dict[str, Any], target: str, path: str) -> None:
    assert call(request(target), **given).path == path


WORDS = st.text(alphabet="ab%4126+=é;/?", max_size=6)


@given(st.lists(WORDS, max_size=6), st.sets(st.sampled_from(["a", "b", "aA"])), st.booleans())
def test_an_edited_query_keeps_what_was_not_removed(pairs: list[str], removed: set[str], add: bool) -> None:
    query = "&".join(pairs)
    made = call(request("/p?" + query), removeQuery=sorted(removed), addQuery=[["new", "1"]] if add else [])
    path, _, left = made.path.partition("?")
    assert path == "/p"
    kept = [pair for pair in query.split("&") if not is_named(pair, removed)]
    wanted = (["new=1"] if add else []) + (kept if any(kept) or len(kept) > 1 else [])
    assert left == "&".join(wanted)


def is_named(pair: str, names: set[str]) -> bool:
    name = pair.split("=")[0].replace("+", " ").encode()
    return unquote_to_bytes(name) in {wanted.encode() for wanted in names}


def test_an_id_is_added_once_and_fresh() -> None:
    target = rewrite(sendId=True, addQuery=[["a", "1"]], replicas=3)
    paths = [made.path for made in target.calls(request("/p?y=2"), {})]
    ids = [re.fullmatch(r"/p\?a=1&x-request-id=([^&]+)&y=2", path) for path in paths]
    assert len({found[1] for found in ids if found}) == 3
    assert re.fullmatch(r"/p\?x-request-id=[0-9a-f-]{36}", call(request("/p"), sendId=True).path)


@pytest.mark.parametrize(
    ("given", "target", "path"),
    [
        ({}, "/p?x=1&x-request-id=mine", "/p?x=1&x-request-id=mine"),
        ({}, "/p?x-request%2Did", "/p?x-request%2Did"),
        ({"url": "http://up?x-request-id=7"}, "/p", "/p?x-request-id=7"),
        ({"addQuery": [["x-request-id", "8"]]}, "/p", "/p?x-request-id=8"),
        ({"replaceURI": "/r?x-request-id=9"}, "/p", "/r?x-request-id=9"),
    ],
)
def test_an_id_that_is_there_stays(given: dict[str, Any], target: str, path: str) -> None:
    assert call(request(target), sendId=True, **given).path == path


@pytest.mark.parametrize("target", ["/p?x-request-id=old", "/p?X-Request-Id=old"])
def test_a_removed_id_or_one_of_another_name_does_not_count(target: str) -> None:
    path = call(request(target), sendId=True, removeQuery=["x-request-id"]).path
    assert re.match(r"/p\?x-request-id=[0-9a-f-]{36}(&X-Request-Id=old)?$", path)


FIELD_NAMES = st.sampled_from(
    [b"Connection", b"connection", b"Host", b"X", b"x-hop", b"TE", b"Upgrade", b"Expect", b"Content-Length", b"Keep-Alive", b"b"]
)
FIELD_VALUES = st.sampled_from([b"x-hop", b"close", b"keep-alive, X-HOP", b"upgrade", b"b,x", b"", b"1"])


@given(st.lists(st.tuples(FIELD_NAMES, FIELD_VALUES), max_size=8))
def test_what_passes_is_what_is_end_to_end(fields: list[Field]) -> None:
    made = call(request("/p", *fields))
    assert made.headers == [(b"Host", b"up:81"), *(field for field in end_to_end(fields) if field[0] != b"Host")]


def test_headers_are_removed_in_any_case_before_others_are_added() -> None:
    fields = [(b"A", b"1"), (b"a", b"2"), (b"b", b"3"), (b"C", b"4"), (b"d", b"5")]
    made = call(request("/p", *fields), removeHeaders=["a", "B"], addHeaders=[["b", "new"], ["c", "ü"]])
    assert made.headers == [(b"Host", b"up:81"), (b"C", b"4"), (b"d", b"5"), (b"b", b"new"), (b"c", "ü".encode())]


def test_a_header_named_by_connection_may_still_be_added() -> None:
    made = call(request("/p", (b"Connection", b"b"), (b"b", b"1")), addHeaders=[["b", "2"]])
    assert made.headers == [(b"Host", b"up:81"), (b"b", b"2")]


@pytest.mark.parametrize(
    ("added", "captures", "host"),
    [
        ([["hOST", "example.test"], ["Host", "second"]], {}, b"example.test"),
        ([["Host", "{x}.test"]], {"x": H("a")}, b"a.test"),
        ([["Host", "{nope}"], ["Host", "second"]], {}, b"second"),
        ([["Host", "{nope}"]], {}, b"up:81"),
    ],
)
def test_exactly_one_host_goes_out_first(added: list[list[str]], captures: dict[str, Capture], host: bytes) -> None:
    made = call(request("/p", (b"x", b"1"), (b"Host", b"mine")), captures, addHeaders=added)
    assert made.headers == [(b"Host", host), (b"x", b"1")]


@pytest.mark.parametrize(
    ("url", "host"),
    [("http://up:80", b"up"), ("https://up:443", b"up"), ("http://up:443", b"up:443"), ("http://[::1]", b"[::1]")],
)
def test_host_is_the_upstreams(url: str, host: bytes) -> None:
    assert call(request(), url=url).headers == [(b"Host", host)]


@pytest.mark.parametrize(
    ("capture", "in_path", "in_query", "in_header"),
    [
        (U("a"), "a", "a", b"a"),
        (U("a%2Fb%20c"), "a%2Fb%20c", "a%2Fb%20c", b"a/b c"),
        (U("a&b=c+d"), "a&b=c+d", "a%26b%3Dc%2Bd", b"a&b=c+d"),
        (U("%0d%0aX:%20y"), "%0d%0aX:%20y", "%0D%0AX%3A%20y", b"%0d%0aX: y"),
        (U("%00%7F%09%c3%A9%FF%"), "%00%7F%09%c3%A9%FF%", "%00%7F%09%C3%A9%FF%25", b"%00%7F%09\xc3\xa9\xff%"),
        (U("\udcff"), "\udcff", "%FF", b"\xff"),
        (H("a/b?c#d%41&e"), "a%2Fb%3Fc%23d%2541%26e", "a%2Fb%3Fc%23d%2541%26e", b"a/b?c#d%41&e"),
        (H("tab\there\x01"), "tab%09here%01", "tab%09here%01", b"tab\there%01"),
        (H(".."), "%2E%2E", "..", b".."),
        (H("..a"), "..a", "..a", b"..a"),
        (H(""), "", "", b""),
        (Q("a\r\nX: y\0\t"), "a%0D%0AX%3A%20y%00%09", "a%0D%0AX%3A%20y%00%09", b"a%0d%0aX: y%00%09"),
        (Q("é\udcff+"), "%C3%A9%FF%2B", "%C3%A9%FF%2B", b"\xc3\xa9\xff+"),
    ],
)
def test_captures_in_each_place(capture: Capture, in_path: str, in_query: str, in_header: bytes) -> None:
    made = call(
        request("/p"),
        {"x": capture},
        replaceURI="/<{x}>/{x:.*}?r={x}",
        addQuery=[["a", "<{x}>"]],
        addHeaders=[["h", "<{x}>"]],
    )
    assert made.path == f"/<{in_path}>/{in_path}?r={in_query}&a=%3C{in_query}%3E"
    assert made.headers[1:] == [(b"h", b"<" + in_header + b">")]


HOSTILE = st.lists(
    st.sampled_from(
        ["\r\n", "\r", "\n", "\0", "/", "&", "=", "?", "#", "%", "%0d%0a", "%2F", "..", ".", " ", "+", "a", "é", "\udcff"]
    ),
    max_size=6,
).map("".join)


@given(HOSTILE, st.sampled_from(["header", "query"]))
def test_a_captured_value_stays_in_its_place(text: str, kind: Any) -> None:
    made = call(
        request("/p"),
        {"x": Capture(text, kind)},
        replaceURI="/a/{x}/b?r={x}",
        addQuery=[["q", "{x}"]],
        addHeaders=[["h", "{x}"]],
    )
    path, _, query = made.path.partition("?")
    assert made.path.isascii()
    assert not re.search(r"[\x00-\x20#]", made.path)
    first, a, segment, b = path.split("/")
    assert (first, a, b) == ("", "a", "b")
    assert segment not in (".", "..")
    assert decode(unquote_to_bytes(segment)) == text
    assert parse_qsl(query, keep_blank_values=True, errors="surrogateescape") == [("r", text), ("q", text)]
    [_, (name, value)] = made.headers
    assert name == b"h"
    assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value)


@given(HOSTILE.filter(lambda text: not re.search(r"[\x00-\x20?]", text)))
def test_a_uri_capture_stays_in_its_header_and_parameter(text: str) -> None:
    made = call(request("/p"), {"x": U(text)}, replaceURI="/a?r={x}", addQuery=[["q", "{x}"]], addHeaders=[["h", "{x}"]])
    value = decode(unquote_to_bytes(encode(text)))
    query = made.path.partition("?")[2]
    assert parse_qsl(query, keep_blank_values=True, errors="surrogateescape") == [("r", value), ("q", value)]
    [_, (_, header)] = made.headers
    assert not re.search(rb"[\x00-\x1f\x7f]", header)


def test_a_variable_without_capture_drops_its_header_and_parameter() -> None:
    made = call(request("/p?y"), addHeaders=[["a", "{nope}"], ["b", "{1}"]], addQuery=[["c", "x{nope:.*}"], ["d", "d1"]])
    assert (made.path, made.headers[1:]) == ("/p?d=d1&y", [(b"b", b"{1}")])


@pytest.mark.parametrize("uri", ["/x/{nope}", "/x?y={nope}"])
def test_a_variable_without_capture_in_replace_uri_fails_the_call(uri: str) -> None:
    made = rewrite(replaceURI=uri, replicas=2).calls(request("/p"), {"x": U("1")})
    # whoever answers with it says which target it was
    assert [m.failure for m in made] == ["replaceURI uses {nope}, but nothing was captured for it"] * 2


def test_replicas_are_numbered_and_share_nothing() -> None:
    made = rewrite(name="r3", replicas=3).calls(request("/p", (b"a", b"1")), {})
    assert [m.id for m in made] == ["r3[1][1]", "r3[2][2]", "r3[3][3]"]
    made[0].headers.append((b"b", b"2"))
    assert made[1].headers == made[2].headers == [(b"Host", b"up:81"), (b"a", b"1")]


def test_the_targets_own_timeout() -> None:
    assert call(request(), requestTimeout="400ms").timeout == 0.4
    assert [call(request(), bodyTimeout=text).body_timeout for text in (None, "2s", "0")] == [None, 2.0, inf]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "/?q=1"),
        ({"url": "http://up:81/base/?k=v"}, "/base/?k=v&q=1"),
        ({"url": "http://up:81/base/", "replaceURI": "/manual"}, "/base/manual?q=1"),
        ({"addQuery": [["a", "1"]], "removeQuery": ["q"]}, "/?a=1"),
    ],
)
def test_a_manual_call_goes_to_replace_uri_or_the_url_as_it_is(given: dict[str, Any], path: str) -> None:
    asked = request("/request/proxy/targets/t/invoke?q=1", (b"Host", b"goto"), (b"X", b"1"), (b"TE", b"gzip"), method="POST")
    [made] = rewrite(**given).manual(asked)
    assert (made.method, made.path) == ("POST", path)
    assert made.headers == [(b"Host", b"up:81"), (b"X", b"1")]


def test_a_manual_call_captures_nothing() -> None:
    made = rewrite(replaceURI="/{x}", replicas=2).manual(request("/request/proxy/targets/t/invoke"))
    assert [m.id for m in made] == ["t[1][1]", "t[2][2]"]
    assert all("{x}" in m.failure for m in made)
