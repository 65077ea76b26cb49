"""One request to another instance."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from support.upstream import Reply, Upstream, held

from goto.flow import Origin
from goto.upstream.ask import ask, failure
from goto.upstream.errors import UpstreamError
from goto.upstream.pool import Pool


def asked(port: int, *args: Any, **how: Any) -> tuple[int, bytes]:
    async def main() -> tuple[int, bytes]:
        pool = Pool()
        try:
            return await ask(pool, Origin("http", "127.0.0.1", port), *args, **{"timeout": 5.0, **how})
        finally:
            await pool.close()

    return asyncio.run(main())


def test_status_and_body_come_back(upstream: Upstream):
    upstream.on("/a%2Fb", Reply(201, b"made"))
    assert asked(upstream.port, "POST", "/a%2Fb", b"{}", ((b"X", b"1"),)) == (201, b"made")
    [received] = upstream.take(1)
    assert (received.method, received.target, received.body) == ("POST", "/a%2Fb", b"{}")
    assert received.values("host") == [f"127.0.0.1:{upstream.port}"]
    assert received.values("content-type") == ["application/json"]
    assert received.values("x") == ["1"]


def test_a_body_over_the_limit_is_an_error(upstream: Upstream):
    upstream.on("/", Reply(200, b"x" * 100))
    assert asked(upstream.port, "GET", "/", limit=100)[1] == b"x" * 100
    with pytest.raises(UpstreamError, match="more than 99 bytes"):
        asked(upstream.port, "GET", "/", limit=99)


def test_the_time_holds_for_all_of_it(upstream: Upstream):
    def drops() -> Any:
        while True:
            time.sleep(0.05)
            yield b"x"

    with held() as event:
        upstream.on("/", Reply(hold=event))
        with pytest.raises(UpstreamError, match=r"within 300ms"):
            asked(upstream.port, "GET", "/", timeout=0.3)
    upstream.on("/drops", Reply(body=drops()))
    with pytest.raises(UpstreamError, match=r"within 300ms"):
        asked(upstream.port, "GET", "/drops", timeout=0.3)


def test_nobody_there_is_an_error():
    with pytest.raises(UpstreamError, match="cannot connect"):
        asked(1, "GET", "/")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"no\nsuch  thing\n", "answered 404: no such thing"),
        (b'{"error": "no such thing"}', "answered 404: no such thing"),
        (b'{"other": 1}', 'answered 404: {"other": 1}'),
        (b"[1]", "answered 404: [1]"),
        (b"", "answered 404"),
        (b"[" * 5000, "answered 404: " + "[" * 200),
        (b"\xff", "answered 404: \udcff"),
    ],
)
def test_what_an_answer_said(data: bytes, text: str):
    assert failure(404, data) == text
