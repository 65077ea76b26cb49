"""Heads of requests and responses."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from goto.http.fields import Headers
from goto.http.messages import Request, Response


def request(target: str = "/", headers: Any = ()) -> Request:
    return Request("GET", target, Headers(headers))


class TestRequest:
    @pytest.mark.parametrize(
        ("target", "path", "query"),
        [
            ("/", "/", ""),
            ("/a?b=c?d", "/a", "b=c?d"),
            ("/a%3F?", "/a%3F", ""),
            ("//a/../b?x", "//a/../b", "x"),
            ("*", "*", ""),
            ("?q", "", "q"),
        ],
    )
    def test_target_path_and_query(self, target: str, path: str, query: str):
        made = request(target)
        assert (made.target, made.path, made.query) == (target, path, query)

    @pytest.mark.parametrize(
        ("target", "status"),
        [("/status/200", 200), ("/status/418/", 418), ("/status/599?a=/status/200", 599), ("/status/503/?x", 503)],
    )
    def test_requested_status(self, target: str, status: int):
        assert request(target).requested_status == status

    @pytest.mark.parametrize(
        "word",
        [
            "",
            "/",
            "199",
            "600",
            "099",
            "0200",
            "20",
            "2000",
            "+20",
            "20.",
            "2 0",
            "abc",
            "２００",
            "200//",
            "200/x",
            "200%20",
            "²00",
            "-200",
        ],
    )
    def test_no_requested_status(self, word: str):
        assert request(f"/status/{word}").requested_status is None

    @pytest.mark.parametrize("target", ["/status", "/Status/200", "/a/status/200", "//status/200", "/statuses/200"])
    def test_the_status_api_is_one_path(self, target: str):
        assert request(target).requested_status is None

    @pytest.mark.parametrize(
        ("headers", "protocol"),
        [
            ([], ""),
            ([(b"Upgrade", b"websocket")], ""),
            ([(b"Upgrade", b"websocket"), (b"Connection", b"keep-alive")], ""),
            ([(b"Connection", b"upgrade")], ""),
            ([(b"Upgrade", b"WebSocket"), (b"Connection", b"keep-alive, Upgrade")], "websocket"),
            ([(b"upgrade", b" h2c "), (b"connection", b"close"), (b"CONNECTION", b"UPGRADE")], "h2c"),
            ([(b"Upgrade", b"websocket"), (b"Connection", b"not-upgrade")], ""),
        ],
    )
    def test_an_upgrade_counts_where_connection_names_it(self, headers: list[tuple[bytes, bytes]], protocol: str):
        assert request("/", headers).upgrade == protocol


def test_responses_say_what_they_are():
    line = Response.text(404, "grüße")
    assert (line.status, line.body) == (404, "grüße\n".encode())
    assert line.headers.get("content-type") == "text/plain; charset=utf-8"
    document = Response.json(200, b"{}")
    assert (document.status, document.body, document.headers.get("content-type")) == (200, b"{}", "application/json")


def test_responses_share_no_headers():
    first, second = Response(200), Response(200)
    first.headers.add("a", "b")
    assert second.headers.fields == []


def test_requests_and_responses_can_be_copied_and_inherited_from() -> None:
    class Mine(Headers):
        def get(self, name: str, default: str | None = None) -> str | None:
            return "mine"

    class Teapot(Response):
        pass

    response = Teapot.text(418, "short and stout")
    changed = copy.copy(response)
    changed.status, changed.body = 200, b"tall"
    assert (response.status, response.body, changed.headers) == (418, b"short and stout\n", response.headers)
    assert isinstance(changed, Teapot)
    deep = copy.deepcopy(response)
    deep.headers.add("x", "1")
    assert response.headers.get("x") is None
    request = copy.copy(Request("GET", "/a?b", Mine()))
    assert (request.path, request.query, request.headers.get("any")) == ("/a", "b", "mine")
