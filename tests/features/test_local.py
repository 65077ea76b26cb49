"""What goto answers by itself."""

from __future__ import annotations

import pytest
from support.flows import flow, passed

from goto.features.local import Local
from goto.traffic.echo import echo


def answer(target: str, *, method: str = "GET", status: int | None = None, default: bool = True) -> tuple[int, bytes]:
    one = flow(target, method=method, default=echo if default else None)
    one.status = status
    response = passed([Local()], one, status=299).response
    assert response is not None
    return response.status, response.body


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_a_status_in_any_method(method: str) -> None:
    assert answer("/status/418", method=method) == (418, b"418 I'm a teapot\n")


@pytest.mark.parametrize(
    ("word", "text"), [("200", "200 OK"), ("599", "599"), ("208/", "208 Already Reported"), ("404?a=b", "404 Not Found")]
)
def test_statuses(word: str, text: str) -> None:
    assert answer(f"/status/{word}") == (int(word[:3]), f"{text}\n".encode())


@pytest.mark.parametrize("word", ["199", "600", "abc", "20", "2000", "-200", "+200", "2 0", "²00", "%32%30%30", "200x"])
def test_what_is_no_status_is_said_so(word: str) -> None:
    status, body = answer(f"/status/{word}")
    assert status == 400
    assert b"is not a status from 200 to 599" in body


@pytest.mark.parametrize(
    "target", ["/status", "/status/", "/status/200/x", "/Status/200", "/statuses/200", "/", "/echos", "/ECHO"]
)
def test_everything_else_is_left_to_the_host(target: str) -> None:
    assert answer(target, default=False)[0] == 299


@pytest.mark.parametrize("target", ["/echo", "/echo/", "/echo/headers", "/echo/headers/", "/echo?a=b"])
def test_echo(target: str) -> None:
    status, body = answer(target, default=False)
    assert status == 200
    assert body.startswith(f'{{"RequestURI":"{target}"'.encode())


def test_a_forced_status_keeps_the_local_body() -> None:
    assert answer("/status/418", status=503) == (503, b"503 Service Unavailable\n")
    assert answer("/status/abc", status=503) == (503, b"503 Service Unavailable\n")
    for target in ("/echo", "/any"):
        status, body = answer(target, status=503)
        assert status == 503
        assert b'"RequestURI"' in body


def test_a_forced_status_is_empty_where_there_is_no_catch_all() -> None:
    assert answer("/any", status=503, default=False) == (503, b"")


def test_304_describes_no_content() -> None:
    for target, status in (("/status/304", None), ("/echo", 304), ("/other", 304), ("/status/200", 304)):
        for default in (True, False):
            one = flow(target, default=echo if default else None)
            one.status = status
            response = passed([Local()], one).response
            assert response is not None
            assert response.status == 304
            assert "content-type" not in response.headers
