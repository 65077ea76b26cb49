"""Retries without an end, with back-off and jitter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager

FIRST_WAIT = 0.2
"""Seconds after a first failure; doubled after each further one."""

LONGEST_WAIT = 5.0
"""Seconds."""

JITTER = 0.2
"""Seconds that are added at most, so that many instances that lost the same one do not come back at the same moment."""


def forever(on: type[Exception]) -> AsyncIterator[AbstractContextManager[None]]:
    """`async for attempt in forever(PushFailed): with attempt: …` tries again after each `on` that is raised inside."""
    import stamina
    from stamina.instrumentation import set_on_retry_hooks

    # the caller reports failures in words of its own, once, and not at every attempt
    set_on_retry_hooks(())
    return stamina.retry_context(
        on=on,
        attempts=None,
        timeout=None,
        wait_initial=FIRST_WAIT,
        wait_max=LONGEST_WAIT,
        wait_jitter=JITTER,
    ).__aiter__()
