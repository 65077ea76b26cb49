"""The errors that the API answers with, each with its status."""

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
    """A management call could not be carried out. Nothing was changed."""

    status = 500
    example: ClassVar[str] = ""
    """An example of the message, for the OpenAPI document."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(ApiError):
    """The input is wrong. The message names the field and the reason."""

    status = 400
    example = "status: 99 is not a status from 200 to 599"


class Unauthorized(ApiError):
    """The call needs a token, and did not show it (RFC 6750, 3)."""

    status = 401
    example = "this call needs a token: send the header Authorization: Bearer TOKEN"


class Forbidden(ApiError):
    """The call was sent by a page of another site."""

    status = 403
    example = "a page of another site may not manage goto"


class Misdirected(ApiError):
    """Management is not served under the host name of the call (RFC 9110, 15.5.20)."""

    status = 421
    example = "management is not served for evil.example (--admin-host)"


class NotFound(ApiError):
    """None of the names given is known."""

    status = 404
    example = "unknown client target: t1"


class StoodStill(ApiError):
    """The client has stopped sending its body. For hosts alone (RFC 9110, 15.5.9)."""

    status = 408
    example = "goto: the body stood still for 1m0s"


class Conflict(ApiError):
    """The present state does not allow the call."""

    status = 409
    example = "port: listener 8081 is open already"


class TooLarge(ApiError):
    """The body is over its limit. It was not read any further."""

    status = 413
    example = "body: 2000000 bytes are more than the limit of 1048576"


class Unavailable(ApiError):
    """The call is not possible now: the process is starting or ending."""

    status = 503
    example = "not ready"


class WrongMethod(ApiError):
    """There is a route with this path, but not with this method (RFC 9110, 15.5.6)."""

    status = 405
    example = "DELETE is not a method of /label: use GET, HEAD"

    def __init__(self, method: str, path: str, allowed: list[str]) -> None:
        super().__init__(f"{method} is not a method of {path}: use {', '.join(allowed)}")
        self.allowed = allowed
