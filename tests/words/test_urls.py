"""URLs of targets."""

from __future__ import annotations

import pytest

from goto.words import TargetUrl, http_url
from goto.words.urls import ProxyUrl, with_scheme


@pytest.mark.parametrize(
    "text",
    [
        "http://x",
        "https://x",
        "http://h:8080/base/?a=1",
        "http://[::1]:9000/",
        "http://10.0.0.1",
        "http://h/%2F//..",
        "http://h:65535",
    ],
)
def test_url(text: str):
    assert http_url(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "/path",
            "ftp://x",
            "//h/p",
            "http://",
            "http://:80",
            "http:///p",
            "http://h:0",
            "http://h:65536",
            "http://h:x",
        ),
        *("http://h/a b", "http://h/\r\nX: y", "http://h\t", "http://h/\u2028", "http://u:p@h/", "http://[::1"),
    ],
)
def test_no_url(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        http_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://h/a?b=c",
        "https://bücher.example",
        "http://[fe80::1%25eth0]:80/",
        "http://[fe80::1%eth0]",
        "http://a.test./",
        "http://[::1]:9000/",
    ],
)
def test_url_of_a_target(text: str):
    assert TargetUrl.parse(text) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ftp://x", "is not an http or https URL"),
        ("http://h/#part", "a fragment is never sent"),
        ("http://h/#", "a fragment is never sent"),
        ("http://☃.test/", "'☃' cannot be converted to ASCII .*: write it as xn--…"),
        ("http://[::1%25eth0]/", "is not link-local"),
        ("http://::1:8080/", "has an IPv6 address without brackets"),
    ],
)
def test_no_url_of_a_target(text: str, says: str):
    with pytest.raises(ValueError, match=says):
        TargetUrl.parse(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [("a:80/x", "http://a:80/x"), ("[::1]:80", "http://[::1]:80"), ("https://a", "https://a"), ("ftp://a", "ftp://a")],
)
def test_a_url_as_commands_take_it(text: str, url: str):
    assert with_scheme(text) == url


@pytest.mark.parametrize(
    ("text", "url", "there"),
    [
        ("http://proxy:3128", "http://proxy:3128", ("proxy", 3128, "")),
        ("HTTP://[::1]/", "http://[::1]/", ("::1", 80, "")),
        ("http://me:s%3Acret@p:1", "http://me:s%3Acret@p:1", ("p", 1, "Basic bWU6czpjcmV0")),
        ("http://me@p", "http://me@p", ("p", 80, "Basic bWU6")),
    ],
)
def test_a_proxy(text: str, url: str, there: tuple[str, int, str]):
    proxy = ProxyUrl.parse(text)
    assert (proxy, (proxy.host, proxy.port, proxy.authorization)) == (url, there)


@pytest.mark.parametrize(
    "text", ["", "p:1", "https://p", "socks5://p", "http://p/a", "http://p?a", "http://", "http://p:0", "http://a\nb"]
)
def test_no_proxy(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        ProxyUrl.parse(text)
