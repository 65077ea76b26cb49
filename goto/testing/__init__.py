"""What tests stand on: a feature alone by `run`, a whole instance by the typed client, `Goto`, and the plug-in of pytest."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from goto.testing.awaited import AsyncGoto as AsyncGoto
    from goto.testing.calls import AsyncCalls as AsyncCalls
    from goto.testing.calls import Calls as Calls
    from goto.testing.exchanges import Exchange as Exchange
    from goto.testing.failures import ApiFailure as ApiFailure
    from goto.testing.failures import BadInput as BadInput
    from goto.testing.failures import Conflict as Conflict
    from goto.testing.failures import NotFound as NotFound
    from goto.testing.failures import NotHeld as NotHeld
    from goto.testing.failures import NotReached as NotReached
    from goto.testing.failures import Unauthorized as Unauthorized
    from goto.testing.plain import Goto as Goto
    from goto.testing.running import run as run

__all__ = [
    "ApiFailure",
    "AsyncCalls",
    "AsyncGoto",
    "BadInput",
    "Calls",
    "Conflict",
    "Exchange",
    "Goto",
    "NotFound",
    "NotHeld",
    "NotReached",
    "Unauthorized",
    "run",
]

_PLACES = {
    "AsyncCalls": "calls",
    "AsyncGoto": "awaited",
    "Calls": "calls",
    "Exchange": "exchanges",
    "Goto": "plain",
    "run": "running",
}
"""The modules of names that are not in `failures`."""


def __getattr__(name: str) -> Any:
    """Names are imported when they are asked for: a run of pytest that does not use goto does not pay for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"goto.testing.{_PLACES.get(name, 'failures')}"), name)
