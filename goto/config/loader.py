"""From YAML text to nodes with their line and column. JSON is read too, since it is YAML.

A text is one document with the scalars of YAML 1.2's core schema, and no key twice. Anchors and aliases work and are bounded, so
that a small text cannot expand to an endless document. YAML 1.2 has no merge keys (`<<`), so they are unknown keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from goto.config.errors import ConfigError, Problem
from goto.config.node import Mapping, Node, Scalar, Sequence
from goto.config.scalars import construct, resolve

LARGEST = 8 << 20
"""Bytes that a document may have."""

MOST_NODES = 1_000_000
"""Maps, lists and scalars that a document may have, counting those behind an alias each time."""

DEEPEST = 64
"""How deep maps and lists may be nested."""

NOT_YAML = "not YAML"
"""How the problem of a text begins that no parser of YAML can read."""

_TOO_DEEP = f"nested too deeply: at most {DEEPEST} levels are allowed"

# libyaml's parser is ten times as fast; PyYAML's own one, where it was built without libyaml, has the same events
_Loader: Any = getattr(yaml, "CLoader", yaml.Loader)
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line for both parsers, which count them."""

_TAG = "tag:yaml.org,2002:"
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|.)|[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", re.S
)
"""Escapes in JSON (a surrogate pair as one match), and characters that YAML does not allow or reads as the end of a line."""


def load_file(file: str) -> Node:
    """The document in a file. Raises `ConfigError`."""
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError([Problem(file, 0, 0, "", error.strerror or str(error))]) from None
    return load(data, file)


def load(data: bytes, file: str) -> Node:
    """The document in some bytes; an empty one is an empty map. Raises `ConfigError` with every mistake that can be found."""
    if len(data) > LARGEST:
        raise ConfigError([Problem(file, 0, 0, "", f"larger than {LARGEST >> 20} MiB, which is the limit")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(file, line, 0, "", "not UTF-8: save it as UTF-8")]) from None
    if is_empty(data):
        return Mapping(file, 1, 1)  # libyaml takes no tab, not even in a line that has nothing else
    if text.lstrip()[:1] == "{":
        text = _json_as_yaml(text)
    return _Builder(file).build(text)


def is_empty(data: bytes) -> bool:
    """Whether there is nothing but blanks and comments."""
    lines = map(bytes.strip, data.removeprefix(b"\xef\xbb\xbf").splitlines())
    return all(not line or line.startswith(b"#") for line in lines)


