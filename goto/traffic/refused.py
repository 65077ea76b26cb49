"""What is answered where traffic cannot be carried out as it came: its body breaks, or is over a limit."""

from __future__ import annotations

from goto.errors import ApiError
from goto.flow import Response

_BY_WHOM = "goto: "


def refused(error: ApiError) -> Response:
    """The error as one line of text that begins with `goto: `, whatever the request accepts: JSON is for callers of the API."""
    message = error.message
    return Response.text(error.status, message if message.startswith(_BY_WHOM) else f"{_BY_WHOM}{message}")
