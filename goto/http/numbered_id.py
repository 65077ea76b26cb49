"""Ids that say which run a request is of, and which number it has there: what is sent can be joined with what arrived.

    cccccccc-rrrr-8rrr-9rrr-rrrrrrrrrrrr        a UUID of version 8 (RFC 9562, 5.8)

c is the number, from 0, times `MIX` modulo 2**32, since a proxy may sample by the first digits. r is random, one for a run, and
its last digit is `GAPS` where the time between tries is wanted, and never else. A proxy may put its decision on tracing over the
digit at 14, the version, so ids are compared without it; the name of a run is what follows the number, with an 8 there.
"""

from __future__ import annotations

import re
from random import getrandbits, randrange
from typing import Any, ClassVar, Final, NamedTuple

from goto.http.fields import Headers, decode
from goto.http.request_id import REQUEST_ID

MIX: Final = 0x9E3779B1
"""2**32 over the golden ratio: odd, so that each number has an inverse (Knuth, TAOCP 3, 6.4)."""

_UNMIX: Final = pow(MIX, -1, 1 << 32)
_MASK: Final = (1 << 32) - 1

MOST_NUMBERS: Final = 10_000_000
"""Numbers of a run that are told apart."""

GAPS: Final = "f"

NEW_RUN: Final = "89ab"
"""What may stand at 14 in the first id of a run that nobody knows: the version, or what Envoy writes there for a request that is
traced. A UUID of version 4 is none of them."""

_ID = re.compile(rb"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f])([0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12})", re.IGNORECASE)
_RUN = re.compile(r"(?:[0-9a-f]{8}-)?([0-9a-f]{4})-[0-9a-f]([0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12})", re.IGNORECASE)
_PARAMETER = REQUEST_ID + "="
_HEADER = REQUEST_ID.encode()


class Numbered(NamedTuple):
    """What an id says."""

    run: str
    number: int
    opens: bool
    """It may be the first id of a run that nobody knows."""


def fresh_run(*, gaps: bool = False) -> str:
    """The name of a new run. `gaps`: the time between tries is wanted."""
    digits = f"{getrandbits(84):021x}"
    last = GAPS if gaps else f"{randrange(15):x}"
    return f"{digits[:4]}-8{digits[4:7]}-9{digits[7:10]}-{digits[10:]}{last}"


def wants_gaps(run: str) -> bool:
    """Whether the time between tries of a run is wanted."""
    return run.endswith(GAPS)


def numbered_id(run: str, number: int) -> str:
    """The id of a number of a run."""
    return f"{number * MIX & _MASK:08x}-{run}"


def read_id(text: bytes) -> Numbered | None:
    """What an id says; None for what is no such id."""
    found = _ID.fullmatch(text)
    if found is None:
        return None
    mixed, first, version, rest = found.groups()
    number = int(mixed, 16) * _UNMIX & _MASK
    run = f"{first.decode()}-8{rest.decode()}".lower()
    return Numbered(run, number, number < MOST_NUMBERS and decode(version).lower() in NEW_RUN)


def id_in(query: str, headers: Headers) -> Numbered | None:
    """The id of a request: in a parameter of its query, else in a header, which proxies write over."""
    if _PARAMETER in query:
        for pair in query.split("&"):
            if pair.startswith(_PARAMETER) and (found := read_id(pair[len(_PARAMETER) :].encode("utf-8", "replace"))) is not None:
                return found
    for _, value in headers.index.get(_HEADER, ()):
        if (found := read_id(value)) is not None:
            return found
    return None


class RunName(str):
    """The name of a run, as an id has it behind its number; a whole id stands for its run."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["5f3a-8c21-90be-77d0c4a1e52b"]}

    @classmethod
    def parse(cls, text: str) -> RunName:
        found = _RUN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no run: write what follows the first dash of an id, like 5f3a-8c21-90be-77d0c4a1e52b")
        return cls(f"{found[1]}-8{found[2]}".lower())
