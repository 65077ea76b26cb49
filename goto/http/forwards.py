"""How far a request has come, and how far it may still go.

`Goto-Hops: 3;0a1b2c3d` says that goto has sent it on three times, and that the listener of that id sent it to several. Any
other value, and a second field, is that of a request which came through as often as is allowed (RFC 9110, 7.6).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from goto.http.fields import Field
from goto.http.messages import Hops, Request

MOST_HOPS: Final = 32
"""A request that came through goto so often is sent on no more."""

HOPS_NAME: Final = b"Goto-Hops"
MAX_FORWARDS: Final = b"max-forwards"
_LIMITED: Final = frozenset(("OPTIONS", "TRACE"))
_HOPS: Final = re.compile(rb"([0-9]{1,9})((?:;[0-9a-f]{8})*)")
_NUMBER: Final = re.compile(rb"[0-9]{1,4000}")


def take_hops(request: Request) -> None:
    """Move what `Goto-Hops` says into `request.hops`: no feature sees the field."""
    values = [value for _, value in request.headers.index[b"goto-hops"]]
    request.headers.remove("Goto-Hops")
    found = _HOPS.fullmatch(values[0].strip(b" \t")) if len(values) == 1 else None
    if found is None:
        request.hops = Hops(MOST_HOPS, ())
    else:
        request.hops = Hops(int(found[1]), tuple(found[2].split(b";")[1:]))


def hops_field(hops: Hops, listener: bytes = b"") -> Field:
    """What a request carries that is sent on once more; `listener` is the id of the one that sends it to several."""
    if not hops.times and not hops.ids and not listener:
        return _FIRST
    ids: Sequence[bytes] = (*hops.ids, listener) if listener else hops.ids
    return HOPS_NAME, b";".join((b"%d" % (hops.times + 1), *ids))


_FIRST: Final[Field] = (HOPS_NAME, b"1")


def max_forwards(request: Request) -> int | None:
    """How often a request may still be sent on (RFC 9110, 7.6.2); None where nothing, or nothing that is a number, says so."""
    if request.method not in _LIMITED:
        return None
    fields = request.headers.index.get(MAX_FORWARDS, ())
    if len(fields) != 1 or not _NUMBER.fullmatch(fields[0][1]):
        return None
    return int(fields[0][1])


def one_less(request: Request, fields: list[Field]) -> list[Field]:
    """Fields of a request that is sent on: `Max-Forwards` is one less."""
    left = max_forwards(request)
    if not left:
        return fields
    return [(name, b"%d" % (left - 1)) if name.lower() == MAX_FORWARDS else (name, value) for name, value in fields]
