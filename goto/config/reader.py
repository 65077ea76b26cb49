"""From nodes to values of the declared types, with every mistake noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from goto.config.errors import Problem
from goto.config.node import Mapping, Node, Scalar, Sequence, data_of, identity, is_null, kind_of
from goto.errors import BadInput
from goto.settings import members


class _Bad:
    """Stands for a value that could not be read, whose problem was noted."""


BAD: Any = _Bad()

_SIZES = {"min_length": "at least", "max_length": "at most"}
_STEP = re.compile(r"[^.\[\]]+")

Elsewhere = Callable[[str], Iterable[str]]
"""Finds the paths that an unknown key may mean."""


def _nowhere(key: str) -> Iterable[str]:
    return ()


class Reader:
    """Reads values of nodes. A mistake is noted in `problems`, and reading goes on."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, node: Node, path: str, reason: str) -> Any:
        """Note a problem. Returns BAD."""
        self.problems.append(node.problem(path, reason))
        return BAD

    def value(self, node: Node, kind: Any, path: str) -> Any:
        """The value of a node, read as a type; BAD where a problem was noted."""
        origin = get_origin(kind)
        if kind is Any:
            return data_of(node)
        if hasattr(kind, "read"):
            return self._read(node, kind, path)
        if origin is Annotated:
            return self._bounded(node, kind, path)
        if origin is Literal:
            return self._literal(node, kind, path)
        choices = members(kind)
        if choices != [kind]:
            return None if is_null(node) else self._any(node, choices, path)
        if origin is list:
            return self._list(node, get_args(kind)[0], path)
        if origin is tuple:
            return self._tuple(node, get_args(kind), path)
        if origin is dict:
            return self._dict(node, get_args(kind), path)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(node, kind, path)
        return self._scalar(node, kind, path)

    def _read(self, node: Node, kind: Any, path: str) -> Any:
        """What is written in several ways reads JSON's own types."""
        try:
            return kind.read(data_of(node))
        except ValueError as error:
            return self.wrong(node, path, str(error))

    # ------------------------------------------------------------ scalars
    def _scalar(self, node: Node, kind: Any, path: str) -> Any:
        if kind is None or kind is type(None):
            return None if is_null(node) else self.wrong(node, path, f"expected nothing, got {kind_of(node)}")
        expected = {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, "text")
        if not isinstance(node, Scalar) or node.value is None:
            return self.wrong(node, path, f"expected {expected}, got {kind_of(node)}")
        if hasattr(kind, "parse"):
            return self._word(node, kind, path)
        if kind is str:
            return node.text
        value = node.value
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            return self.wrong(node, path, f"expected {expected}, got {kind_of(node)}")
        return value

    def _word(self, node: Scalar, kind: Any, path: str) -> Any:
        """A word, parsed from its text; numbers and truth values are parsed as they were written."""
        whole = getattr(kind, "schema", {}).get("type") == "integer" and type(node.value) is int
        try:
            return kind.parse(str(node.value) if whole else node.text)
        except ValueError as error:
            return self.wrong(node, path, str(error))
        except BadInput as error:
            return self.wrong(node, path, error.message)

    def _literal(self, node: Node, kind: Any, path: str) -> Any:
        known = get_args(kind)
        for value in known:
            if isinstance(node, Scalar) and node.value == value and type(node.value) is type(value):
                return value
        return self.wrong(node, path, f"expected {' or '.join(map(str, known))}, got {kind_of(node)}")

    def _any(self, node: Node, choices: list[Any], path: str) -> Any:
        """The value as the first choice that it fits; else the problems are those of the choice that has its shape."""
        mine: list[Problem] | None = None
        for choice in choices:
            trial = Reader()
            value = trial.value(node, choice, path)
            if not trial.problems:
                return value
            if mine is None or _shape(choice) is type(node):
                mine = trial.problems
        self.problems += mine or []
        return BAD

    def _bounded(self, node: Node, kind: Any, path: str) -> Any:
        base, *metas = get_args(kind)
        value = self.value(node, base, path)
        if value is BAD or value is None:
            return value
        for meta in metas:
            if not isinstance(meta, msgspec.Meta):
                continue
            for name, word in _SIZES.items():
                bound = getattr(meta, name)
                if bound is not None and (len(value) < bound if name == "min_length" else len(value) > bound):
                    what = "characters" if isinstance(value, str) else "items"
                    return self.wrong(node, path, f"expected {word} {bound:,} {what}, got {len(value):,}")
        if isinstance(value, int | float):
            try:
                msgspec.convert(value, kind)
            except msgspec.ValidationError as error:
                return self.wrong(node, path, re.sub("^Expected", "expected", str(error)).replace("`", ""))
        return value

    # ------------------------------------------------------------ lists and maps
    def _list(self, node: Node, kind: Any, path: str) -> Any:
        if not isinstance(node, Sequence):
            return self.wrong(node, path, f"expected a list, got {kind_of(node)}")
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            self.check_unique(node, path)
        return self._all(self.value(item, kind, f"{path}[{index}]") for index, item in enumerate(node.items))

    def check_unique(self, node: Sequence, path: str) -> None:
        """Note a problem for each item that has the name of an earlier one."""
        seen: dict[tuple[str, ...], Node] = {}
        for index, item in enumerate(node.items):
            mark = identity(item)
            if mark is None:
                continue
            first = seen.setdefault(mark, item)
            if first is not item:
                there = f", in line {first.line}" if first.line else ""
                self.wrong(item, f"{path}[{index}]", f"{' at '.join(mark)} is given already{there}")

    def _tuple(self, node: Node, kinds: tuple[Any, ...], path: str) -> Any:
        if not isinstance(node, Sequence) or len(node.items) != len(kinds):
            got = f"a list of {len(node.items)}" if isinstance(node, Sequence) else kind_of(node)
            return self.wrong(node, path, f"expected a list of {len(kinds)}, got {got}")
        pairs = enumerate(zip(node.items, kinds, strict=True))
        values = self._all(self.value(item, kind, f"{path}[{index}]") for index, (item, kind) in pairs)
        return values if values is BAD else tuple(values)

    def _dict(self, node: Node, kinds: tuple[Any, ...], path: str) -> Any:
        key_kind, kind = kinds
        if not isinstance(node, Mapping):
            return self.wrong(node, path, f"expected a map, got {kind_of(node)}")
        found, good = {}, True
        for key, at, value in node:
            name = self.value(Scalar(at.file, at.line, at.column, key, key), key_kind, f"{path}.{key}")
            if is_null(value):
                continue
            item = self.value(value, kind, f"{path}.{key}")
            if name is BAD or item is BAD:
                good = False
            else:
                found[name] = item
        return found if good else BAD

    @staticmethod
    def _all(values: Iterable[Any]) -> Any:
        read = list(values)
        return BAD if any(value is BAD for value in read) else read

    def _struct(self, node: Node, struct: type[msgspec.Struct], path: str) -> Any:
        """A struct, read as `goto.words.reading` does, except that unknown keys are mistakes."""
        if not isinstance(node, Mapping):
            return self.wrong(node, path, f"expected a map, got {kind_of(node)}")
        fields = _fields(struct)
        given: dict[str, Any] = {}
        before = len(self.problems)
        for key, at, value in self.known_entries(node, [field.encode_name for field in fields.values()], path):
            field = fields[key.lower()]
            if not field.required and isinstance(value, Scalar) and (value.value is None or value.text == ""):
                continue
            inner = join(path, field.encode_name)
            if is_null(value):
                self.wrong(at, inner, "missing")
            given[field.name] = BAD if is_null(value) else self.value(value, field.type, inner)
        keys = {key.lower() for key in node.entries}
        for name, field in fields.items():
            if field.required and name not in keys:
                self.wrong(node, join(path, field.encode_name), "missing")
        if len(self.problems) > before or BAD in given.values():
            return BAD
        try:
            return struct(**given)
        except (ValueError, BadInput) as error:
            at, inner, reason = _place(node, path, str(error))
            return self.wrong(at, inner, reason)

    def known_entries(
        self, node: Mapping, names: list[str], path: str, elsewhere: Elsewhere = _nowhere
    ) -> Iterator[tuple[str, Node, Node]]:
        """The entries whose keys are known, in any letter case. A problem is noted for unknown keys and for those given twice."""
        spelled = {name.lower(): name for name in names}
        seen: dict[str, str] = {}
        for key, at, value in node:
            low = key.lower()
            if low not in spelled:
                self.wrong(at, join(path, key), f"unknown key; {_hint(key, names, elsewhere(key))}")
            elif low in seen:
                self.wrong(at, join(path, key), f"the same key as {seen[low]}: remove one of them")
            else:
                seen[low] = key
                yield spelled[low], at, value


