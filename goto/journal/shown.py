"""An entry as it is shown: as JSON, and as a line of text."""

from __future__ import annotations

from base64 import b64encode
from typing import Literal, NotRequired, TypedDict

from goto.http.record import Copy, MadeCall
from goto.http.shown import body_text, shown, shown_text
from goto.journal.entry import Entry


class ShownBody(TypedDict):
    """A body as it passed: no coding is undone."""

    size: int
    """Bytes of all of it."""
    text: NotRequired[str]
    """What is kept of it, where that is UTF-8."""
    base64: NotRequired[str]
    """What is kept of it, where it is not."""
    truncated: NotRequired[Literal[True]]
    """Not all of it is kept."""


class ShownCall(TypedDict):
    """A call to an upstream."""

    target: str
    url: str
    status: int | None
    """Null as long as there is none, 0 where none came."""
    ms: float | None
    """From sending it to the head of its answer, or to what went wrong."""
    error: NotRequired[str]
    """Why there is no answer, or only a part of one."""


class Milliseconds(TypedDict):
    """The times of an exchange in ms."""

    wait: float
    """How long it was held."""
    upstream: float | None
    """From sending the call to the head of its answer; null without one."""
    head: float | None
    """From the head of the request to that of the answer."""
    end: float | None
    """From the head of the request to the end."""


class ShownEntry(TypedDict):
    """One exchange, as far as it has come."""

    seq: int
    """Its number: over all listeners, in the order in which heads arrived."""
    listener: int
    """The port that it came to."""
    time: str
    """When the head of the request arrived: RFC 3339, in microseconds."""
    client: str
    """Address and port."""
    connection: int
    """The number of the client's connection."""
    onConnection: int
    """Its number on that connection, from 1."""
    method: str
    """Of the request."""
    uri: str
    """Path and query, as they came."""
    version: str
    """Of HTTP: `1.1`."""
    headers: list[tuple[str, str]]
    """As they came; values of masked ones are `***`."""
    body: ShownBody
    """Of the request, as far as it has come."""
    id: str | None
    """The parameter `x-request-id`, else the header of that name."""
    attempt: int | None
    """The header `x-envoy-attempt-count`."""
    status: int | None
    """Null while it is unknown, 0 where none was sent."""
    reason: str
    """The reason phrase of the answer."""
    responseHeaders: list[tuple[str, str]]
    """As features left them, without what frames the body."""
    responseBody: ShownBody
    """Of the answer, as far as it has been sent."""
    by: list[str]
    """What features did to it: `rule:flaky`."""
    calls: list[ShownCall]
    """What was sent on to targets, a call each."""
    ms: Milliseconds
    """Its times, in milliseconds."""
    end: str | None
    """completed, client_gone, aborted, broke_off or upstream_failed; null while it is open."""


def shown_entry(entry: Entry, *, bodies: bool = True) -> ShownEntry:
    """An entry as JSON has it; without `bodies` only their sizes."""
    held, upstream, head, end = entry.times
    most = entry.bodies if bodies else None
    return {
        "seq": entry.seq,
        "listener": entry.listener,
        "time": entry.stamp,
        "client": entry.client,
        "connection": entry.connection,
        "onConnection": entry.on_connection,
        "method": shown_text(entry.method),
        "uri": shown_text(entry.target),
        "version": version_text(entry.version),
        "headers": [(shown(name), shown(value)) for name, value in entry.fields],
        "body": shown_body(entry.request_body, most),
        "id": None if entry.id is None else shown_text(entry.id),
        "attempt": entry.attempt,
        "status": entry.status,
        "reason": entry.reason,
        "responseHeaders": [(shown(name), shown(value)) for name, value in entry.response_fields],
        "responseBody": shown_body(entry.response_body, most),
        "by": list(entry.by),
        "calls": [shown_call(call) for call in entry.calls],
        "ms": {"wait": in_ms(held) or 0.0, "upstream": in_ms(upstream), "head": in_ms(head), "end": in_ms(end)},
        "end": entry.end,
    }


def entry_line(entry: Entry) -> str:
    """An entry as a line of text."""
    took = "-" if entry.took is None else f"{entry.took * 1000:.1f}ms"
    request = f"{entry.client} {shown_text(entry.method)} {shown_text(entry.target)}"
    status = "-" if entry.status is None else str(entry.status)
    return " ".join((f"#{entry.seq}", entry.stamp, str(entry.listener), request, status, took, entry.end or "open", *entry.by))


def in_ms(seconds: float | None) -> float | None:
    """Seconds in milliseconds, to the microsecond."""
    return None if seconds is None else round(seconds * 1000, 3)


def version_text(version: tuple[int, int]) -> str:
    """A version of HTTP as it is written: `1.1`."""
    return f"{version[0]}.{version[1]}"


def shown_call(call: MadeCall) -> ShownCall:
    """A call as JSON has it."""
    status = call.status if call.status or call.seconds is not None else None
    made: ShownCall = {"target": call.target, "url": shown_text(call.url), "status": status, "ms": in_ms(call.seconds)}
    if call.error:
        made["error"] = call.error
    return made


def shown_body(body: Copy, most: int | None) -> ShownBody:
    """A body as JSON has it, up to so many bytes; with None its size alone."""
    made: ShownBody = {"size": body.size}
    if most is None:
        return made
    data = body.data[:most]
    cut = body.size > len(data)
    text = body_text(data, cut=cut)
    if text is not None:
        made["text"] = text
    else:
        made["base64"] = b64encode(data).decode()
    if cut:
        made["truncated"] = True
    return made
