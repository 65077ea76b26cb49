"""Templates: text with variables, `/foo/{x}/bar/{y:[0-9]+}`.

A variable is `{name}` or `{name:regex}`; other braces are literal text. A template is matched (`Template`, and `TemplateSet` for
many at once) or filled in (`expand`).

Regular expressions come from users, so they are RE2's (https://github.com/google/re2/wiki/Syntax): whatever they are, a match
takes time linear in the text. They see letter case; the literal text around them does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import re2

from goto.http.fields import decode, encode

T = TypeVar("T")
V = TypeVar("V")

LONGEST = 8192
"""Characters in one template."""

ANY_SEGMENT = b"[^/]+"
"""What `{x}` stands for in a path: one segment or a part of one."""

ANY_VALUE = b"(?s:.*)"
"""What `{x}` stands for in a header or query value: anything, nothing included."""

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)")
_SET_MEMORY = 64 << 20  # bytes a TemplateSet's automaton may take before it forgets what it learned


class Variable(NamedTuple):
    """`{name}` or `{name:regex}`."""

    name: str
    regex: str | None = None

    def __str__(self) -> str:
        return f"{{{self.name}}}" if self.regex is None else f"{{{self.name}:{self.regex}}}"


Part = str | Variable
"""A stretch of literal text, never empty, or a variable."""


class Missing(LookupError):
    """A variable that nothing was captured for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def parse(text: str) -> tuple[Part, ...]:
    """The parts of a template, no two literal ones in a row. ValueError says what is wrong with it."""
    if len(text) > LONGEST:
        raise ValueError(f"a template holds at most {LONGEST:,} characters")
    if "{" not in text:
        return (text,) if text else ()
    closers = _closers(text)
    parts: list[Part] = []
    literal = at = 0
    while opening := _VARIABLE.search(text, at):
        at = opening.end()
        follower = text[at : at + 1]
        regex = None
        if follower == ":":
            close = _regex_end(text, at + 1)
            regex = text[at + 1 : close]
        else:
            close = closers.get(opening.start(), -1)
        if close < 0:
            raise ValueError(f"{text[opening.start() :]!r} is not closed: a brace is missing")
        if follower not in (":", "}"):
            continue
        if opening.start() > literal:
            parts.append(text[literal : opening.start()])
        parts.append(Variable(opening[1], regex))
        literal = at = close + 1
    if literal < len(text):
        parts.append(text[literal:])
    return tuple(parts)


def expand(parts: Sequence[Part], captures: Mapping[str, V], encoder: Callable[[V], str]) -> str:
    """A template filled in, every capture through `encoder`. Regexes do not matter here. Raises `Missing`."""
    filled = []
    for part in parts:
        if isinstance(part, str):
            filled.append(part)
        elif part.name in captures:
            filled.append(encoder(captures[part.name]))
        else:
            raise Missing(part.name)
    return "".join(filled)


def fold(text: str) -> str:
    """Text without letter case, character for character: what stands at an index stays there."""
    if text.isascii():
        return text.lower()
    return "".join(map(_fold_character, text))


def _fold_character(character: str) -> str:
    low = character.lower()
    # `İ` would become two characters, and the Kelvin sign an ASCII k
    return low if len(low) == 1 and low.isascii() == character.isascii() else character


class Template:
    """A template to match whole texts with: literal text in any letter case, captures as they stand.

    `anything` is what a variable without a regex matches. ValueError when a regex does not compile.
    """

    __slots__ = ("_anything", "_compiled", "_groups", "_literal", "_prefix", "_regex", "_single", "_suffix", "parts")

    def __init__(self, parts: Sequence[Part], anything: bytes = ANY_SEGMENT) -> None:
        self.parts = tuple(parts)
        self._anything = anything
        self._regex = b""
        self._compiled: dict[bool, Any] = {}
        self._groups: list[tuple[str, int]] = []
        """The variables and the groups of the regex they stand for, counted from 0."""
        group = 0
        for part in self.parts:
            if isinstance(part, Variable):
                self._groups.append((part.name, group))
                group += 1 if part.regex is None else 1 + _groups_in(part)
        self._literal = None if self._groups else fold("".join(map(str, self.parts)))
        self._single = self._groups[0][0] if group == 1 and not self.has_regex else None
        first, last = (self.parts[0], self.parts[-1]) if self.parts else ("", "")
        self._prefix = fold(first) if isinstance(first, str) else ""
        self._suffix = fold(last) if isinstance(last, str) else ""
        if self.has_regex:
            self._compile(True)
            self._compile(False)

    @classmethod
    def parse(cls, text: str, anything: bytes = ANY_SEGMENT) -> Template:
        """Raises ValueError with the reason."""
        return cls(parse(text), anything)

    @property
    def literal(self) -> str | None:
        """The folded text, if the template has no variable."""
        return self._literal

    @property
    def has_regex(self) -> bool:
        return any(isinstance(part, Variable) and part.regex is not None for part in self.parts)

    @property
    def anything(self) -> bool:
        """Whether it matches every value."""
        return len(self.parts) == 1 and self._single is not None and self._anything == ANY_VALUE

    @property
    def regex(self) -> bytes:
        """The whole template as a regex for RE2, made when first asked for: most templates are matched without."""
        if not self._regex:
            self._regex = b"".join(_caseless(part) if isinstance(part, str) else self._group(part) for part in self.parts)
        return self._regex

    def _group(self, variable: Variable) -> bytes:
        return b"(" + (self._anything if variable.regex is None else encode(variable.regex)) + b")"

    def match(self, text: str) -> dict[str, str] | None:
        """What the variables captured, the first of a name; None for another text."""
        if self._literal is not None:
            return {} if fold(text) == self._literal else None
        if self._single is not None:
            return self._match_single(text, self._single)
        data, utf8 = _data(text)
        regexp = self._compiled.get(utf8) or self._compile(utf8)
        found = regexp.fullmatch(data)
        if found is None:
            return None
        values = found.groups()
        captures: dict[str, str] = {}
        for name, group in self._groups:
            if name not in captures:
                captures[name] = decode(values[group])
        return captures

    def _match_single(self, text: str, name: str) -> dict[str, str] | None:
        """One plain variable: what lies between the literal ends. No regex needed, and by far the commonest kind."""
        prefix, suffix = self._prefix, self._suffix
        folded = fold(text)
        if len(text) < len(prefix) + len(suffix) or not (folded.startswith(prefix) and folded.endswith(suffix)):
            return None
        value = text[len(prefix) : len(text) - len(suffix)]
        if self._anything == ANY_SEGMENT and (not value or "/" in value):
            return None
        return {name: value}

    def _compile(self, utf8: bool) -> Any:
        try:
            regexp = self._compiled[utf8] = re2.compile(self.regex, _options(utf8))
        except re2.error as error:
            raise ValueError(f"{''.join(map(str, self.parts))!r} does not compile: {_reason(error)}") from None
        return regexp

    def __repr__(self) -> str:
        return f"Template({''.join(map(str, self.parts))!r})"


