"""A real browser without a window, as tests of pages use it: chromium, by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from support.ports import free_port
from support.waiting import PATIENCE


def find_chromium() -> str | None:
    """The path of a chromium, if there is one."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


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


class Page:
    """One page. `requests` are the URLs it has asked for, `complaints` what it wrote to the console as an error."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, address: str) -> None:
        self.address = address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Read what the browser says, for as long as it does."""
        async for message in self._socket:
            said = json.loads(message.data)
            if said.get("id") in self._waiting:
                self._waiting.pop(said["id"]).set_result(said)
            elif said.get("method") == "Network.requestWillBeSent":
                self.requests.append(said["params"]["request"]["url"])
            elif said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.complaints.append(said["params"]["entry"]["text"])
            elif said.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(said["params"]["exceptionDetails"]))

    async def tell(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the protocol; its result."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        said = await asyncio.wait_for(answer, 3 * PATIENCE)
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def run(self, script: str) -> Any:
        """The value of a script's last expression."""
        result = await self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until a script's value, which JSON can hold, is a true one; that."""
        try:
            async with asyncio.timeout(3 * PATIENCE):
                while not (value := await self.run(script)):
                    await asyncio.sleep(0.05)
                return value
        except TimeoutError:
            raise AssertionError(
                f"never so: {script}; the page complains of {self.complaints} after {self.requests[-9:]}"
            ) from None

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
        """Press the left button of the mouse on an element, which a script finds. It waits until it is there."""
        place = f"""(() => {{ const found = {element}; if (!found) return null;
            found.scrollIntoView({{block: 'center', behavior: 'instant'}}); const box = found.getBoundingClientRect();
            return {{x: box.x + box.width / 2, y: box.y + box.height / 2}}; }})()"""
        at = await self.until(place)
        for kind in ("mousePressed", "mouseReleased"):
            await self.tell("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    async def size(self, width: int, height: int) -> None:
        await self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700)

    async def scheme(self, name: str) -> None:
        """`light` or `dark`, as the system would ask for."""
        await self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    async def picture(self, file: Path) -> None:
        """Keep what is seen, as PNG."""
        shot = await self.tell("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def page(folder: Path) -> AsyncIterator[Page]:
    """A page of a browser of its own, whose files are in a folder."""
    binary = find_chromium()
    assert binary, "no chromium here"
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        binary,
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",  # small in containers
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),  # which root has to do without
        f"--user-data-dir={folder}",
        f"--remote-debugging-port={port}",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        async with aiohttp.ClientSession() as session:
            address = await _address(session, port, process)
            async with _connected(session, address) as made:
                yield made
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 3 * PATIENCE)


@contextlib.asynccontextmanager
async def _connected(session: aiohttp.ClientSession, address: str) -> AsyncIterator[Page]:
    async with session.ws_connect(address, max_msg_size=0) as socket:
        made = Page(socket, address)
        listening = asyncio.create_task(made.listen())
        for domain in ("Page", "Network", "Log", "Runtime"):
            await made.tell(f"{domain}.enable")
        await made.tell("Emulation.setFocusEmulationEnabled", enabled=True)  # as if its window were in front
        try:
            yield made
        finally:
            listening.cancel()


@contextlib.asynccontextmanager
async def another(shown: Page) -> AsyncIterator[Page]:
    """Another page of the same browser, in a window of its own, so that it is not hidden."""
    target = await shown.tell("Target.createTarget", url="about:blank", newWindow=True)
    address = f"{shown.address.rpartition('/')[0]}/{target['targetId']}"
    async with aiohttp.ClientSession() as session, _connected(session, address) as made:
        yield made


async def _address(session: aiohttp.ClientSession, port: int, process: asyncio.subprocess.Process) -> str:
    """Where the page listens, once it does."""
    async with asyncio.timeout(3 * PATIENCE):
        while True:
            assert process.returncode is None, f"chromium ended with {process.returncode}"
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                    pages = [one for one in await response.json() if one["type"] == "page"]
                    if pages:
                        return str(pages[0]["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)
