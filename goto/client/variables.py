"""Variables of a request: `{n}`, `{replica}`, `{uuid}`, `{random:…}`. All other braces are literal text."""

from __future__ import annotations

import re
from random import choice, choices, randint
from typing import Final

from goto.flow import encode
from goto.http.request_id import fresh_id
from goto.http.targets import ascii_only, percent_encoded

MOST_LETTERS: Final = 65_536
"""Letters and digits that `{random:8}` may ask for."""

_VARIABLE: Final = re.compile(
    r"\{(n|replica|uuid|random:(?:(-?[0-9]{1,18})-(-?[0-9]{1,18})|([0-9]{1,18})|([^{}|]*(?:\|[^{}|]*)+)))\}"
)
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

NUMBER: Final = 0
REPLICA: Final = 1
UUID: Final = 2
RANGE: Final = 3
LETTERS: Final = 4
CHOICE: Final = 5


class Variable:
    """One variable: which kind it is, and what it draws from."""

    __slots__ = ("_high", "_kind", "_low", "_options")

    def __init__(self, kind: int, low: int = 0, high: int = 0, options: list[bytes] | None = None) -> None:
        self._kind = kind
        self._low = low
        self._high = high
        self._options: list[bytes] = options or []

    def value(self, number: int, replica: int) -> bytes:
        """Its value in the request of this number, which a replica of that number sends."""
        kind = self._kind
        if kind == NUMBER:
            return b"%d" % number
        if kind == REPLICA:
            return b"%d" % replica
        if kind == UUID:
            return fresh_id().encode()
        if kind == RANGE:
            return b"%d" % randint(self._low, self._high)
        if kind == LETTERS:
            return bytes(choices(_LETTERS, k=self._low))
        return choice(self._options)


class Template:
    """Text with variables in it. What is `variable` differs from one request to the next."""

    __slots__ = ("_pieces", "literal", "variable")

    def __init__(self, text: str, *, variables: bool = True, in_url: bool = False) -> None:
        """Without `variables` all of it is literal. `in_url`: what is no ASCII is percent-encoded, and so are values.

        Raises ValueError with the reason.
        """
        self._pieces: list[bytes | Variable] = []
        at = 0
        for found in _VARIABLE.finditer(text) if variables else ():
            self._literal(text[at : found.start()], in_url)
            self._pieces.append(_variable(found, in_url))
            at = found.end()
        self.variable = bool(self._pieces)
        self._literal(text[at:], in_url)
        self.literal = b"" if self.variable else b"".join([piece for piece in self._pieces if isinstance(piece, bytes)])
        """The bytes of what has no variable."""

    def fill(self, number: int, replica: int) -> bytes:
        """The text in the request of this number, which a replica of that number sends."""
        return b"".join([piece if isinstance(piece, bytes) else piece.value(number, replica) for piece in self._pieces])

    def _literal(self, text: str, in_url: bool) -> None:
        if text:
            self._pieces.append(encode(ascii_only(text) if in_url else text))


def _variable(found: re.Match[str], in_url: bool) -> Variable:
    low, high, letters, options = found[2], found[3], found[4], found[5]
    if low is not None:
        if int(low) > int(high):
            raise ValueError(f"{found[0]} has no number: write the lower one first")
        return Variable(RANGE, int(low), int(high))
    if letters is not None:
        if not 1 <= int(letters) <= MOST_LETTERS:
            raise ValueError(f"{found[0]} is not from 1 to {MOST_LETTERS:,} letters and digits")
        return Variable(LETTERS, int(letters))
    if options is not None:
        return Variable(CHOICE, options=[encode(percent_encoded(one) if in_url else one) for one in options.split("|")])
    return Variable({"n": NUMBER, "replica": REPLICA, "uuid": UUID}[found[1]])
