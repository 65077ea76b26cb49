"""Listeners as mitmproxy modes, which come and go at run time."""

from __future__ import annotations

import asyncio
from typing import Any

from mitmproxy import ctx, exceptions

from goto.hosts.mitm import private


def pattern_of(mode: private.Mode) -> str:
    """A mode without its port, which the port of another listener can follow."""
    kind = f"{mode.type_name}:{mode.data}" if mode.data else mode.type_name
    return f"{kind}@{mode.custom_listen_host}:" if mode.custom_listen_host else f"{kind}@"


class Modes:
    """The modes served, changed one at a time."""

    def __init__(self) -> None:
        self._changing = asyncio.Lock()

    async def open(self, pattern: str, port: int) -> None:
        """Serve a mode on a port. Raises OSError when it cannot be bound."""
        mode = f"{pattern}{port}"
        async with self._changing:
            before = list(ctx.options.mode)
            try:
                await private.set_modes([*before, mode])
            except exceptions.OptionsError as error:
                raise OSError(str(error)) from None
            failure = private.bind_error(mode)
            if failure is not None:
                private.forget_mode(mode)
                await private.set_modes(before)
                raise failure

    async def close(self, port: int) -> None:
        """Serve no mode on a port; returns once nothing new is accepted."""
        async with self._changing:
            listening = {mode.full_spec for at, mode in private.listening() if at == port}
            await private.set_modes([mode for mode in ctx.options.mode if mode not in listening and _port_of(mode) != port])


def _port_of(mode: str) -> Any:
    return private.Mode.parse(mode).listen_port(ctx.options.listen_port)
