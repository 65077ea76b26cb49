"""URIs as people give them."""

from __future__ import annotations

import string
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.errors import NotFound
from goto.features.bypass import AddedUri, Bypass, BypassUri
from goto.http.fields import Headers
from goto.http.messages import Request
from goto.matching.criteria import Criteria, UriTemplate
from goto.matching.given import as_sent, template_as_sent
from goto.matching.index import MatchIndex
from goto.matching.templates import Variable, parse_template

GIVEN = {
    "/my file": "/my%20file",
    "/my%20file": "/my%20file",
    "/café/{x}": "/caf%C3%A9/{x}",
    "/caf%c3%a9": "/caf%c3%a9",
    '/a"b<c>d\\e^f`g': "/a%22b%3Cc%3Ed%5Ce%5Ef%60g",
    "/100%": "/100%25",
    "/%zz%4": "/%25zz%254",
    "/%41": "/%41",
    "/~ann!$&'()*+,;=:@-._": "/~ann!$&'()*+,;=:@-._",
    "/a|b[c]": "/a|b[c]",
    "/{x:[ ü]+}/ü": "/{x:[ ü]+}/%C3%BC",
    "/a%{x}": "/a%25{x}",
}


@pytest.mark.parametrize(("uri", "sent"), GIVEN.items())
def test_what_cannot_stand_in_a_path_is_percent_encoded(uri: str, sent: str) -> None:
    assert template_as_sent(uri) == sent
    assert UriTemplate.parse(uri) == sent
    assert BypassUri.parse(uri) == sent


@given(st.text(string.printable + "éß€\u202e😀\udcff", max_size=12))
def test_what_is_sent_can_be_sent_and_says_the_same(text: str) -> None:
    sent = as_sent(text)
    assert sent.isascii()
    assert sent.isprintable()
    assert not set(sent) & set(' "<>\\^`#')
    assert as_sent(sent) == sent
    if "%" not in text:
        assert unquote(sent, errors="surrogateescape") == text


@given(st.text("/ab{}x:é %[]*", max_size=12))
def test_variables_stay(text: str) -> None:
    try:
        pieces = parse_template(text)
    except ValueError:
        return
    sent = parse_template(template_as_sent(text))
    variables = [piece for piece in pieces if isinstance(piece, Variable)]
    assert [piece for piece in sent if isinstance(piece, Variable)] == variables


def hits(uri: str, path: str) -> bool:
    index = MatchIndex([(0, Criteria(uris=[UriTemplate.parse(uri)]))])
    return bool(index.match(Request("GET", path, Headers())))


@pytest.mark.parametrize(
    ("uri", "path", "hit"),
    [
        ("/café/{x}", "/caf%C3%A9/1", True),
        ("/café/{x}", "/caf%c3%a9/1", True),
        ("/caf%c3%A9", "/caf%C3%a9", True),
        ("/my file", "/my%20file", True),
        ("/my%20file", "/my%20file", True),
        ("/my file", "/my+file", False),
        ("/~ann", "/~ann", True),
        ("/~ann", "/%7Eann", False),
        ("/%7Eann", "/%7eann", True),
        ("/%7Eann", "/~ann", False),
        ("/a%2Fb", "/a%2fb", True),
        ("/a/b", "/a%2Fb", False),
        ("/a/{x}", "/a%2Fb", False),
        ("/100%", "/100%25", True),
    ],
)
def test_paths_compare_as_written_but_for_the_case_of_hex_digits(uri: str, path: str, hit: bool) -> None:
    assert hits(uri, path) is hit
    bypass = Bypass()
    bypass.add(BypassUri.parse(uri))
    assert (bypass._find(path, "") is not None) is hit


def test_a_bypass_uri_is_the_same_however_it_is_given() -> None:
    bypass = Bypass()
    bypass.add(BypassUri.parse("/my file?q=ü#x"))
    assert bypass._find("/MY%20file", "q=%c3%bc%23x") is not None
    assert bypass.count(AddedUri.parse("/my%20file?q=%C3%BC%23x")) == 0
    bypass.remove(AddedUri.parse("/my file?q=ü#x"))
    with pytest.raises(NotFound):
        bypass.remove(AddedUri.parse("/my file?q=ü#x"))


@pytest.mark.parametrize("uri", ["/a?b", "/a?", "/a#b", "/{x}?y", "a", "", "*", "http://h/a"])
def test_what_would_match_nothing_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match=r"query|slash|#"):
        UriTemplate.parse(uri)
