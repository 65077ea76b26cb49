"""Templates: text with variables, `/foo/{x}/bar/{y:[0-9]+}`.

A variable is `{name}` or `{name:regex}`; other braces are literal text. A template is matched against a text (`Template`, and
`TemplateSet` for many at once) or filled in (`expand`).

Regular expressions come from users, so they are RE2's (https://github.com/google/re2/wiki/Syntax): a match takes time linear in
the text, whatever the expression is. They are case-sensitive; the literal text around them is not.
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
"""Characters that a template may have."""

ANY_SEGMENT = b"[^/]+"
"""What `{x}` stands for in a path: one segment or a part of one."""

ANY_VALUE = b"(?s:.*)"
"""What `{x}` stands for in a header or query value: any text, the empty one too."""

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)")
_SET_MEMORY = 64 << 20  # bytes that the automaton of a TemplateSet may take; RE2 clears its cache of states beyond that


class Variable(NamedTuple):
    """`{name}` or `{name:regex}`."""

    name: str
    regex: str | None = None

    def __str__(self) -> str:
        return f"{{{self.name}}}" if self.regex is None else f"{{{self.name}:{self.regex}}}"


Piece = str | Variable
"""A piece of a template: literal text, never empty, or a variable."""


class MissingCapture(LookupError):
    """A template has a variable for which nothing was captured."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def parse_template(text: str) -> tuple[Piece, ...]:
    """Cut a template into its pieces, no two literal ones in a row. Raises ValueError with the reason."""
    if len(text) > LONGEST:
        raise ValueError(f"a template may have at most {LONGEST:,} characters")
    if "{" not in text:
        return (text,) if text else ()
    closers = _closers(text)
    pieces: list[Piece] = []
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
            raise ValueError(f"{text[opening.start() :]!r} is not closed: write a }} at its end")
        if follower not in (":", "}"):
            continue
        if opening.start() > literal:
            pieces.append(text[literal : opening.start()])
        pieces.append(Variable(opening[1], regex))
        literal = at = close + 1
    if literal < len(text):
        pieces.append(text[literal:])
    return tuple(pieces)


def expand(pieces: Sequence[Piece], captures: Mapping[str, V], encoder: Callable[[V], str]) -> str:
    """Fill in a template, each capture encoded by `encoder`. Regexes are ignored here. Raises `MissingCapture`."""
    filled = []
    for piece in pieces:
        if isinstance(piece, str):
            filled.append(piece)
        elif piece.name in captures:
            filled.append(encoder(captures[piece.name]))
        else:
            raise MissingCapture(piece.name)
    return "".join(filled)


def fold(text: str) -> str:
    """The text in lower case, character by character, so that indexes stay the same."""
    if text.isascii():
        return text.lower()
    return "".join(map(_fold_character, text))


def _fold_character(character: str) -> str:
    low = character.lower()
    # `İ` would become two characters, and the Kelvin sign an ASCII k
    return low if len(low) == 1 and low.isascii() == character.isascii() else character


class Template:
    """A template that is matched against whole texts, its literal text in any letter case. Captures keep theirs.

    `wildcard` is the regex of a variable that has none. Raises ValueError when a regex does not compile.
    """

    __slots__ = ("_compiled", "_groups", "_literal", "_prefix", "_regex", "_single", "_suffix", "_wildcard", "pieces")

    def __init__(self, pieces: Sequence[Piece], wildcard: bytes = ANY_SEGMENT) -> None:
        self.pieces = tuple(pieces)
        self._wildcard = wildcard
        self._regex = b""
        self._compiled: dict[bool, Any] = {}
        self._groups: list[tuple[str, int]] = []
        """The variables, and the index of the group that each has in the regex, from 0."""
        group = 0
        for piece in self.pieces:
            if isinstance(piece, Variable):
                self._groups.append((piece.name, group))
                group += 1 if piece.regex is None else 1 + _groups_in(piece)
        self._literal = None if self._groups else fold("".join(map(str, self.pieces)))
        self._single = self._groups[0][0] if group == 1 and not self.has_regex else None
        first, last = (self.pieces[0], self.pieces[-1]) if self.pieces else ("", "")
        self._prefix = fold(first) if isinstance(first, str) else ""
        self._suffix = fold(last) if isinstance(last, str) else ""
        if self.has_regex:
            self._compile(True)
            self._compile(False)

    @classmethod
    def parse(cls, text: str, wildcard: bytes = ANY_SEGMENT) -> Template:
        """Read a template. Raises ValueError with the reason."""
        return cls(parse_template(text), wildcard)

    @property
    def literal(self) -> str | None:
        """The folded text of a template without variables, else None."""
        return self._literal

    @property
    def has_regex(self) -> bool:
        return any(isinstance(piece, Variable) and piece.regex is not None for piece in self.pieces)

    @property
    def matches_everything(self) -> bool:
        """Whether it matches every text."""
        return len(self.pieces) == 1 and self._single is not None and self._wildcard == ANY_VALUE

    @property
    def regex(self) -> bytes:
        """The whole template as a regex for RE2, made on demand: most templates are matched without it."""
        if not self._regex:
            self._regex = b"".join(_caseless(piece) if isinstance(piece, str) else self._group(piece) for piece in self.pieces)
        return self._regex

    def _group(self, variable: Variable) -> bytes:
        return b"(" + (self._wildcard if variable.regex is None else encode(variable.regex)) + b")"

    def match(self, text: str) -> dict[str, str] | None:
        """What the variables capture, the first one where two share a name; None if the text does not match."""
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
        """Match a template with one variable and no regex, the most common kind, by its literal beginning and end."""
        prefix, suffix = self._prefix, self._suffix
        folded = fold(text)
        if len(text) < len(prefix) + len(suffix) or not (folded.startswith(prefix) and folded.endswith(suffix)):
            return None
        value = text[len(prefix) : len(text) - len(suffix)]
        if self._wildcard == ANY_SEGMENT and (not value or "/" in value):
            return None
        return {name: value}

    def _compile(self, utf8: bool) -> Any:
        try:
            regexp = self._compiled[utf8] = re2.compile(self.regex, _options(utf8))
        except re2.error as error:
            raise ValueError(f"{''.join(map(str, self.pieces))!r} does not compile: {_re2_message(error)}") from None
        return regexp

    def __repr__(self) -> str:
        return f"Template({''.join(map(str, self.pieces))!r})"


