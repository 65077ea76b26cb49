"""What a parsed message asks."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from goto.hosts.standalone.requests import refusal_of, request_of
from goto.traffic.limits import LIMITS

Fields = Iterable[tuple[bytes, bytes]]


def message(target: str, fields: Fields = (), method: str = "GET") -> Any:
    """As aiohttp's parser makes it, with what is looked at."""
    return SimpleNamespace(method=method, path=target, raw_headers=tuple(fields), version=(1, 1))


@pytest.mark.parametrize(
    ("target", "origin", "host"),
    [
        ("/a?b", "/a?b", b"sent"),
        ("//a/../%2F", "//a/../%2F", b"sent"),
        ("*", "*", b"sent"),
        ("http://h/a?b", "/a?b", b"h"),
        ("HTTP://h:81/a", "/a", b"h:81"),
        ("https://h", "/", b"h"),
        ("http://h?b", "/?b", b"h"),
        ("http://h/a?u=http://x/", "/a?u=http://x/", b"h"),
        ("http://u:p@h/a", "/a", b"h"),
        ("http://[::1]:8/a", "/a", b"[::1]:8"),
        ("ftp://h/a", "ftp://h/a", b"sent"),
    ],
)
def test_targets_become_origin_form(target: str, origin: str, host: bytes) -> None:
    request = request_of(message(target, [(b"X", b"1"), (b"hOST", b"sent"), (b"Y", b"2")]), has_body=True)
    assert (request.target, request.has_body) == (origin, True)
    assert request.headers.get_all("host") == [host.decode()]
    assert [value for name, value in request.headers.fields if name in (b"X", b"Y")] == [b"1", b"2"]


def test_fields_come_as_they_are() -> None:
    fields = [(b"X", b"\xff"), (b"x", b""), (b"X", b"2")]
    assert request_of(message("/", fields), has_body=False).headers.fields == fields


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (message("/"), None),
        (message("a:1", method="CONNECT"), 501),
        (message("/", [(b"Transfer-Encoding", b"chunked")]), None),
        (message("/", [(b"TRANSFER-encoding", b" Chunked ")]), None),
        (message("/", [(b"Transfer-Encoding", b"gzip, chunked")]), 400),
        (message("/", [(b"Transfer-Encoding", b"")]), 400),
        (message("/" + "a" * (LIMITS.head - 1)), None),
        (message("/" + "a" * LIMITS.head), 431),
        (message("/", [(b"x", b"y" * 1000)] * 64), None),
        (message("/", [(b"x", b"y" * 1000)] * 66), 431),
    ],
)
def test_what_is_refused_at_once(asked: Any, status: int | None) -> None:
    refused = refusal_of(asked)
    assert (None if refused is None else refused[0]) == status
