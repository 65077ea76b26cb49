"""A real browser without a window, as tests of pages use it: chromium, by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import aiohttp

from support.ports import free_port
from support.waiting import PATIENCE, eventually

LONGEST = 3 * PATIENCE
"""Seconds: a browser on a busy machine takes its time."""


def find_chromium() -> str | None:
    """The path of a chromium, if there is one."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


class Browser:
    """One chromium, which the pages of many tests share: each has a context of its own, with its storage and its cache."""

    def __init__(self, folder: Path) -> None:
        """Start it, with its files in a folder. It listens when this returns."""
        binary = find_chromium()
        assert binary, "no chromium here"
        port = free_port()
        self._process = subprocess.Popen(
            [
                binary,
                "--headless=new",
                "--disable-gpu",
                "--disable-dev-shm-usage",  # small in containers
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-extensions",
                "--process-per-site",  # pages of one goto share a process
                *(["--no-sandbox"] if os.geteuid() == 0 else []),  # which root has to do without
                f"--user-data-dir={folder}",
                f"--remote-debugging-port={port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder)},
        )
        try:
            self.address: str = eventually(lambda: self._listens(port), seconds=LONGEST)
        except BaseException:
            self.stop()
            raise

    def _listens(self, port: int) -> str:
        """Where it listens, once it does."""
        if self._process.poll() is not None:
            raise RuntimeError(f"chromium ended with {self._process.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/json/version", timeout=5) as answer:
            return str(json.load(answer)["webSocketDebuggerUrl"])
        return ""

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(LONGEST)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


_KEYS = {
    "Enter": (13, "\r"),
    "Tab": (9, ""),
    "Escape": (27, ""),
    "ArrowDown": (40, ""),
    "ArrowUp": (38, ""),
    " ": (32, " "),
    "/": (191, "/"),
    "?": (191, "?"),
}
"""The codes of keys that are no letters or digits, and the text that they write."""


class Wire:
    """The DevTools protocol on one socket: commands with their results, and what is said of each session."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.pages: dict[str, Page] = {}
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Read what the browser says, for as long as it does."""
        async for message in self._socket:
            said = json.loads(message.data)
            if said.get("id") in self._waiting:
                self._waiting.pop(said["id"]).set_result(said)
            elif said.get("sessionId") in self.pages:
                self.pages[said["sessionId"]].hear(said["method"], said["params"])

    async def ask(self, method: str, params: dict[str, Any], session: str = "") -> dict[str, Any]:
        """One command; what is answered, which may be an error."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        to = {"sessionId": session} if session else {}
        await self._socket.send_json({"id": number, "method": method, "params": params, **to})
        return await asyncio.wait_for(answer, LONGEST)

    async def tell(self, method: str, **params: Any) -> dict[str, Any]:
        """One command to the browser itself; its result."""
        said = await self.ask(method, params)
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result


class Page:
    """One page. `requests` are the URLs it has asked for, `asking` those without an answer yet, `complaints` what it wrote to the
    console as an error; `cut` counts those that the browser gave up since the network of this machine changed.
    """

    def __init__(self, wire: Wire, context: str, session: str) -> None:
        self.wire = wire
        self.context = context
        self.requests: list[str] = []
        self.asking: dict[str, str] = {}
        self.complaints: list[str] = []
        self.cut = 0
        self._session = session

    def hear(self, event: str, params: dict[str, Any]) -> None:
        """Take note of an event."""
        if event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
            self.asking[params["requestId"]] = params["request"]["url"]
        elif event in ("Network.loadingFinished", "Network.loadingFailed"):
            self.asking.pop(params["requestId"], None)
            self.cut += params.get("errorText") == _CHANGED
        elif event == "Log.entryAdded" and params["entry"]["level"] == "error" and _CHANGED not in params["entry"]["text"]:
            self.complaints.append(params["entry"]["text"])
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))

    async def tell(self, method: str, **params: Any) -> dict[str, Any]:
        """One command to this page; its result."""
        said = await self.wire.ask(method, params, self._session)
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def run(self, script: str) -> Any:
        """The value of a script's last expression."""
        result = await self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until the value of an expression, which JSON can hold, is a true one; that. It is looked at with each change."""
        waits = {"expression": _LOOK % script, "returnByValue": True, "awaitPromise": True}
        try:
            async with asyncio.timeout(LONGEST):
                while "error" in (said := await self.wire.ask("Runtime.evaluate", waits, self._session)):
                    await asyncio.sleep(0.01)  # another page was loaded meanwhile
        except TimeoutError:
            raise AssertionError(
                f"never so: {script}; the page complains of {self.complaints} after {self.requests[-9:]}"
            ) from None
        assert "exceptionDetails" not in said["result"], said
        return said["result"]["result"]["value"]

    async def open(self, url: str) -> None:
        await self.tell("Page.navigate", url=url)

    # ------------------------------------------------------------ what people do
    async def press(self, *keys: str) -> None:
        """Press keys one after another, by their names: `j`, `Enter`, `ArrowDown`."""
        for key in keys:
            code, text = _KEYS.get(key, (ord(key[0].upper()), key))
            given = {"key": key, "windowsVirtualKeyCode": code}
            await self.tell("Input.dispatchKeyEvent", type="keyDown", **given, **({"text": text} if text else {}))
            await self.tell("Input.dispatchKeyEvent", type="keyUp", **given)

    async def write(self, text: str) -> None:
        """Write into what has the focus."""
        await self.tell("Input.insertText", text=text)

    async def click(self, element: str) -> None:
        """Press the left button of the mouse on an element, which an expression finds. It waits until it is there, to be hit."""
        at = await self.until(f"{_HIT % element}((_, at) => at)")
        for kind in ("mousePressed", "mouseReleased"):
            await self.tell("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    async def push(self, element: str) -> None:
        """Click on an element at the very moment that it can be hit, so that nothing moves it away in between."""
        await self.until(f"{_HIT % element}(found => {{ found.click(); return true; }})")

    async def size(self, width: int, height: int) -> None:
        await self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700)

    async def scheme(self, name: str) -> None:
        """`light` or `dark`, as the system would ask for."""
        await self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    async def drop(self, file: Path, element: str) -> None:
        """Drag a file onto an element, which an expression finds, and drop it there."""
        at = await self.until(f"{_HIT % element}((_, at) => at)")
        data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            await self.tell("Input.dispatchDragEvent", type=kind, data=data, **at)

    @contextlib.asynccontextmanager
    async def hidden(self) -> AsyncIterator[None]:
        """It is behind another tab of its window meanwhile."""
        await self.tell("Emulation.setFocusEmulationEnabled", enabled=False)
        tab = await self.wire.tell("Target.createTarget", url="about:blank", browserContextId=self.context)
        await self.until("document.hidden")
        yield
        await self.wire.tell("Target.closeTarget", targetId=tab["targetId"])
        await self.tell("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.until("!document.hidden")

    async def keep_downloads(self, folder: Path) -> None:
        """Files that the page hands over come into a folder."""
        await self.wire.tell(
            "Browser.setDownloadBehavior", behavior="allow", browserContextId=self.context, downloadPath=str(folder)
        )

    async def picture(self, file: Path) -> None:
        """Keep what is seen, as PNG."""
        shot = await self.tell("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(shot["data"]))


_CHANGED = "net::ERR_NETWORK_CHANGED"

_LOOK = """new Promise((done, failed) => {
    const look = () => { try { const value = (%s); if (value) end(done, value); } catch (error) { end(failed, error); } };
    const seen = new MutationObserver(look), timer = setInterval(look, 100);
    const end = (how, value) => { seen.disconnect(); clearInterval(timer); how(value); };
    seen.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
    look();
})"""

_HIT = """(then => { const found = %s; if (!found) return null;
    found.scrollIntoView({block: 'center', behavior: 'instant'});
    const box = found.getBoundingClientRect(), at = {x: box.x + box.width / 2, y: box.y + box.height / 2};
    return found.contains(document.elementFromPoint(at.x, at.y)) && then(found, at); })"""


@contextlib.asynccontextmanager
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page in a context of its own, which ends with it."""
    async with aiohttp.ClientSession() as session, session.ws_connect(browser.address, max_msg_size=0) as socket:
        wire = Wire(socket)
        listening = asyncio.create_task(wire.listen())
        try:
            context = await wire.tell("Target.createBrowserContext", disposeOnDetach=True)
            yield await _opened(wire, context["browserContextId"])
            await wire.tell("Target.disposeBrowserContext", browserContextId=context["browserContextId"])
        finally:
            listening.cancel()


async def another(shown: Page) -> Page:
    """Another page beside one, in a window of its own, so that it is not hidden."""
    return await _opened(shown.wire, shown.context)


async def _opened(wire: Wire, context: str) -> Page:
    target = await wire.tell("Target.createTarget", url="about:blank", browserContextId=context, newWindow=True)
    attached = await wire.tell("Target.attachToTarget", targetId=target["targetId"], flatten=True)
    made = wire.pages[attached["sessionId"]] = Page(wire, context, attached["sessionId"])
    for domain in ("Page", "Network", "Log", "Runtime"):
        await made.tell(f"{domain}.enable")
    await made.tell("Emulation.setFocusEmulationEnabled", enabled=True)  # as if its window were in front
    return made
