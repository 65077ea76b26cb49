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
from support.browser import Browser, Page, page
from support.waiting import until

AXE = ROOT / "tests" / "support" / "axe" / "axe.min.js"
VIEWS = ("exchanges", "rules", "traffic", "client", "listeners", "verify", "config")

READY = "!!document.querySelector('main > div')"


@dataclass(frozen=True)
class Control:
    """A control as it is shown: its label, its call, and the forms that it may be copied in, by name."""

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

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the others of a view."""
        return self.label, self.path

    def means(self, call: str) -> bool:
        """Whether a line of the access log is this call, however the path is written."""
        return unquote(call) == unquote(self.call)


class Ui:
    """The page, shown by a browser."""

    def __init__(self, shown: Page, base: str) -> None:
        self.page = shown
        self.base = base
        self._pressed_after = 0

    async def show(self, place: str) -> None:
        """Load the page anew at a view, `rules/flaky`; again where the network of this machine changed while it was loaded."""
        while True:
            cut = self.page.cut
            await self.page.open("about:blank")
            await self.page.open(f"{self.base}/goto/ui#{place}")
            ready = asyncio.ensure_future(self.page.until(READY))
            # mypy guesses no type of a lambda with defaults
            await until(lambda ready=ready, cut=cut: ready.done() or self.page.cut > cut)  # type: ignore[misc]
            if ready.done():
                await ready
                return
            ready.cancel()

    async def go(self, place: str) -> None:
        """Go to a view of the page that is loaded."""
        await self.page.run(f"location.hash = {json.dumps(place)}; 1")

    async def settled(self) -> None:
        """Wait until all that was read is shown: one read may lead to others."""
        while True:
            before = self._reads()
            await until(lambda: not any(map(_is_read, self.page.asking.values())))
            await self.page.run(SHOWN)
            if self._reads() == before:
                return

    def _reads(self) -> int:
        return sum(map(_is_read, self.page.requests))

    async def told(self, before: int) -> None:
        """Wait until the page knows what has changed since it had made `before` requests, and shows it."""
        await until(lambda: not all(map(_is_read, self.page.requests[before:])))
        await self.settled()

    async def controls(self) -> list[Control]:
        """All controls of the view, in the order in which they are read."""
        found = await self.page.run(CONTROLS)
        return [Control(**one) for one in found]

    async def control(self, label: str, path: str = "") -> Control:
        """The control with a label, once it is there and can be pressed; `path` is a part of that of its call."""
        wanted = (
            f"({CONTROLS}).find(one => one.label === {json.dumps(label)} && one.enabled && one.path.includes({json.dumps(path)}))"
        )
        await self.page.until(f"!!{wanted}")
        return next(one for one in await self.controls() if one.label == label and one.enabled and path in one.path)

    async def act(self, control: Control) -> None:
        """Press a control, and say yes where it asks."""
        self._pressed_after = len(self.page.requests)
        await self.page.push(f"{_act(control)}?.querySelector('button')")
        if control.asks:
            await self.page.push("document.querySelector('dialog[open] .danger')")

    async def called(self, control: Control) -> None:
        """Wait until the call of the control that was pressed last is answered."""
        url = unquote(self.base + control.path)
        made = self.page.requests
        await until(lambda: any(unquote(one) == url for one in made[self._pressed_after :]))
        await until(lambda: not any(unquote(one) == url for one in self.page.asking.values()))

    async def answer(self, control: Control) -> str:
        """What is said beside a control, once it was answered."""
        said: str = await self.page.until(f"{_act(control)}?.querySelector('.answer')?.innerText")
        return said

    async def fill(self, texts: dict[str, str]) -> None:
        """Write into all fields of the view, by their labels; those of filters apart."""
        await self.page.run(f"({FILL})({json.dumps(texts)})")

    async def write(self, label: str, text: str, nth: int = 0) -> None:
        """Write into the field with a label, in place of what is there."""
        await self.page.until(f"!!{_field(label, nth)}")
        await self.page.run(f"{_field(label, nth)}.focus(), {_field(label, nth)}.select?.()")
        if await self.page.run(f"{_field(label, nth)}.matches('select')"):
            change = "['input', 'change'].forEach(name => field.dispatchEvent(new Event(name, {bubbles: true})))"
            await self.page.run(f"(field => {{ field.value = {json.dumps(text)}; {change}; }})({_field(label, nth)})")
        else:
            await self.page.write(text)

    async def violations(self, *rules: str) -> list[Any]:
        """What axe-core finds, by all of its rules or by some: rule, and the elements."""
        if not await self.page.run("typeof axe === 'object'"):
            await self.page.run(f"{AXE.read_text()};1")
        found: list[Any] = await self.page.run(VIOLATIONS % (json.dumps({"runOnly": rules}) if rules else ""))
        return found


CONTROLS = """[...document.querySelectorAll('.act')].map(act => {
    const button = act.querySelector('button');
    const [method, ...path] = act.querySelector('.call').textContent.split(' ');
    const copies = [...act.querySelectorAll('.copy')].map(
        copy => [copy.querySelector('button').textContent, copy.querySelector('pre').textContent]);
    return {label: button.textContent, method, path: path.join(' '), copies: Object.fromEntries(copies),
        enabled: !button.disabled, asks: button.ariaHasPopup === 'dialog'};
})"""

FILL = """texts => { for (const label of document.querySelectorAll('main label')) {
    const text = texts[label.firstChild?.textContent.trim()], field = label.control;
    if (text === undefined || !field || field.closest('.filters')) continue;
    field.value = text;
    field.dispatchEvent(new Event('input', {bubbles: true}));
} }"""

SHOWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0, 1))))"
"""What effects do follows a frame."""

VIOLATIONS = """axe.run(%s).then(found => found.violations.map(
    one => [one.id, ...one.nodes.map(node => node.html.slice(0, 200) + ' ' + node.failureSummary)]))"""


def _act(control: Control) -> str:
    """The element of a control, wherever it is by now: what is read meanwhile may put others before it."""
    same = f"one.label === {json.dumps(control.label)} && one.path === {json.dumps(control.path)}"
    return f"document.querySelectorAll('.act')[{CONTROLS}.findIndex(one => {same})]"


def _fields(label: str) -> str:
    labels = "[...document.querySelectorAll('label')].filter(label => label.firstChild?.textContent.trim() === "
    return f"{labels}{json.dumps(label)}).map(label => label.control)"


def _field(label: str, nth: int) -> str:
    return f"{_fields(label)}[{nth}]"


def _is_read(url: str) -> bool:
    """Whether it is answered at once, other than what waits for something new."""
    return "/goto/watch" not in url


@contextlib.asynccontextmanager
async def ui(browser: Browser, base: str, folder: Path) -> AsyncIterator[Ui]:
    """The page in a browser. A test that fails leaves a picture in the folder."""
    async with page(browser) as shown:
        made = Ui(shown, base)
        try:
            yield made
        except BaseException:
            with contextlib.suppress(Exception):
                await shown.picture(folder / "failed.png")
                print(f"the page as it was: {folder / 'failed.png'}")
            raise