class TemplateSet(Generic[T]):
    """Many templates, each with an item: finds those that match a text in one pass over it, however many there are."""

    __slots__ = ("_items", "_sets")

    def __init__(self) -> None:
        self._items: list[tuple[Template, T]] = []
        self._sets: dict[bool, Any] = {}

    def __len__(self) -> int:
        return len(self._items)

    def add(self, template: Template, item: T) -> None:
        self._items.append((template, item))
        self._sets.clear()

    def find(self, text: str) -> list[T]:
        """The items of the templates that match the whole text, in no order."""
        data, utf8 = _data(text)
        if utf8 not in self._sets:
            self._sets[utf8] = self._build(utf8)
        union = self._sets[utf8]
        found = union.Match(data) if union is not None else None
        sentinel = len(self._items)
        # the sentinel matches whatever the text is, so without it the automaton ran out of memory
        if not found or sentinel not in found:
            return [item for template, item in self._items if template.match(text) is not None]
        return [self._items[index][1] for index in found if index != sentinel]

    def _build(self, utf8: bool) -> Any:
        """All templates in one automaton; None if it would be too large."""
        options = _options(utf8)
        options.max_mem = _SET_MEMORY
        union = re2.Set.FullMatchSet(options)
        try:
            for template, _ in self._items:
                union.Add(template.regex)
            union.Add(ANY_VALUE)
            union.Compile()
        except re2.error:
            return None
        return union


def _closers(text: str) -> dict[int, int]:
    """Where each opening brace is closed, counting braces alone."""
    closers: dict[int, int] = {}
    opened = []
    for brace in re.finditer(r"[{}]", text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            closers[opened.pop()] = brace.start()
    return closers


def _regex_end(text: str, at: int) -> int:
    """Where the brace stands that closes a regex begun at `at`; -1 without one. Braces may be escaped or in a class."""
    depth = 0
    while at < len(text):
        match text[at]:
            case "\\":
                at += 1
            case "[":
                at = _class_end(text, at)
            case "{":
                depth += 1
            case "}" if depth == 0:
                return at
            case "}":
                depth -= 1
        at += 1
    return -1


def _class_end(text: str, at: int) -> int:
    """Where the bracket stands that closes a character class begun at `at`; past the end without one."""
    at += 1
    if text.startswith("^", at):
        at += 1
    if text.startswith("]", at):  # the first one is a member
        at += 1
    while at < len(text) and text[at] != "]":
        if text[at] == "\\":
            at += 1
        elif text.startswith("[:", at) and (close := text.find(":]", at + 2)) >= 0:
            at = close + 1
        at += 1
    return at


def _groups_in(variable: Variable) -> int:
    """How many groups a user's regex has of its own; ValueError when it is none."""
    assert variable.regex is not None
    data = encode(variable.regex)
    try:
        groups: int = re2.compile(data, _options(True)).groups
    except re2.error as error:
        raise ValueError(f"{str(variable)!r} does not compile: {_reason(error)}") from None
    try:
        re2.compile(data + b")", _options(True))
    except re2.error:
        return groups
    # a quotation left open would swallow what follows it in the template
    raise ValueError(rf"{str(variable)!r} does not compile: \Q without \E")


def _caseless(text: str) -> bytes:
    """Literal text as a regex that ignores letter case as `fold` does."""
    return b"".join(map(_caseless_character, text))


def _caseless_character(character: str) -> bytes:
    variants = {character, *(other for other in (character.lower(), character.upper()) if fold(other) == fold(character))}
    # escaped bytes for ASCII, since each sign may mean something; whole sequences for the rest, true to any encoding
    encoded = [b"\\x%02x" % ord(variant) if variant.isascii() else encode(variant) for variant in sorted(variants)]
    return encoded[0] if len(encoded) == 1 else b"(?:" + b"|".join(encoded) + b")"


def _data(text: str) -> tuple[bytes, bool]:
    """Text as bytes, and whether they are UTF-8. RE2 takes bytes that are not for no character at all, so such text is
    matched byte by byte instead."""
    try:
        return text.encode(), True
    except UnicodeEncodeError:
        return encode(text), False


def _options(utf8: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    if not utf8:
        options.encoding = re2.Options.Encoding.LATIN1
    return options


def _reason(error: Exception) -> str:
    reason = error.args[0]
    return decode(reason) if isinstance(reason, bytes) else str(reason)
