"""The page of a goto in a browser, as tests of it use it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from support import ROOT
from support.browser import Page, page

AXE = ROOT / "tests" / "support" / "axe" / "axe.min.js"
VIEWS = ("exchanges", "rules", "traffic", "client", "listeners", "verify", "config")

READY = "!!document.querySelector('main > div')"


@dataclass(frozen=True)
class Control:
    """A control as it is shown: its label, its call, and the forms that it may be copied in, by name."""

    at: int
    label: str
    method: str
    path: str
    enabled: bool
    asks: bool
    copies: dict[str, str]

    @property
    def call(self) -> str:
        """Method and path, as the access log has them."""
        return f"{self.method} {self.path}"

    def means(self, call: str) -> bool:
        """Whether a line of the access log is this call, however the path is written."""
        return unquote(call) == unquote(self.call)


class Ui:
    """The page, shown by a browser."""

    def __init__(self, shown: Page, base: str) -> None:
        self.page = shown
        self.base = base

    async def show(self, place: str) -> None:
        """Load the page anew at a view, `rules/flaky`."""
        await self.page.open("about:blank")
        await self.page.open(f"{self.base}/goto/ui#{place}")
        await self.page.until(READY)

    async def go(self, place: str) -> None:
        """Go to a view of the page that is loaded."""
        await self.page.run(f"location.hash = {json.dumps(place)}; 1")

    async def settled(self) -> None:
        """Wait until what is shown has stood still for a moment: reads come in one after another."""
        before = None
        while before != (before := await self.page.run("document.querySelector('main').innerText")):
            await asyncio.sleep(0.1)

    async def controls(self) -> list[Control]:
        """All controls of the view, in the order in which they are read."""
        found = await self.page.run(CONTROLS)
        return [Control(at, **one) for at, one in enumerate(found)]

    async def control(self, label: str, path: str = "") -> Control:
        """The control with a label, once it is there and can be pressed; `path` is a part of that of its call."""
        wanted = (
            f"({CONTROLS}).find(one => one.label === {json.dumps(label)} && one.enabled && one.path.includes({json.dumps(path)}))"
        )
        await self.page.until(f"!!{wanted}")
        return next(one for one in await self.controls() if one.label == label and one.enabled and path in one.path)

    async def act(self, control: Control) -> None:
        """Press a control, once nothing moves any more, and say yes where it asks."""
        await self.settled()
        await self.page.click(f"document.querySelectorAll('.act')[{control.at}].querySelector('button')")
        if control.asks:
            await self.page.click("document.querySelector('dialog[open] .danger')")

    async def answer(self, control: Control) -> str:
        """What is said beside a control, once it was answered."""
        said: str = await self.page.until(f"document.querySelectorAll('.act')[{control.at}]?.querySelector('.answer')?.innerText")
        return said

    async def fields(self, label: str) -> int:
        """How many fields of the view have a label, those of filters apart."""
        found: int = await self.page.run(f"{_fields(label)}.filter(field => field && !field.closest('.filters')).length")
        return found

    async def write(self, label: str, text: str, nth: int = 0) -> None:
        """Write into the field with a label, in place of what is there."""
        await self.page.until(f"!!{_field(label, nth)}")
        await self.page.run(f"{_field(label, nth)}.focus(), {_field(label, nth)}.select?.()")
        if await self.page.run(f"{_field(label, nth)}.matches('select')"):
            change = "['input', 'change'].forEach(name => field.dispatchEvent(new Event(name, {bubbles: true})))"
            await self.page.run(f"(field => {{ field.value = {json.dumps(text)}; {change}; }})({_field(label, nth)})")
        else:
            await self.page.write(text)

    async def violations(self) -> list[Any]:
        """What axe-core finds: rule, and the elements."""
        if not await self.page.run("typeof axe === 'object'"):
            await self.page.run(f"{AXE.read_text()};1")
        found: list[Any] = await self.page.run(VIOLATIONS)
        return found


CONTROLS = """[...document.querySelectorAll('.act')].map(act => {
    const button = act.querySelector('button');
    const [method, ...path] = act.querySelector('.call').textContent.split(' ');
    const copies = [...act.querySelectorAll('.copy')].map(
        copy => [copy.querySelector('button').textContent, copy.querySelector('pre').textContent]);
    return {label: button.textContent, method, path: path.join(' '), copies: Object.fromEntries(copies),
        enabled: !button.disabled, asks: button.ariaHasPopup === 'dialog'};
})"""

VIOLATIONS = """axe.run().then(found => found.violations.map(
    one => [one.id, ...one.nodes.map(node => node.html.slice(0, 200) + ' ' + node.failureSummary)]))"""


def _fields(label: str) -> str:
    labels = "[...document.querySelectorAll('label')].filter(label => label.firstChild?.textContent.trim() === "
    return f"{labels}{json.dumps(label)}).map(label => label.control)"


def _field(label: str, nth: int) -> str:
    return f"{_fields(label)}[{nth}]"


@contextlib.asynccontextmanager
async def ui(folder: Path, base: str) -> AsyncIterator[Ui]:
    """The page in a browser of its own, whose files are in a folder. A test that fails leaves a picture there."""
    async with page(folder) as shown:
        made = Ui(shown, base)
        try:
            yield made
        except BaseException:
            with contextlib.suppress(Exception):
                await shown.picture(folder / "failed.png")
                print(f"the page as it was: {folder / 'failed.png'}")
            raise
