"""Management routes: declared on the methods that serve them, found by path, called with parsed words.

    @put("/response/delay/set/{delay}")
    def set(self, delay: CountedDuration) -> str:
        '''Set a delay for traffic.'''

The signature says all there is to know. A parameter named in the path is parsed by its type (see `words`), one of type
`Request` gets the request of the call, one of type `Listener` the listener that the call acts on, a msgspec struct the JSON
body, `bytes` the raw body, and what is left comes from the query. The first line of the docstring is the route's description,
the return type is its answer, and `raises` are the errors that it has besides those of its arguments. All of it is in the
OpenAPI document.

A route is for those who show the admin token, where there is one. `who=ANYBODY` and the like say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from goto.errors import ApiError
from goto.exchange.waiting import Wait
from goto.flow import Call

__all__ = ["ADMIN", "ANYBODY", "PROBE", "WORKER", "Accepted", "Forward", "Later", "Who", "get", "post", "put"]

F = TypeVar("F", bound=Callable[..., Any])

MANAGEMENT_LIMIT = 1 << 20
"""Bytes in the body of a management call; over it the answer is 413."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer 202: heard, and nothing had to be done, or it is done later."""

    text: str


@dataclass(frozen=True, slots=True)
class Forward:
    """Send these calls, each with the body of the management call, and answer with what is answered to them.

    One call is answered as its target answers, several with 208 and a JSON list in the order of the calls. Raises `ValueError`
    where there is no call.
    """

    calls: Sequence[Call]

    def __post_init__(self) -> None:
        if not self.calls:
            raise ValueError("Forward needs at least one call")


@dataclass(frozen=True, slots=True)
class Later:
    """Answer once something has come, but only as long as the client stays."""

    wait: Wait[Any]
    """What is waited for. An `ApiError` that it fails with is the answer."""
    then: Callable[[Any], Any]
    """Makes of what has come what a route may return. May be `async def`."""
    over: Callable[[], None]
    """Called once nobody waits any more: it has come, has failed, or the client has left."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who may call a route besides those who show the admin token. Where no token was set at the start, everybody may."""

    anybody: bool = False
    """No token is ever needed."""
    peers: bool = False
    """The registry token will do, which a registry and its workers show each other. Where it is the only token, it is needed."""
    mark: str = ""
    """A header that is in every call of a peer. A call without it is one of a person, who needs no registry token."""
    everywhere: bool = False
    """Answered on listeners without management too, unless there is an admin port."""


ADMIN = Who()
"""Those who show the admin token, and nobody else. This is what a route has if it says nothing."""
ANYBODY = Who(anybody=True)
"""Everybody, whatever tokens there are: for what tells no secret and changes nothing."""
PROBE = Who(anybody=True, everywhere=True)
"""Everybody on every listener: for what asks how an instance is."""
WORKER = Who(peers=True)
"""The workers of a registry."""


Answers = Mapping[int, Mapping[str, Any]]
"""Status to media type to the type that is sent; for a method that returns a `Response`, whose type says nothing of it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a decorator says of a method."""

    methods: tuple[str, ...]
    path: str
    body_limit: int = MANAGEMENT_LIMIT
    media: tuple[str, ...] = ()
    raises: tuple[type[ApiError], ...] = ()
    answers: Answers | None = None
    who: Who = ADMIN


def get(*paths: str, who: Who = ADMIN, raises: Iterable[type[ApiError]] = (), answers: Answers | None = None) -> Callable[[F], F]:
    """GET, and HEAD with it."""
    return _declare([Declared(("GET",), path, raises=tuple(raises), answers=answers, who=who) for path in paths])


def post(
    *paths: str,
    who: Who = ADMIN,
    body_limit: int = MANAGEMENT_LIMIT,
    media: Iterable[str] = (),
    raises: Iterable[type[ApiError]] = (),
    answers: Answers | None = None,
) -> Callable[[F], F]:
    """POST alone. `media` says what a body may be that is taken as it comes."""
    return _declare([Declared(("POST",), path, body_limit, tuple(media), tuple(raises), answers, who) for path in paths])


def put(*paths: str, who: Who = ADMIN, raises: Iterable[type[ApiError]] = (), answers: Answers | None = None) -> Callable[[F], F]:
    """PUT and POST."""
    return _declare([Declared(("PUT", "POST"), path, raises=tuple(raises), answers=answers, who=who) for path in paths])


def _declare(declared: list[Declared]) -> Callable[[F], F]:
    def mark(method: F) -> F:
        method.__dict__.setdefault("__routes__", []).extend(declared)
        return method

    return mark
