"""The answers of goto itself: `/status/{n}`, `/echo`, and forced statuses."""

from __future__ import annotations

from goto.feature import Feature
from goto.flow import Flow, Response
from goto.http.forwards import max_forwards
from goto.http.reasons import status_text
from goto.http.wire import NOT_MODIFIED
from goto.traffic.echo import echo

_ECHO = frozenset(("/echo", "/echo/", "/echo/headers", "/echo/headers/"))


class Local(Feature):
    """Answer `/status/{n}`, `/echo`, and every flow with a forced status."""

    def request(self, flow: Flow) -> None:
        path = flow.request.path if flow.local else ""
        if path.startswith("/status/") and "/" not in path[8:].removesuffix("/") and path != "/status/":
            flow.response = _status(flow)
        elif path in _ECHO:
            flow.answer = echo
        elif flow.status is not None:
            flow.answer = flow.default or _empty
        elif max_forwards(flow.request) == 0:
            flow.answer = echo  # nobody further on is asked (RFC 9110, 7.6.2)


def _status(flow: Flow) -> Response:
    status = flow.status or flow.request.requested_status
    if status is None:
        word = flow.request.path[8:].removesuffix("/")
        return Response.text(400, f"status: {word!r} is not a status from 200 to 599")
    if status == NOT_MODIFIED:
        return Response(status)  # it describes no content (RFC 9110, 15.4.5)
    return Response.text(status, status_text(status))


def _empty(flow: Flow, body: bytes, size: int) -> Response:
    return Response(flow.status or 200)
