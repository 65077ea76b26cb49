"""The connection of management calls that are awaited, by aiohttp."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import aiohttp
from yarl import URL

from goto.testing.asking import SECONDS, Answer, Ask, Place
from goto.words.failures import system_reason
from goto.words.hosts import missing_interface


class AsyncConnection:
    """Makes calls. Between `open` and `close` it keeps a connection; outside, each call has its own."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """Raises ValueError for what is no http or https URL. A proxy of the environment is not used."""
        self.place = Place(url, token)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = self._made()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _made(self) -> aiohttp.ClientSession:
        secure = self.place.context() if self.place.secure else True
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=secure, limit=0), auto_decompress=False)

    async def ask(self, ask: Ask) -> Answer:
        """Raises `NotReached` where there is no answer."""
        place = self.place
        if missing := missing_interface(place.host):
            raise place.not_reached(f"no interface {missing}")
        seconds = SECONDS + ask.seconds
        url = URL(f"{place.url}{ask.target}", encoded=True)
        async with AsyncExitStack() as stack:
            session = self._session
            if session is None:
                session = await stack.enter_async_context(self._made())
            try:
                response = await stack.enter_async_context(
                    session.request(
                        ask.method,
                        url,
                        data=ask.body,
                        headers={**place.headers, **ask.headers},
                        timeout=aiohttp.ClientTimeout(total=seconds),
                        allow_redirects=False,
                        skip_auto_headers=("Content-Type",),
                    )
                )
                body = await response.read()
            except TimeoutError:
                raise place.not_reached(f"no answer within {seconds:g}s") from None
            except aiohttp.ClientConnectorError as error:
                raise place.not_reached(system_reason(error.os_error)) from None
            except aiohttp.ServerDisconnectedError:
                raise place.not_reached("the connection was closed without an answer") from None
            except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
                raise place.not_reached(system_reason(error)) from None
            fields = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, fields, body)
