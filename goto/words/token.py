"""Bearer tokens: the secrets that callers show (RFC 6750).

A `Token` prints as `***`, so that no log, document or error message can contain the secret by mistake.
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
    """A secret made of letters, digits and `-._~+/`, which may end with `=` (RFC 6750, 2.1)."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS, "writeOnly": True}

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def parse(cls, text: str) -> Token:
        """Read a token, without blanks and line ends around it. Raises ValueError with a reason that does not repeat it."""
        text = text.strip()
        if not text:
            raise ValueError("a token must not be empty")
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"a token has at most {MOST_CHARACTERS} characters")
        if not _B64TOKEN.fullmatch(text):
            raise ValueError("a token is made of letters, digits and -._~+/ with = at the end (RFC 6750, 2.1)")
        return cls(text.encode())

    def matches(self, shown: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self._secret, shown)

    def field(self) -> Field:
        """The header field that shows the token to another instance."""
        return b"Authorization", b"Bearer " + self._secret

    def hide(self, text: str) -> str:
        """The text with the token replaced by stars: whoever was shown it may repeat it in an error."""
        return text.replace(self._secret.decode(), HIDDEN)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and self.matches(other._secret)

    def __hash__(self) -> int:
        return hash(self._secret)

    def __repr__(self) -> str:
        return HIDDEN


class TokenOption:
    """A token as an option or an environment variable gives it: the token itself, or `@FILE` for one in a file."""

    @staticmethod
    def parse(text: str) -> Token:
        """Raises ValueError with the reason, which repeats neither the token nor the name of the file."""
        text = text.strip()
        if not text.startswith("@"):
            return Token.parse(text)
        try:
            with Path(text[1:]).open("rb") as stream:
                data = stream.read(MOST_CHARACTERS + 100)
        except OSError as error:
            # without the name of the file: it may be a token that begins with an @
            raise ValueError(f"the file after @ cannot be read: {error.strerror or 'no such file'}") from None
        except ValueError:
            raise ValueError("the file after @ cannot be read: its name is not valid") from None
        return Token.parse(data.decode("utf-8", "replace"))

    @classmethod
    def of(cls, option: Token | None, variable: str) -> Token | None:
        """The token of an option, else of an environment variable. Raises ValueError where the variable is set and empty."""
        text = os.environ.get(variable)
        if option is not None or text is None:
            return option
        try:
            return cls.parse(text)
        except ValueError as error:
            raise ValueError(f"{variable}: {error}") from None


def bearer_token(headers: Headers) -> bytes | None:
    """The token in the `Authorization` header of a request; None where there is no such header, or more than one."""
    values = headers.get_all("authorization")
    found = _BEARER.fullmatch(values[0].strip()) if len(values) == 1 else None
    return encode(found[1]) if found else None
