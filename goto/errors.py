"""The errors the API answers, each named once with its status."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ApiError",
    "BadInput",
    "Conflict",
    "Forbidden",
    "Misdirected",
    "NotFound",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "WrongMethod",
]


class ApiError(Exception):
    """A management call that could not be carried out. Nothing was changed."""

    status = 500
    example: ClassVar[str] = ""
    """A message of this kind, for the OpenAPI document."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(ApiError):
    """Something given is wrong; the message names the field and the reason."""

    status = 400
    example = "status: 99 is not a status from 200 to 599"


class Unauthorized(ApiError):
    """A token is needed, and was not shown (RFC 6750, 3)."""

    status = 401
    example = "this call needs a token: send the header Authorization: Bearer TOKEN"


class Forbidden(ApiError):
    """A page of another site may not do this."""

    status = 403
    example = "a page of another site may not manage goto"


class Misdirected(ApiError):
    """Management is not served under that name (RFC 9110, 15.5.20)."""

    status = 421
    example = "management is not served for evil.example (--admin-host)"


class NotFound(ApiError):
    """None of the names given is known."""

    status = 404
    example = "unknown client target: t1"


class Conflict(ApiError):
    """The present state does not allow it."""

    status = 409
    example = "port: listener 8081 is open already"


class TooLarge(ApiError):
    """A body over its limit; it was read no further."""

    status = 413
    example = "body: 2000000 bytes are more than the limit of 1048576"


class Unavailable(ApiError):
    """Not now: the process is starting or ending."""

    status = 503
    example = "not ready"


class WrongMethod(ApiError):
    """The path is a route's, the method is not (RFC 9110, 15.5.6)."""

    status = 405
    example = "DELETE is not a method of /label: use GET, HEAD"

    def __init__(self, method: str, path: str, allowed: list[str]) -> None:
        super().__init__(f"{method} is not a method of {path}: use {', '.join(allowed)}")
        self.allowed = allowed
