"""What a management call raises that did not succeed. The text is the instance's own, word for word."""

from __future__ import annotations

from typing import Any


class ApiFailure(Exception):
    """A management call was answered with an error, or not at all."""

    def __init__(self, text: str, status: int = 0, answer: Any = None) -> None:
        super().__init__(text)
        self.text = text
        """The reason, as the instance says it."""
        self.status = status
        """That of the answer; 0 where there was none."""
        self.answer = answer
        """The answer as JSON, where it is some."""


class BadInput(ApiFailure):
    """400: a parameter or a field is not as it should be."""


class Unauthorized(ApiFailure):
    """401: a token is needed, or it is another one."""


class NotFound(ApiFailure):
    """404: what is named is not there."""


class Conflict(ApiFailure):
    """409: it cannot be done as things are."""


class NotHeld(ApiFailure, AssertionError):
    """417: what was to be verified is not so. `answer` has what was seen, and the nearest misses."""


class NotReached(ApiFailure):
    """There was no answer: nothing listens there, the connection broke, or it took too long."""


_BY_STATUS: dict[int, type[ApiFailure]] = {400: BadInput, 401: Unauthorized, 404: NotFound, 409: Conflict, 417: NotHeld}


def failure_of(status: int, text: str, answer: Any = None) -> ApiFailure:
    """The failure that an answer with an error status stands for."""
    return _BY_STATUS.get(status, ApiFailure)(text, status, answer)