def join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _hint(key: str, names: list[str], elsewhere: Iterable[str]) -> str:
    if key == "<<":
        return "YAML 1.2 has no merge keys: write the keys out"
    close = get_close_matches(key.lower(), [name.lower() for name in names], 1)
    if close:
        return f"did you mean {next(name for name in names if name.lower() == close[0])}?"
    if found := sorted(elsewhere, key=len)[:1]:
        return f"did you mean {found[0]}?"
    return f"known here: {', '.join(names)}"


@lru_cache(maxsize=64)
def _fields(struct: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name.lower(): field for field in msgspec.structs.fields(struct)}


def _shape(kind: Any) -> type[Node]:
    """The kind of node that a type is written as."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _shape(get_args(kind)[0])
    if origin in (list, tuple):
        return Sequence
    if origin is dict or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return Mapping
    return Scalar


def _place(node: Node, path: str, message: str) -> tuple[Node, str, str]:
    """Splits a message of a struct's own check, `match.headers[0]: …`. Returns the node and path it points to, and the reason."""
    inner, colon, reason = message.partition(": ")
    steps = _STEP.findall(inner)
    if not colon or not re.fullmatch(r"[\w.\[\]]+", inner):
        return node, path, message
    own = _STEP.findall(path)
    if own and steps and steps[0] == own[-1]:
        # a struct within another one names its own key too
        steps = steps[1:]
        inner = inner[len(own[-1]) :].lstrip(".")
    at: Node | None = node
    for step in steps:
        at = _child(at, step)
        if at is None:
            return node, path, message
    return at or node, path + inner if inner.startswith("[") else join(path, inner) if inner else path, reason


def _child(node: Node | None, step: str) -> Node | None:
    if isinstance(node, Sequence):
        return node.items[int(step)] if step.isdecimal() and int(step) < len(node.items) else None
    if isinstance(node, Mapping):
        return next((value for key, _, value in node if key.lower() == step.lower()), None)
    return None
