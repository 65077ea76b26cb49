"""A secret that a caller shows: a bearer token (RFC 6750).

A `Token` never shows itself: as text it is stars, so that no log, document or error message can hold it by mistake.
"""

from __future__ import annotations

import hmac
import os
import re
from pathlib import Path
from typing import Any, ClassVar

from goto.http.fields import Field, Headers, encode

_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_BEARER = re.compile(r"bearer +(\S+)", re.I)

MOST_CHARACTERS = 4096
HIDDEN = "***"


class Token:
    """A secret made of letters, digits and `-._~+/`, with `=` at the end where wanted (RFC 6750, 2.1)."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS, "writeOnly": True}

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def parse(cls, text: str) -> Token:
        """Blanks and line ends around it do not matter. The reason of an error does not repeat it."""
        text = text.strip()
        if not text:
            raise ValueError("a token must not be empty")
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"a token has at most {MOST_CHARACTERS} characters")
        if not _B64TOKEN.fullmatch(text):
            raise ValueError("a token is made of letters, digits and -._~+/ with = at the end (RFC 6750, 2.1)")
        return cls(text.encode())

    def is_shown(self, shown: bytes) -> bool:
        """Whether that is it, in a time that does not tell how much of it is."""
        return hmac.compare_digest(self._secret, shown)

    def field(self) -> Field:
        """What shows it to another instance."""
        return b"Authorization", b"Bearer " + self._secret

    def hide(self, text: str) -> str:
        """A text without it: whoever was shown it may repeat it."""
        return text.replace(self._secret.decode(), HIDDEN)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and self.is_shown(other._secret)

    def __hash__(self) -> int:
        return hash(self._secret)

    def __repr__(self) -> str:
        return HIDDEN


class GivenToken:
    """A token as an option or a variable gives it: itself, or `@FILE` for the one in a file."""

    @staticmethod
    def parse(text: str) -> Token:
        text = text.strip()
        if not text.startswith("@"):
            return Token.parse(text)
        try:
            with Path(text[1:]).open("rb") as stream:
                data = stream.read(MOST_CHARACTERS + 100)
        except OSError as error:
            # not its name: somebody's token may begin with an @
            raise ValueError(f"the file after @ cannot be read: {error.strerror or 'no such file'}") from None
        except ValueError:
            raise ValueError("the name of the file after @ is none") from None
        return Token.parse(data.decode("utf-8", "replace"))

    @classmethod
    def of(cls, option: Token | None, variable: str) -> Token | None:
        """The one of an option, else of a variable of the environment; an empty variable is a mistake. Raises ValueError."""
        text = os.environ.get(variable)
        if option is not None or text is None:
            return option
        try:
            return cls.parse(text)
        except ValueError as error:
            raise ValueError(f"{variable}: {error}") from None


def shown(headers: Headers) -> bytes | None:
    """The token that a request shows; None where it shows none, or several."""
    values = headers.get_all("authorization")
    found = _BEARER.fullmatch(values[0].strip()) if len(values) == 1 else None
    return encode(found[1]) if found else None
