"""`make picture`: takes the picture of the page for README.md and docs/page.md, of a real goto."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from support import ROOT
from support.browser import Browser
from support.goto_process import Goto
from support.ui import ui

FILE = ROOT / "docs" / "page.png"
SIZE = (1280, 900)
PORTS = (8080, 8081)
"""Of goto and of the service behind it: those of the examples."""

PATHS = ("/orders/17", "/orders/18?page=2", "/stock", "/orders/19", "/status/404", "/echo", "/orders/20", "/stock?all=y")

ABOVE = 5
"""Rows above the one that is open."""


async def take(goto: Goto) -> None:
    folder = Path(tempfile.mkdtemp())
    with Browser(folder / "chromium") as browser:
        async with ui(browser, goto.base, folder) as shown:
            await shown.page.size(*SIZE)
            await shown.page.scheme("light")
            await shown.show("exchanges")
            for path in (*PATHS, *PATHS):
                await asyncio.to_thread(goto.call, "GET", path)
                await asyncio.sleep(0.05)  # so that they do not come all at the same time
            await asyncio.to_thread(goto.call, "POST", "/orders", {"item": 1, "count": 2})
            for path in PATHS[:ABOVE]:
                await asyncio.to_thread(goto.call, "GET", path)
            await shown.page.until(f"document.querySelectorAll('main tr[data-row]').length > {2 * len(PATHS) + ABOVE}")
            await shown.page.run(
                f"document.querySelectorAll('main tr[data-row] .open')[{ABOVE}].click(), document.activeElement.blur()"
            )
            await shown.page.until("!!document.querySelector('.entry .body')")
            await shown.settled()
            await shown.page.picture(FILE)


def main() -> None:
    local = ("--host", "127.0.0.1")
    with Goto("shop", *local, port=PORTS[1]) as service, Goto(None, *local, port=PORTS[0]) as goto:
        order = {"name": "order", "when": {"methods": ["POST"]}, "status": 201, "json": {"id": 21}, "delay": "12ms"}
        service.api("POST", "/response/rules/add", order)
        goto.api("PUT", "/goto/journal/set/y")
        target = {"name": "shop", "url": service.base, "when": {"uris": ["/orders", "/orders/{id}"]}}
        goto.api("POST", "/request/proxy/targets/add", target)
        rule = {"name": "flaky", "when": {"uris": ["/orders/{id}"]}, "every": 3, "status": 503, "seed": 7}
        goto.api("POST", "/response/rules/add", rule)
        asyncio.run(take(goto))
    print(f"{FILE.relative_to(ROOT)}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
