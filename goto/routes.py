"""Management routes: declared on the methods that serve them, found by path, called with parsed words.

    @put("/response/delay/set/{delay}")
    def set(self, delay: CountedDuration) -> str:
        '''Set a delay for traffic.'''

The signature says all there is to know. A parameter named in the path is parsed by its type (see `words`), one of type
`Request` gets the request of the call, one of type `Listener` the listener that the call acts on, a msgspec struct the JSON
body, `bytes` the raw body, and what is left comes from the query. The first line of the docstring is the route's description,
the return type is its answer, and `raises` are the errors that it has besides those of its arguments. All of it is in the
OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from goto.errors import ApiError
from goto.flow import Call

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


def get(*paths: str, raises: Iterable[type[ApiError]] = (), answers: Answers | None = None) -> Callable[[F], F]:
    """GET, and HEAD with it."""
    return _declare([Declared(("GET",), path, raises=tuple(raises), answers=answers) for path in paths])


def post(
    *paths: str,
    body_limit: int = MANAGEMENT_LIMIT,
    media: Iterable[str] = (),
    raises: Iterable[type[ApiError]] = (),
    answers: Answers | None = None,
) -> Callable[[F], F]:
    """POST alone. `media` says what a body may be that is taken as it comes."""
    return _declare([Declared(("POST",), path, body_limit, tuple(media), tuple(raises), answers) for path in paths])


def put(*paths: str, raises: Iterable[type[ApiError]] = (), answers: Answers | None = None) -> Callable[[F], F]:
    """PUT and POST."""
    return _declare([Declared(("PUT", "POST"), path, raises=tuple(raises), answers=answers) for path in paths])


def _declare(declared: list[Declared]) -> Callable[[F], F]:
    def mark(method: F) -> F:
        method.__dict__.setdefault("__routes__", []).extend(declared)
        return method

    return mark
