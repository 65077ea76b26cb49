"""The page under mitmproxy: the same as standalone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from support.browser import Browser
from support.mitm_process import Mitmdump
from support.ui import ui
from support.upstream import Upstream


def test_the_page_shows_and_controls_it(browser: Browser, tmp_path: Path) -> None:
    with Upstream() as behind, Mitmdump(f"reverse:{behind.base}") as mitmdump:

        async def look() -> None:
            async with ui(browser, mitmdump.base, tmp_path) as shown:
                page = shown.page
                await shown.show("exchanges")
                assert mitmdump.call("GET", "/orders").text == "hello\n"
                await page.until("document.querySelector('main tr[data-row]')?.innerText.includes('/orders')")
                await page.click("document.querySelector('main tr[data-row] .open')")
                await page.until("document.querySelector('.entry')?.innerText.includes('GET /orders')")
                await page.click("[...document.querySelectorAll('.entry a')].find(one => one.innerText === 'a rule for this')")
                await shown.write("name", "flaky")
                await shown.write("status", "503")
                await shown.act(await shown.control("Add"))
                await page.until("location.hash === '#rules/flaky'")
                assert mitmdump.call("GET", "/orders").status == 503
                await page.until("document.querySelector('tr[data-row]')?.innerText.match(/\\t1\\t1\\t0\\t0/)")
                assert await shown.violations() == []
                # what this host cannot do is said as it says it
                await shown.show("rules?new=" + json.dumps({"name": "slow", "pace": {"rate": "1KiB"}}))
                control = await shown.control("Add")
                await shown.act(control)
                assert "mitmproxy cannot do it" in await shown.answer(control)
                assert not [complaint for complaint in page.complaints if "409" not in complaint]

        asyncio.run(look())
        rule = mitmdump.api("GET", "/response/rules/flaky").json()
        assert (rule["when"]["uris"], rule["when"]["methods"]) == (["/orders"], ["GET"])
