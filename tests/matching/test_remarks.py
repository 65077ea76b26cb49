"""What may be meant otherwise in a URI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.matching.criteria import UriTemplate
from goto.matching.remarks import about_uri, covered, in_brackets
from goto.matching.templates import Template

WHOLE = {
    "/": "",
    "/api": "/api matches only /api itself; write /api/{rest:.*} for all below it",
    "/api/": "/api/ matches only /api/ itself; write /api/{rest:.*} for all below it",
    "/a/{x}": "",
    "/a/{x}/b": "",
    "/api/*": "/api/*: * is a letter here; write /api/{rest:.*}",
    "/a/*/b/{x:.*}": "/a/*/b/{x:.*}: * is a letter here; write /a/{rest:.*}/b/{x:.*}",
    "/a/{x:b*}": "",
    "*": "*: * is a letter here; write {rest:.*}",
}


@pytest.mark.parametrize(("uri", "said"), WHOLE.items())
def test_a_uri(uri: str, said: str) -> None:
    assert about_uri(uri) == said
    assert about_uri(uri, whole=False) == (said if "* is a letter" in said else "")


@given(st.text("/ab*{}x:.", max_size=8))
def test_what_is_meant_can_be_written(text: str) -> None:
    try:
        uri = UriTemplate.parse("/" + text)
    except ValueError:
        return
    said = about_uri(uri)
    if said:
        meant = said.rpartition("; write ")[2].removesuffix(" for all below it")
        fits = uri.replace("*", "any/thing") if "* is a letter" in said else f"{uri.rstrip('/')}/any/thing"
        assert Template.parse(meant).match(fits) is not None


@pytest.mark.parametrize(
    ("uri", "by", "is_covered"),
    [
        ("/api", "/", True),
        ("/api/{x}", "/", True),
        ("/", "/api", False),
        ("/api", "/api", True),
        ("/API", "/api", True),
        ("/api/orders", "/api/{x}", True),
        ("/api/{x}", "/api/orders", False),
        ("/api/{x}", "/api/{y}", True),
        ("/api/{x}/b", "/api/{rest:.*}", True),
        ("/a/{x:[0-9]+}", "/a/{y}", True),
        ("/a/{y}", "/a/{x:[0-9]+}", False),
        ("/a/{x:[0-9]+}", "/a/{y:[a-z]+}", False),
        ("/a/{x:.*}", "/a/{y}", True),
        ("/a/{x:never-tried-[q]{7}}", "/", False),
        ("/a{x:.?}{y:.?}{z:q}", "/", False),
        ("/{a}/b", "/a/{b}", False),
    ],
)
def test_a_uri_whose_paths_another_matches(uri: str, by: str, is_covered: bool) -> None:
    assert list(covered([uri], [by])) == ([uri] if is_covered else [])


def test_in_brackets() -> None:
    assert in_brackets([]) == ""
    assert in_brackets(["a", "", "b"]) == " (a) (b)"
