"""Settings: the keys of configuration files, each declared on the feature that it configures.

    @setting("response.delay")
    def configured(self) -> CountedDuration | None:
        '''Hold every response back: `200ms`, or `200ms:3` for the next three exchanges.'''
        return CountedDuration(self.delay, self.left) if self.delay else None

    @configured.setter
    def configure(self, delay: CountedDuration | None) -> None:
        self.set(delay) if delay else self.clear()

The path is the key of the setting in a document. The first method returns the present state, in the type of its annotation;
None, an empty list or an empty map stand for *not configured*. The second method changes the state to the given value, with the
methods that routes call, and keeps what is the same already. It raises `ApiError` where that is not possible; the previous state
is then set again. It starts nothing, since the document may turn out to be wrong elsewhere (see `Feature.settled`).

Types: words (see `goto.words`), `str`, `int`, `float`, `bool`, `list[…]`, `dict[str, …]`, tuples of a fixed length, `Literal`,
msgspec structs, `Annotated` with `msgspec.Meta`, and unions of these.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Generic, Self, TypeVar, Union, get_args, get_origin, get_type_hints, overload

__all__ = ["setting"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Setting(Generic[T]):
    """A key of a document, with the methods that read and change its state. On an instance it reads as the present state."""

    def __init__(self, path: str, getter: Callable[[Any], T], *, start: bool = False) -> None:
        self.path = path
        """The key in a document, with a dot before each level below the top: `response.delay`."""
        self.start = start
        """Whether it is read at the start only: it is not changed later, and not part of the state that is shown."""
        self.description = inspect.getdoc(getter) or ""
        self._getter = getter
        self._setter: str = ""
        self._sent: str = ""

    def setter(self, method: F) -> F:
        """Declare the method that changes the state. On a service it may be `async def`."""
        self._setter = method.__name__
        return method

    def sent(self, method: F) -> F:
        """The method that raises `ApiError` for what only a file may say, and no call."""
        self._sent = method.__name__
        return method

    def __set_name__(self, owner: type, name: str) -> None:
        if not self._setter and not self.start:
            raise TypeError(f"{owner.__name__}.{name}: the setting {self.path} has no setter")

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | T:
        return self if instance is None else self._getter(instance)

    def read(self, owner: object) -> T:
        """The present state."""
        return self._getter(owner)

    def apply(self, owner: object, value: T) -> Any:
        """Change the state. Returns what the method returns, which the caller awaits where it can be awaited."""
        return getattr(owner, self._setter)(value)

    def check_sent(self, owner: object, value: T) -> None:
        """Raises `ApiError` where a document that was sent by a call may not say this."""
        if self._sent:
            getattr(owner, self._sent)(value)

    @cached_property
    def type(self) -> Any:
        """The type of the value in a document. Annotations are evaluated on demand, to save time at the start."""
        return get_type_hints(self._getter, include_extras=True)["return"]

    @property
    def empty(self) -> Any:
        """The value that stands for *not configured*."""
        kinds = {_bare(kind) for kind in members(self.type)}
        return [] if list in kinds else {} if dict in kinds else None


def setting(path: str, *, start: bool = False) -> Callable[[Callable[[Any], T]], Setting[T]]:
    """Declare a key, on the method that returns its present state. A setting that is read at the `start` only has no setter."""
    return lambda getter: Setting(path, getter, start=start)


def settings_of(owner: type) -> list[Setting[Any]]:
    """The settings declared on a class, in the order written."""
    return [member for base in reversed(owner.__mro__) for member in base.__dict__.values() if isinstance(member, Setting)]


def members(kind: Any) -> list[Any]:
    """The members of a union without None; any other type by itself."""
    if get_origin(kind) in (Union, types.UnionType):
        return [member for member in get_args(kind) if member is not type(None)]
    return [kind]


def _bare(kind: Any) -> Any:
    origin = get_origin(kind)
    return _bare(get_args(kind)[0]) if origin is Annotated else origin or kind
