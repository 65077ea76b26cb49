"""Bodies and headers of answers, worked out as far as it can be when a rule is added."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from goto.errors import BadInput
from goto.features.rules.fields import from_base64
from goto.features.rules.given import MOST_BODY, Captures, SizeGiven
from goto.features.rules.rule import Entry
from goto.http.fields import Field, encode
from goto.http.reasons import status_text
from goto.matching.captures import in_header, in_text
from goto.matching.templates import MissingCapture, Variable, expand, parse_template

TEXT: Final = b"text/plain; charset=utf-8"
JSON: Final = b"application/json"
BYTES: Final = b"application/octet-stream"

_PATTERN: Final = b"0123456789abcdef"
_VARIABLE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Body(Protocol):
    """The body of an answer."""

    kind: bytes
    """Its content type."""

    @property
    def held(self) -> int:
        """Bytes of memory that it takes as long as its rule is there."""

    def of(self, captures: Captures) -> bytes:
        """Its bytes for an exchange. Raises `Unable`."""


class Fixed:
    """The same bytes each time."""

    def __init__(self, data: bytes, kind: bytes) -> None:
        self.kind = kind
        self._data = data

    @property
    def held(self) -> int:
        return len(self._data)

    def of(self, captures: Captures) -> bytes:
        return self._data


class Filled:
    """Bytes between which captures are put; one that is missing is empty."""

    def __init__(self, pieces: list[bytes | str], kind: bytes, *, json: bool = False) -> None:
        """Of the pieces, bytes are sent as they are, and text is the name of a variable."""
        self.kind = kind
        self._pieces = pieces
        self._put = _in_json if json else encode

    @property
    def held(self) -> int:
        return sum(map(len, self._pieces))

    def of(self, captures: Captures) -> bytes:
        put = self._put
        return b"".join(
            piece if isinstance(piece, bytes) else put(in_text(captures[piece])) if piece in captures else b""
            for piece in self._pieces
        )


class Pattern:
    """So many bytes of a pattern, where the number is captured."""

    kind = TEXT
    held = 0

    def __init__(self, size: SizeGiven) -> None:
        self._size = size

    def of(self, captures: Captures) -> bytes:
        return pattern(self._size.of(captures))


def pattern(size: int) -> bytes:
    """So many bytes of `0123456789abcdef` over and over."""
    times, rest = divmod(size, len(_PATTERN))
    return _PATTERN * times + _PATTERN[:rest]


def body_of(entry: Entry, names: frozenset[str]) -> Body | None:
    """The body that an entry names, None where it names none. `names` are those that may be captured.

    Raises `BadInput` where a file cannot be read.
    """
    if entry.body is not None:
        return _made(_text_pieces(entry.body, names), TEXT)
    if entry.json is not None:
        return _made(_json_pieces(entry.json.written, names), JSON, json=True)
    if entry.base64 is not None:
        return Fixed(from_base64(entry.base64), BYTES)
    if entry.size is not None:
        return Pattern(entry.size) if entry.size.fixed is None else Fixed(pattern(entry.size.fixed), TEXT)
    if entry.file is not None:
        return Fixed(_file(entry.file), BYTES)
    return None


def line_of(status: int) -> bytes:
    """The body of an answer that names a status alone, as that of `/status/{n}`."""
    return encode(status_text(status) + "\n")


def _made(pieces: list[bytes | str], kind: bytes, *, json: bool = False) -> Body:
    if any(isinstance(piece, str) for piece in pieces):
        return Filled(pieces, kind, json=json)
    return Fixed(b"".join(piece for piece in pieces if isinstance(piece, bytes)), kind)


def _text_pieces(text: str, names: frozenset[str]) -> list[bytes | str]:
    """Literal text as bytes, variables that may be captured by their names. Other braces are literal text."""
    pieces: list[bytes | str] = []
    at = 0
    for found in _VARIABLE.finditer(text):
        if found[1] in names:
            pieces += [encode(text[at : found.start()]), found[1]]
            at = found.end()
    return [*pieces, encode(text[at:])]


def _json_pieces(value: Any, names: frozenset[str]) -> list[bytes | str]:
    """A value as it is encoded, with the variables in its strings by their names. Keys are literal text."""
    pieces: list[bytes | str] = []
    _add_json(value, names, pieces)
    joined: list[bytes | str] = []
    for piece in pieces:
        if joined and isinstance(piece, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _add_json(value: Any, names: frozenset[str], pieces: list[bytes | str]) -> None:
    if isinstance(value, dict):
        for index, (key, item) in enumerate(value.items()):
            pieces.append((b"," if index else b"{") + msgspec.json.encode(str(key)) + b":")
            _add_json(item, names, pieces)
        pieces.append(b"}" if value else b"{}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            pieces.append(b"," if index else b"[")
            _add_json(item, names, pieces)
        pieces.append(b"]" if value else b"[]")
    elif isinstance(value, str):
        pieces.append(b'"')
        for piece in _text_pieces(value, names):
            pieces.append(piece if isinstance(piece, str) else _in_json(piece.decode("utf-8", "surrogateescape")))
        pieces.append(b'"')
    else:
        pieces.append(msgspec.json.encode(value))


def _in_json(text: str) -> bytes:
    """Text as it stands in a JSON string. Bytes that are no UTF-8 are shown as `\\xff`."""
    return msgspec.json.encode(encode(text).decode("utf-8", "backslashreplace"))[1:-1]


def _file(path: str) -> bytes:
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MOST_BODY + 1)
    except (OSError, ValueError) as error:
        raise BadInput(f"file: {path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MOST_BODY:
        raise BadInput(f"file: {path} is larger than {MOST_BODY >> 20}MiB")
    return data


class HeaderMaker:
    """Headers with captures put into them."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self._made = [(encode(name), parse_template(text)) for name, text in headers]

    @property
    def varies(self) -> bool:
        """Whether a capture is put into one of them."""
        return any(isinstance(piece, Variable) for _, pieces in self._made for piece in pieces)

    def of(self, captures: Captures) -> list[Field]:
        """The fields for an exchange, without those whose variable was not captured."""
        fields: list[Field] = []
        for name, pieces in self._made:
            try:
                fields.append((name, encode(expand(pieces, captures, in_header))))
            except MissingCapture:
                continue
        return fields
