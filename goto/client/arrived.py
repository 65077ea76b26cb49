"""What arrived of a run, as the server's side tells it and the client's side reads it."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode

import msgspec

from goto.client.histogram import Latencies
from goto.counting.numbers import Numbers
from goto.http.numbered_id import MOST_NUMBERS


class ArrivedSummary(msgspec.Struct, rename="camel", omit_defaults=True):
    """What arrived of a run, without its numbers."""

    since: str
    """From when on the run is counted (RFC 3339): what arrived before is not known."""
    listeners: list[int]
    """The ports at which it arrived."""
    arrived: int
    """Different ids."""
    arrivals: int
    """Exchanges with an id of the run."""
    completed: int
    """Different ids that were answered whole."""
    reordered: int
    """First arrivals with a lower number than one before."""
    incomplete: bool
    """Some of what arrived since then is not in these numbers."""

    def __post_init__(self) -> None:
        if min(self.arrived, self.arrivals, self.completed, self.reordered) < 0:
            raise ValueError("a count below 0")


class ArrivedRun(ArrivedSummary, rename="camel", kw_only=True):
    """What arrived of a run."""

    count: int
    """Numbers below: those up to the highest that arrived."""
    numbers: str
    """A byte a number: how often it arrived, 255 for more; then a bit a number, the lowest first: whether it was answered whole.
    All of it by zlib, in base64.
    """
    gaps: str | None = None
    """Between tries of one id: a histogram as HdrHistogram encodes it, in microseconds. Not there where nobody wanted it."""


def packed(data: bytes) -> str:
    """What `Numbers.to_bytes` gave as `ArrivedRun.numbers` has it."""
    return b64encode(zlib.compress(data, 1)).decode()


def unpacked(run: ArrivedRun) -> Numbers:
    """Raises ValueError for what is no such text."""
    count = run.count
    if not 0 <= count <= MOST_NUMBERS:
        raise ValueError(f"numbers: {count} are not from 0 to {MOST_NUMBERS}")
    size = count + (count + 7) // 8
    try:
        # no more than is to be in it, whatever is in it
        data = zlib.decompressobj().decompress(b64decode(run.numbers, validate=True), size + 1)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"numbers: {error}") from None
    return Numbers.from_bytes(data, count)


def gaps_of(run: ArrivedRun) -> Latencies | None:
    """Raises ValueError for what is no such histogram."""
    return None if run.gaps is None else Latencies.decoded(run.gaps)
