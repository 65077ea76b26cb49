"""What targets of both kinds have in common."""

from __future__ import annotations

from typing import Any

import pytest

from goto.client.target import ClientTarget
from goto.errors import BadInput
from goto.exchange.call import DEFAULT_TIMEOUT
from goto.features.proxy.target import ProxyTarget
from goto.flow import Origin
from goto.upstream.target import Reached
from goto.words.reading import read_struct


@pytest.fixture(params=[ClientTarget, ProxyTarget])
def target(request: pytest.FixtureRequest) -> Any:
    """`target(url=…, …)`: of either kind."""

    def make(**fields: Any) -> Reached:
        needed = {"name": "t", "url": "http://x"} | ({"method": "GET"} if request.param is ClientTarget else {})
        read, unknown = read_struct(needed | fields, request.param)
        assert not unknown
        return read

    return make


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://x/a?b", ("http", "x", 80)),
        ("http://x:81", ("http", "x", 81)),
        ("https://[::1]/", ("https", "::1", 443)),
        ("https://bücher.example", ("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_connections_go_where_the_url_says(target: Any, url: str, origin: tuple[str, str, int]) -> None:
    one = target(url=url)
    assert one.origin[:3] == origin
    assert one.origin is one.origin, "the files of tls are read once"


def test_tls_is_a_part_of_the_origin(target: Any) -> None:
    assert target().origin == Origin("http", "x", 80, None)
    assert target(url="https://x", verifyTLS=False).origin != target(url="https://x").origin
    with pytest.raises(BadInput, match="the url is not https"):
        _ = target(tls={"ca": "/nowhere"}).origin


@pytest.mark.parametrize(
    ("given", "seconds"),
    [({}, DEFAULT_TIMEOUT), ({"requestTimeout": "0s"}, DEFAULT_TIMEOUT), ({"requestTimeout": "250ms"}, 0.25)],
)
def test_an_answer_may_take_as_long_as_is_said(target: Any, given: dict[str, str], seconds: float) -> None:
    assert target(**given).timeout == seconds
