"""The journal of a process without a process: its calls, in an event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, TypeVar

from goto.errors import ApiError
from goto.flow import Headers, Request, Response
from goto.journal.keeping import Keeping
from goto.journal.service import Recorder
from goto.journal.verdict import Question
from goto.routes import Later
from goto.words.reading import read_struct
from support.exchanges import Exchange, exchange

T = TypeVar("T")
JSON = Request("POST", "/", Headers([(b"Accept", b"application/json")]))
TEXT = Request("POST", "/")


class Journal:
    """A recorder that is on, if it is kept anything."""

    def __init__(self, **keeping: Any) -> None:
        self.recorder = Recorder(SimpleNamespace(by_port={}))  # type: ignore[arg-type]  # all that is asked of it
        self.book = self.recorder.book
        self.recorder.turn_on(Keeping(**keeping), set_=True)

    def begin(self, method: str = "GET", target: str = "/", **how: Any) -> Exchange:
        return Exchange(self.book, method, target, **how)

    def add(self, method: str = "GET", target: str = "/", status: int = 200, **how: Any) -> Exchange:
        return exchange(self.book, method, target, status, **how)

    async def ask(self, **question: Any) -> Any:
        """What `verify` returns."""
        return await self.recorder.verify(read_struct(question, Question)[0], JSON)

    async def verify(self, **question: Any) -> dict[str, Any]:
        """The answer to a question, as JSON has it."""
        made = json.loads((await answered(await self.ask(**question))).body)
        assert isinstance(made, dict)
        return made

    async def text(self, **question: Any) -> str:
        response = await answered(await self.recorder.verify(read_struct(question, Question)[0], TEXT))
        return response.body.decode()


async def came(later: Later) -> Any:
    """What comes later, waited for as the API does."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    if not later.wait.here:
        later.wait.on_come = lambda: waiter.done() or waiter.set_result(None)
        await waiter
    later.over()
    if later.wait.error is not None:
        raise later.wait.error
    made = later.then(later.wait.value)
    return await made if isinstance(made, Awaitable) else made


async def answered(result: Any) -> Response:
    response = await came(result) if isinstance(result, Later) else result
    assert isinstance(response, Response)
    return response


def run(test: Callable[[], Awaitable[T]]) -> T:
    async def all_of_it() -> T:
        return await test()

    return asyncio.run(all_of_it())


async def refused(call: Awaitable[Any]) -> tuple[int, str]:
    """The status and the message of a call that is refused."""
    try:
        result = await call
        if isinstance(result, Later):
            await came(result)
    except ApiError as error:
        return error.status, error.message
    raise AssertionError("it was not refused")
