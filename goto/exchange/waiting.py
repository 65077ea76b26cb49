"""What an exchange waits for, without a task: `Wait`, who steps it, and the waits that features ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Final, Generic, TypeVar

from mypy_extensions import mypyc_attr

T = TypeVar("T")


@mypyc_attr(allow_interpreted_subclasses=True)
class Wait(Generic[T]):
    """What an exchange waits for, once: `come(value)` lets it go on, `fail(error)` ends it.

    An exchange is a coroutine that is stepped by whoever has what it waits for, not a task: awaiting a `Wait` that has come costs
    nothing, one that has not yields it to the stepper, which sets `on_come` to its next step (see `step_in_task`). Nothing of
    asyncio is needed for that.
    """

    __slots__ = ("error", "here", "on_come", "value")

    def __init__(self) -> None:
        self.here = False
        self.value: T | None = None
        self.error: Exception | None = None
        self.on_come: Callable[[], None] | None = None

    def come(self, value: T | None = None) -> None:
        """What was waited for is here. Later calls change nothing."""
        if not self.here:
            self.here = True
            self.value = value
            on_come, self.on_come = self.on_come, None  # it may lead back here
            if on_come is not None:
                on_come()

    def fail(self, error: Exception) -> None:
        """It will not come: whoever waits gets the error raised. Changes nothing once it has come."""
        if not self.here:
            self.error = error
            del error  # its traceback will lead here
            self.come()

    def __await__(self) -> Generator[Any, None, T]:
        if not self.here:
            yield self
        if self.error is not None:
            error, self.error = self.error, None
            try:
                raise error
            finally:
                del error  # whose traceback leads here
        return self.value  # type: ignore[return-value]  # whoever makes a Wait[T] lets a T come


async def step_in_task(coroutine: Coroutine[Any, None, T]) -> T:
    """Step a coroutine that awaits `Wait`s, from within a task. Cancelling the task is passed on to it."""
    loop = asyncio.get_running_loop()
    error: BaseException | None = None
    while True:
        try:
            wait = coroutine.send(None) if error is None else coroutine.throw(error)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # the coroutine's own result
        waiter: asyncio.Future[None] = loop.create_future()
        wait.on_come = partial(wake, waiter)
        error = None
        try:
            await waiter
        except BaseException as raised:
            error = raised


TIMER_EARLY: Final = 0.001
"""Seconds that uvloop may fire a timer too early. One that is set for later need not be set again, which costs more."""


class Hold:
    """A wait that a feature has asked for by `flow.hold`."""

    __slots__ = ("_began", "_on_over", "_timer", "_until", "seconds", "wait")

    def __init__(self, seconds: float | None, on_over: Callable[[float], None] | None) -> None:
        self.seconds = seconds
        """How long it lasts; None for until it is released."""
        self.wait: Wait[None] = Wait()
        """For hosts: what they wait for."""
        self._on_over = on_over
        self._began = self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def release(self) -> None:
        """End the wait at once, also before it has begun."""
        self.wait.come()

    def begin(self) -> None:
        """For hosts: it is its turn."""
        self._began = time.monotonic()
        if self.seconds is not None and not self.wait.here:
            self._until = self._began + self.seconds
            self._tick()

    def over(self) -> None:
        """For hosts: it has ended, however. To be called once."""
        if self._timer is not None:
            self._timer.cancel()
        if self._on_over is not None:
            self._on_over(time.monotonic() - self._began)

    def _tick(self) -> None:
        """The clock has the last word: a hold is never shorter than asked for."""
        left = self._until - time.monotonic()
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left + TIMER_EARLY, self._tick)
        else:
            self.wait.come()


def wake(waiter: asyncio.Future[None]) -> None:
    """Let whoever waits for a future go on."""
    if not waiter.done():
        waiter.set_result(None)