def _json_as_yaml(text: str) -> str:
    """JSON text rewritten for YAML, which allows no tabs for indenting, no escaped surrogate pairs, and fewer characters."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    # strings of JSON contain no raw tabs
    return _ESCAPE.sub(_one_escape, text.replace("\t", " "))


def _one_escape(found: re.Match[str]) -> str:
    if len(found[0]) == 1:
        return f"\\u{ord(found[0]):04x}"
    if not found[1]:
        return found[0]
    character = bytes.fromhex(found[1] + found[2]).decode("utf-16-be")
    return f"\\U{ord(character):08x}"


class _Stop(Exception):
    """A problem was noted after which nothing more can be read."""


class _Builder:
    """Makes nodes from the events of a parser."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self._anchors: dict[str, tuple[Node | None, int]] = {}
        """By name, the node and its size; None for a node that is not complete yet."""
        self._size = 0

    def build(self, text: str) -> Node:
        try:
            events = yaml.parse(text, Loader=_Loader)
            node = self._document(events)
        except yaml.MarkedYAMLError as error:
            self._problems.append(self._not_yaml(error, text))
        except yaml.YAMLError as error:
            self._problems.append(self._unreadable(error, text))
        except _Stop:
            pass
        if self._problems:
            raise ConfigError(self._problems)
        return node

    def _document(self, events: Iterator[Any]) -> Node:
        node: Node = Mapping(self._file, 1, 1)
        seen = False
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    raise self._stop(event, "a second document begins here: write one document per file")
                seen = True
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event, events, 0)
        if isinstance(node, Scalar) and node.value is None:
            return Mapping(self._file, 1, 1)
        return node

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        """The node that begins with an event. Consumes the other events of the node."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > DEEPEST:
            raise self._stop(event, _TOO_DEEP)
        before = self._size
        self._grow(1, event)
        if event.anchor:
            self._anchors[event.anchor] = (None, 0)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._check_tag(event, "seq")
            node = Sequence(*self._place(event))
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                node.items.append(self._node(item, events, depth + 1))
        else:
            self._check_tag(event, "map")
            node = Mapping(*self._place(event))
            while not isinstance(key := next(events), yaml.MappingEndEvent):
                self._entry(node, key, events, depth)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._size - before)
        return node

    def _entry(self, mapping: Mapping, event: Any, events: Iterator[Any], depth: int) -> None:
        key = self._node(event, events, depth + 1)
        value = self._node(next(events), events, depth + 1)
        if not isinstance(key, Scalar):
            self._problems.append(key.problem("", "a key must be text, not a list or a map"))
        elif key.text in mapping.entries:
            first, _ = mapping.entries[key.text]
            self._problems.append(key.problem("", f"the key {key.text} is given already, in line {first.line}"))
        else:
            mapping.entries[key.text] = (key, value)

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise self._stop(event, f"the alias *{event.anchor} is not defined: there is no &{event.anchor} before it")
        node, size = self._anchors[event.anchor]
        if node is None:
            raise self._stop(event, f"the alias *{event.anchor} refers to something that it is itself a part of")
        self._grow(size, event)
        return node

    def _scalar(self, event: Any) -> Scalar:
        text = event.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            # only PyYAML's own parser lets it through
            self._add(event.start_mark, "half of a surrogate pair is not a character: write both halves")
            text = ""
        plain = event.style in (None, "")
        tag = event.tag
        if tag is None:
            return Scalar(*self._place(event), text, resolve(text) if plain else text)
        kind = tag.removeprefix(_TAG)
        if tag == "!" or kind == "str":
            return Scalar(*self._place(event), text, text)
        try:
            return Scalar(*self._place(event), text, construct(kind, text))
        except KeyError:
            self._add(event.start_mark, f"the tag {tag} is not known: leave it out")
        except ValueError as error:
            self._add(event.start_mark, str(error))
        return Scalar(*self._place(event), text, text)

    def _check_tag(self, event: Any, kind: str) -> None:
        if event.tag not in (None, "!", _TAG + kind):
            self._add(event.start_mark, f"the tag {event.tag} is not known: leave it out")

    def _grow(self, size: int, event: Any) -> None:
        self._size += size
        if self._size > MOST_NODES:
            raise self._stop(event, f"more than {MOST_NODES:,} values, counting those behind aliases")

    def _place(self, event: Any) -> tuple[str, int, int]:
        mark = event.start_mark
        return self._file, mark.line + 1, mark.column + 1

    def _add(self, mark: Any, reason: str) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        self._problems.append(Problem(self._file, line, column, "", reason))

    def _stop(self, event: Any, reason: str) -> _Stop:
        self._add(event.start_mark, reason)
        return _Stop()

    def _not_yaml(self, error: yaml.MarkedYAMLError, text: str) -> Problem:
        mark = error.problem_mark or error.context_mark
        if "nesting depth" in str(error.problem):
            reason = _TOO_DEEP  # libyaml has a limit of its own, and reads ahead
        elif name := _mistaken_name(error, text):
            mark = error.context_mark
            what = "anchor" if name.startswith("&") else "alias"
            reason = f"{what} {name}: only letters, digits, - and _ can be used"
        else:
            reason = f"{NOT_YAML}: {', '.join(part for part in (error.context, error.problem) if part)}"
        return Problem(self._file, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0, "", reason)

    def _unreadable(self, error: yaml.YAMLError, text: str) -> Problem:
        """The problem of a character that YAML does not allow, which the two parsers report differently."""
        position = getattr(error, "position", None)
        if not isinstance(position, int):
            return Problem(self._file, 0, 0, "", f"{NOT_YAML}: {error}")
        before = text.encode()[:position].decode(errors="replace") if _Loader is not yaml.Loader else text[:position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Problem(self._file, line, column, "", "a control character is not allowed here: escape it, in double quotes")


def _mistaken_name(error: yaml.MarkedYAMLError, text: str) -> str:
    """The name of an anchor or an alias with a character that PyYAML does not take, as YAML does (1.2.2, 6.9.2); else empty."""
    if error.context_mark is None or error.context not in ("while scanning an anchor", "while scanning an alias"):
        return ""
    line = _LINE_BREAK.split(text)[error.context_mark.line]
    return line[error.context_mark.column :].split(maxsplit=1)[0].rstrip(",]}")
