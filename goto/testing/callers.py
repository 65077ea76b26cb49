"""What the typed client stands on: nodes that stand for the words of a path, and what sends their calls."""

from __future__ import annotations

from typing import Any, Generic, Self, TypeVar, overload
from urllib.parse import quote

from goto.testing.asking import Answer, Connection
from goto.testing.asynchronous import AsyncConnection
from goto.testing.routes import UNESCAPED, Route, chosen

T = TypeVar("T")
N = TypeVar("N", bound="Words | AsyncWords")


class Under(Generic[N]):
    """The node of a word below another one: `delay = Under(DelayCalls)`."""

    def __init__(self, kind: type[N]) -> None:
        self._kind = kind

    @overload
    def __get__(self, node: None, owner: type) -> Self: ...
    @overload
    def __get__(self, node: Words | AsyncWords, owner: type) -> N: ...
    def __get__(self, node: Words | AsyncWords | None, owner: type) -> Self | N:
        return self if node is None else self._kind(node._caller)  # type: ignore[arg-type]  # both trees have their own


class Words:
    """Words of a path."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def _call(self, route: Route[T], *words: object, **fields: object) -> T:
        return self._caller.call(route, words, fields)

    def _one_of(self, routes: tuple[Route[Any], ...], words: tuple[object, ...], fields: dict[str, Any]) -> Any:
        return self._caller.call(chosen(routes, words, fields), words, fields)


class AsyncWords:
    """Words of a path."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def _call(self, route: Route[T], *words: object, **fields: object) -> T:
        return await self._caller.call(route, words, fields)

    async def _one_of(self, routes: tuple[Route[Any], ...], words: tuple[object, ...], fields: dict[str, Any]) -> Any:
        return await self._caller.call(chosen(routes, words, fields), words, fields)


class Request(Words):
    """The word `request`, and calls of any path."""

    def __call__(self, method: str, path: str, *, json: Any = None, body: bytes | str | None = None) -> Any:
        """Make a call that this client has no method for, as those of features of your own: the answer as JSON, or as text."""
        route = _any(method, path, json)
        return self._caller.call(route, (), _body(json, body))


class AsyncRequest(AsyncWords):
    """The word `request`, and calls of any path."""

    async def __call__(self, method: str, path: str, *, json: Any = None, body: bytes | str | None = None) -> Any:
        """Make a call that this client has no method for, as those of features of your own: the answer as JSON, or as text."""
        route = _any(method, path, json)
        return await self._caller.call(route, (), _body(json, body))


def _any(method: str, path: str, json: Any) -> Route[Any]:
    return Route(method, quote(path, UNESCAPED + "/?%"), Any, body="raw" if json is None else "any")


def _body(json: Any, body: bytes | str | None) -> dict[str, Any]:
    return {"body": body} if json is None else {"json": json}


class Caller:
    """Sends calls, one after another on one kept connection."""

    def __init__(self, url: str, token: str | None, port: int | None) -> None:
        self.connection = Connection(url, token)
        self.before = _before(port)

    def call(self, route: Route[T], words: tuple[object, ...], fields: dict[str, Any]) -> T:
        return route.read(self.answer(route, words, fields))

    def answer(self, route: Route[Any], words: tuple[object, ...], fields: dict[str, Any]) -> Answer:
        """The answer as it came, whatever it is."""
        return self.connection.ask(route.ask(words, fields, self.before))


class AsyncCaller:
    """The same with `await`."""

    def __init__(self, url: str, token: str | None, port: int | None) -> None:
        self.connection = AsyncConnection(url, token)
        self.before = _before(port)

    async def call(self, route: Route[T], words: tuple[object, ...], fields: dict[str, Any]) -> T:
        return route.read(await self.answer(route, words, fields))

    async def answer(self, route: Route[Any], words: tuple[object, ...], fields: dict[str, Any]) -> Answer:
        """The answer as it came, whatever it is."""
        return await self.connection.ask(route.ask(words, fields, self.before))


def _before(port: int | None) -> str:
    return "" if port is None else f"/goto/port/{port}"


class Root(Words):
    """An instance. `port` acts on the listener of that port instead of the one that is called.

    It keeps one connection, until it is closed. Raises ValueError for what is no http or https URL.
    """

    def __init__(self, url: str, token: str | None = None, port: int | None = None) -> None:
        super().__init__(Caller(url, token, port))

    def close(self) -> None:
        """Close the connection that was kept."""
        self._caller.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncRoot(AsyncWords):
    """An instance. `port` acts on the listener of that port instead of the one that is called.

    Within `async with` it keeps one connection; without, each call has its own, so that nothing is left to close. Raises
    ValueError for what is no http or https URL.
    """

    def __init__(self, url: str, token: str | None = None, port: int | None = None) -> None:
        super().__init__(AsyncCaller(url, token, port))

    async def close(self) -> None:
        """Close the connection that was kept."""
        await self._caller.connection.close()

    async def __aenter__(self) -> Self:
        await self._caller.connection.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
