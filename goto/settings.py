"""What can be set by file: declared on the feature, beside what it sets.

    @setting("response.delay")
    def configured(self) -> CountedDuration | None:
        '''Hold every response back: `200ms`, or `200ms:3` for the next three exchanges.'''
        return CountedDuration(self.delay, self.left) if self.delay else None

    @configured.setter
    def configure(self, delay: CountedDuration | None) -> None:
        self.set(delay) if delay else self.clear()

The path says where it stands in a document. The first method tells the present state, in the type that its annotation names;
None, an empty list or an empty map stand for *not configured*. The second one brings a state about, exactly that one, by the
methods that routes call, and keeps what is the same already. It raises `ApiError` when it cannot; the state before is then
brought about again. It starts nothing: a document may yet turn out to be wrong elsewhere (see `Feature.settled`).

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
    """One key of a document and what it sets. On an instance it reads as the present state."""

    def __init__(self, path: str, getter: Callable[[Any], T], *, start: bool = False) -> None:
        self.path = path
        """Its keys, with dots between."""
        self.start = start
        """Read at the start only: neither changed later nor part of the state that is shown."""
        self.description = inspect.getdoc(getter) or ""
        self._getter = getter
        self._setter: str = ""

    def setter(self, method: F) -> F:
        """The method that brings a state about. On a service it may be `async def`."""
        self._setter = method.__name__
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
        """Bring a state about; what the method returned, to be awaited where it can be."""
        return getattr(owner, self._setter)(value)

    @cached_property
    def type(self) -> Any:
        """What a document gives. Annotations are read when they are needed first, which costs some at the start."""
        return get_type_hints(self._getter, include_extras=True)["return"]

    @property
    def empty(self) -> Any:
        """What stands for *not configured*."""
        kinds = {_bare(kind) for kind in members(self.type)}
        return [] if list in kinds else {} if dict in kinds else None


def setting(path: str, *, start: bool = False) -> Callable[[Callable[[Any], T]], Setting[T]]:
    """Declare a key by the method that tells its present state. One that is read at the `start` only has no setter."""
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
