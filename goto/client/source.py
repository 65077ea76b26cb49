"""The headers by which a registry says who it is, and of when a push is. The original goto neither sends nor reads them."""

from __future__ import annotations

from urllib.parse import unquote

from goto.client.desired import Source
from goto.errors import BadInput
from goto.flow import Field, Headers, encode
from goto.http.targets import segment
from goto.routes import Who
from goto.words import whole_number

EPOCH = "Goto-Registry-Epoch"
REVISION = "Goto-Registry-Revision"
LABEL = "Goto-Registry-Label"
"""Percent-encoded, since a label may hold what a header value may not."""

REGISTRY = Who(peers=True, mark=EPOCH)
"""Who may call the routes of a client that a registry calls too."""


def fields_of(source: Source) -> list[Field]:
    """The headers that name a source."""
    return [
        (EPOCH.encode(), encode(source.epoch)),
        (REVISION.encode(), b"%d" % source.revision),
        (LABEL.encode(), segment(source.label).encode()),
    ]


def source_of(headers: Headers) -> Source | None:
    """The registry that a call is from; None for a call by anybody else. Raises `BadInput`."""
    epoch, revision = headers.get(EPOCH, ""), headers.get(REVISION, "")
    if not epoch and not revision:
        return None
    if not epoch:
        raise BadInput(f"{EPOCH}: missing, while {REVISION} is given: a registry sends both")
    try:
        number = whole_number(revision or "")
    except ValueError as error:
        raise BadInput(f"{REVISION}: {error}") from None
    return Source(unquote(headers.get(LABEL, "") or ""), epoch, number)