class TemplateSet(Generic[T]):
    """Many templates, each with an item. Finds those that match a text in one pass over the text, however many there are."""

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
        """The items of the templates that match the whole text, in no particular order."""
        data, utf8 = _data(text)
        if utf8 not in self._sets:
            self._sets[utf8] = self._build(utf8)
        union = self._sets[utf8]
        found = union.Match(data) if union is not None else None
        sentinel = len(self._items)
        # the sentinel matches every text: where it is missing, the automaton ran out of memory
        if not found or sentinel not in found:
            return [item for template, item in self._items if template.match(text) is not None]
        return [self._items[index][1] for index in found if index != sentinel]

    def _build(self, utf8: bool) -> Any:
        """One automaton for all templates; None if it would be too large."""
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
    """The index of the closing brace for each opening one, where nothing but braces counts."""
    closers: dict[int, int] = {}
    opened = []
    for brace in re.finditer(r"[{}]", text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            closers[opened.pop()] = brace.start()
    return closers


def _regex_end(text: str, at: int) -> int:
    """The index of the brace that closes a regex begun at `at`, else -1. Escaped braces and those in a class do not count."""
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
    """The index of the bracket that closes a character class that begins at `at`; past the end of the text if there is none."""
    at += 1
    if text.startswith("^", at):
        at += 1
    if text.startswith("]", at):  # a bracket that comes first is a member of the class
        at += 1
    while at < len(text) and text[at] != "]":
        if text[at] == "\\":
            at += 1
        elif text.startswith("[:", at) and (close := text.find(":]", at + 2)) >= 0:
            at = close + 1
        at += 1
    return at


def _groups_in(variable: Variable) -> int:
    """The number of groups in a user's regex. Raises ValueError when it does not compile."""
    assert variable.regex is not None
    data = encode(variable.regex)
    try:
        groups: int = re2.compile(data, _options(True)).groups
    except re2.error as error:
        raise ValueError(f"{str(variable)!r} does not compile: {_re2_message(error)}") from None
    try:
        re2.compile(data + b")", _options(True))
    except re2.error:
        return groups
    # a quotation that is left open would include what follows it in the template
    raise ValueError(rf"{str(variable)!r} does not compile: \Q without \E after it")


def _caseless(text: str) -> bytes:
    """Literal text as a regex that ignores letter case as `fold` does."""
    return b"".join(map(_caseless_character, text))


def _caseless_character(character: str) -> bytes:
    variants = {character, *(other for other in (character.lower(), character.upper()) if fold(other) == fold(character))}
    # ASCII is escaped, since any of its characters may be an operator; the rest is whole byte sequences, right in either encoding
    encoded = [b"\\x%02x" % ord(variant) if variant.isascii() else encode(variant) for variant in sorted(variants)]
    return encoded[0] if len(encoded) == 1 else b"(?:" + b"|".join(encoded) + b")"


def _data(text: str) -> tuple[bytes, bool]:
    """The text as bytes, and whether they are UTF-8. RE2 sees no characters in others, so they are matched byte by byte."""
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


def _re2_message(error: Exception) -> str:
    reason = error.args[0]
    return decode(reason) if isinstance(reason, bytes) else str(reason)
