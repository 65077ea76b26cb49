"""Files of pages: what a browser has is not sent again, and what a page may do is said."""

from __future__ import annotations

import pytest

from goto.api.files import MEDIA, POLICY, File, Files, cached, entity_tag
from goto.flow import Headers, Request

FILES = Files({"a": File("page", "page.js"), "b": File("page", "index.html")})


def request(*known: str) -> Request:
    return Request("GET", "/", Headers([(b"If-None-Match", value.encode()) for value in known]))


def test_a_file_with_what_it_may_do() -> None:
    answer = FILES.answer("a", request())
    assert (answer.status, answer.headers.get("content-type")) == (200, MEDIA["js"])
    assert answer.headers.get("content-security-policy") == POLICY
    assert (answer.headers.get("x-content-type-options"), answer.headers.get("referrer-policy")) == ("nosniff", "no-referrer")
    assert answer.body == File("page", "page.js").read()
    assert FILES.answer("b", request()).headers.get("content-type") == "text/html; charset=utf-8"
    with pytest.raises(KeyError):
        FILES.answer("c", request())
    assert "a" in FILES
    assert "c" not in FILES


def test_what_a_client_has_is_not_sent_again() -> None:
    tag = entity_tag(b"x")
    assert tag != entity_tag(b"y")
    for known in ((tag,), (f'"z", W/{tag}',), ('"z"', tag), ("*",)):
        answer = cached(request(*known), tag, "text/plain", lambda: b"x")
        assert (answer.status, answer.body, answer.headers.get("etag")) == (304, b"", tag)
    answer = cached(request('"z"'), tag, "text/plain", lambda: b"x")
    assert (answer.status, answer.body, answer.headers.get("cache-control")) == (200, b"x", "no-cache")


def test_the_policy_lets_a_page_have_its_own_and_nothing_else() -> None:
    assert set(POLICY.split("; ")) == {
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    }
