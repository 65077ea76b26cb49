"""Who changes the configuration while traffic passes."""

from __future__ import annotations

import asyncio
from random import Random

from support.goto_process import Goto

from soak.clients import Tally, client


class Operator:
    """Opens and closes a listener, and changes targets, statuses, delays and headers of the one that is watched."""

    def __init__(self, goto: Goto, upstream: int, listener: int, random: Random) -> None:
        self.changes = 0
        self._goto = goto
        self._url = f"http://127.0.0.1:{upstream}"
        self._listener = listener
        self._random = random

    async def prepare(self) -> None:
        for path in ("/request/headers/track/add/x", "/request/timeout/track/all"):
            await self._call("PUT", path)
        await self._target("up", "/up/{x}")
        await self._target("two", "/two", replicas=2)

    async def run(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await self._change()
            self.changes += 1
            await asyncio.sleep(0.05)
        for path in ("/response/delay/clear", "/response/status/clear", "/response/headers/clear"):
            await self._call("PUT", path)

    async def _change(self) -> None:
        random = self._random
        match random.randrange(8):
            case 0:
                await self._target("up", "/up/{x}", removeHeaders=["foo"], addQuery=[["n", str(random.randrange(9))]])
            case 1:
                await self._target("extra", f"/up/{random.choice('ab')}")
                await asyncio.sleep(0.05)
                await self._call("PUT", "/request/proxy/targets/extra/remove")
            case 2:
                await self._call("PUT", "/request/proxy/targets/two/disable")
                await asyncio.sleep(0.05)
                await self._call("PUT", "/request/proxy/targets/two/enable")
            case 3:
                await self._call("PUT", f"/response/status/set/503:{random.randrange(1, 50)}")
            case 4:
                await self._call("PUT", f"/response/delay/set/20ms:{random.randrange(1, 50)}")
            case 5:
                await self._call("PUT", f"/response/headers/add/n/{random.randrange(9)}")
            case 6:
                await self._call("PUT", "/response/headers/clear")
            case _:
                await self._other_listener()

    async def _other_listener(self) -> None:
        """One more listener, closed and removed with traffic on it."""
        port = self._listener
        await self._call("POST", "/listeners/add", {"port": port, "protocol": "http"})
        await self._call("PUT", f"/listeners/{port}/open")
        until = asyncio.get_running_loop().time() + 0.2
        clients = [asyncio.create_task(client(port, self._random, Tally(), until)) for _ in range(4)]
        await asyncio.sleep(0.1)
        for word in self._random.choice((("close", "open"), ("close",), ())):
            await self._call("PUT", f"/listeners/{port}/{word}")
        await self._call("PUT", f"/listeners/{port}/remove")
        await asyncio.gather(*clients)

    async def _target(self, name: str, uri: str, **more: object) -> None:
        spec = {"name": name, "url": self._url, "match": {"uris": [uri]}, "requestTimeout": "200ms", **more}
        await self._call("POST", "/request/proxy/targets/add", spec)

    async def _call(self, method: str, path: str, body: object = None) -> None:
        answer = await asyncio.to_thread(self._goto.call, method, path, body)
        if answer.status != 200:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.text}")
