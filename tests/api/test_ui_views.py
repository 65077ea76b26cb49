"""Each view of the page, empty and with traffic, in both schemes and sizes: axe-core finds nothing, the console says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.browser import Browser
from support.goto_process import Goto
from support.ports import free_port
from support.ui import VIEWS, Ui, ui

WIDE, NARROW = (1440, 900), (375, 812)
SIGHTS: list[tuple[tuple[int, int], str, list[str]]] = [
    (WIDE, "light", []),
    (WIDE, "dark", ["color-contrast"]),
    (NARROW, "dark", []),
    (NARROW, "light", ["color-contrast"]),
]
"""Sizes with schemes, and the rules that are asked of them, none meaning all. Of another scheme only the colours are others."""

NAME = '<img src=x onerror="document.title=1">'
"""What would be seen, if it were taken for markup."""

OPENED = (
    "exchanges/1",
    "rules/flaky",
    "rules?new={}",
    "traffic/t1",
    "client/c1",
    "client?new=y",
    "listeners/{port}",
    "verify/orders",
)

STATE: dict[str, Any] = {
    "label": NAME,
    "journal": {},
    "response": {
        "headers": [["x", NAME]],
        "rules": [
            {"name": "flaky", "when": {"uris": ["/orders"]}, "probability": 0.5, "seed": 7, "status": 503},
            {"name": NAME, "when": {"uris": ["/cut"]}, "truncate": {"after": "1MiB"}, "seed": 8},
        ],
    },
    "request": {
        "headers": {"track": ["user"]},
        "timeout": {"track": ["all", "user"]},
        "uri": {"bypass": {"uris": ["/healthz"]}},
        "proxy": {"targets": [{"name": "t1", "url": "http://127.0.0.1:9", "match": {"uris": ["/t1"]}}]},
    },
}


SMALL = """[...document.querySelectorAll('a, button, input, select, textarea, summary')].filter(one => {
    const {width, height} = one.getBoundingClientRect();
    return width && Math.min(width, height) < 44;
}).map(one => one.outerHTML)"""
"""What is hard to hit by a finger."""


def fill(process: Goto) -> None:
    """Set something of each kind, and send traffic that shows it."""
    other = free_port()
    process.api("POST", "/goto/config", {**STATE, "listeners": [{"port": other, "label": "inner", "open": False}]})
    target = {"name": "c1", "method": "GET", "url": f"{process.base}/orders", "requestCount": 20}
    process.api("POST", "/client/targets/add", target)
    process.api(
        "POST", "/goto/journal/expectations/add", {"name": "orders", "when": {"uris": ["/orders"]}, "count": {"atLeast": 2}}
    )
    process.call("POST", "/orders", {"item": 1}, headers={"user": NAME})
    for path in ("/orders", "/cut", "/t1", "/status/404", "/healthz"):
        process.call("GET", path, headers={"user": "a"})
    process.api("POST", "/client/targets/c1/invoke")


@pytest.fixture(scope="module")
def filled(goto: Callable[..., Goto]) -> Goto:
    process = goto("filled", "--host", "127.0.0.1")
    fill(process)
    return process


def test_nothing_is_wrong_with_a_view_that_is_empty(goto: Callable[..., Goto], browser: Browser, tmp_path: Path) -> None:
    process = goto("empty", "--host", "127.0.0.1")

    async def look() -> None:
        async with ui(browser, process.base, tmp_path) as shown:
            await _look(shown, VIEWS)
            assert await shown.page.run("document.title") == "Config · goto"

    asyncio.run(look())


def test_nothing_is_wrong_with_a_view_that_has_traffic(filled: Goto, browser: Browser, tmp_path: Path) -> None:
    async def look() -> None:
        async with ui(browser, filled.base, tmp_path) as shown:
            await _look(shown, [*VIEWS, *(place.replace("{port}", str(filled.port)) for place in OPENED)])
            assert await shown.page.run("document.title") == "Verify · goto"

    asyncio.run(look())


async def _look(shown: Ui, places: Sequence[str]) -> None:
    await shown.show(places[0])
    for place in places:
        await shown.go(place)
        await shown.settled()
        for size, scheme, rules in SIGHTS:
            await shown.page.size(*size)
            await shown.page.scheme(scheme)
            assert await shown.violations(*rules) == [], (place, scheme, size)
            assert await shown.page.run("document.documentElement.scrollWidth <= innerWidth"), (place, size)
        assert await shown.page.run(SMALL) == [], place
    assert shown.page.complaints == []


def test_nothing_breaks_where_text_is_twice_as_large(filled: Goto, browser: Browser, tmp_path: Path) -> None:
    async def look() -> None:
        async with ui(browser, filled.base, tmp_path) as shown:
            await shown.show("exchanges")
            await shown.page.run("document.documentElement.style.fontSize = '200%'; document.body.style.fontSize = '28px'; 1")
            for place in VIEWS:
                await shown.go(place)
                await shown.settled()
                for width in (1440, 375):
                    await shown.page.size(width, 812)
                    assert await shown.page.run("document.documentElement.scrollWidth <= innerWidth"), (place, width)

    asyncio.run(look())
