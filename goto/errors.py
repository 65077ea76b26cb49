"""The errors the API answers, each named once with its status."""

from __future__ import annotations


class ApiError(Exception):
    """A management call that could not be carried out. Nothing was changed."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(ApiError):
    """Something given is wrong; the message names the field and the reason."""

    status = 400


class NotFound(ApiError):
    """None of the names given is known."""

    status = 404


class Conflict(ApiError):
    """The present state does not allow it."""

    status = 409


class TooLarge(ApiError):
    """A body over its limit; it was read no further."""

    status = 413


class WrongMethod(ApiError):
    """The path is a route's, the method is not (RFC 9110, 15.5.6)."""

    status = 405

    def __init__(self, method: str, path: str, allowed: list[str]) -> None:
        super().__init__(f"{method} is not a method of {path}: use {', '.join(allowed)}")
        self.allowed = allowed
