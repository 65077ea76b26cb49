"""The numbers of a run: how often each was tried, and whether it was done. A byte and a bit a number, no list of requests.

Both sides of a run keep them: the client what it sent and what was answered, the server what arrived and what it completed. They
grow with the highest number met, and a `Shelf` bounds them all together.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import Final, Generic, TypeVar

from goto.http.numbered_id import MOST_NUMBERS

MOST_TRIES: Final = 255
"""More tries of a number count as this many."""

MOST_BYTES: Final = 64 << 20
"""Of the numbers of all runs on a shelf."""

MOST_RUNS: Final = 100
"""Runs on a shelf."""

MOST_GONE: Final = 1000
"""Runs that a shelf remembers to have given up."""

_STEP: Final = 1 << 13
_BITS: Final = [bytes(byte >> bit & 1 for bit in range(8)) for byte in range(256)]
"""Each byte as its eight bits, a byte each, the lowest first."""


class Numbers:
    """The numbers of one run: how often each was tried, and whether it is done."""

    def __init__(self, *, times: bool = False) -> None:
        """`times`: keep of each number when it was tried last, in four bytes."""
        self.tries = bytearray()
        """By number."""
        self._done = bytearray()
        """A bit a number, the lowest first."""
        self.times = array("I") if times else None
        """By number; the owner says what the unit is."""
        self.lost = False
        """They were given up for want of room."""

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.tries) + len(self._done) + (0 if self.times is None else self.times.itemsize * len(self.times))

    def grow(self, number: int) -> None:
        """Have room for a number; a little more than that, so that it is seldom needed."""
        room = min((number + (number >> 3) + _STEP) // _STEP * _STEP, MOST_NUMBERS)
        more = room - len(self.tries)
        self.tries.extend(bytes(more))
        self._done.extend(bytes(more // 8))
        if self.times is not None:
            self.times.extend(array("I", bytes(4 * more)))

    def tried(self, number: int) -> int:
        """A number is tried. Returns how often it was tried before."""
        before = self.tries[number]
        if before < MOST_TRIES:
            self.tries[number] = before + 1
        return before

    def untried(self, number: int) -> None:
        """The one try of a number did not come about."""
        if not self.lost:
            self.tries[number] = 0

    def done(self, number: int) -> bool:
        """A number that was tried is done, whichever of its tries that was. Returns whether it was not before."""
        if self.lost:
            return False
        before = self._done[number >> 3]
        after = self._done[number >> 3] = before | 1 << (number & 7)
        return after != before

    def give_up(self) -> None:
        """Forget all numbers, for want of room."""
        self.lost = True
        self.tries = bytearray()
        self._done = bytearray()
        self.times = None

    def to_bytes(self) -> bytes:
        """All of them as `from_bytes` reads them: the tries of each number, then the bits."""
        known = len(self.tries.rstrip(b"\0"))
        return bytes(self.tries[:known]) + bytes(self._done[: (known + 7) // 8])

    @classmethod
    def from_bytes(cls, data: bytes, count: int) -> Numbers:
        """Raises ValueError for what does not have this many numbers."""
        if len(data) != count + (count + 7) // 8:
            raise ValueError(f"{len(data)} bytes are not {count} numbers")
        numbers = cls()
        numbers.tries = bytearray(data[:count])
        numbers._done = bytearray(data[count:])
        return numbers

    def __len__(self) -> int:
        """Numbers up to the highest one that was tried."""
        return len(self.tries.rstrip(b"\0"))

    def by_tries(self) -> dict[int, int]:
        """How many numbers were tried once, twice, and so on."""
        return {tries: self.tries.count(tries) for tries in sorted(set(self.tries)) if tries}

    def tried_set(self, least: int = 1) -> Set:
        """The numbers that were tried, at least so often."""
        return Set(bytes(self.tries.translate(bytes(least) + b"\1" * (256 - least))))

    def done_set(self) -> Set:
        """The numbers that are done."""
        return Set(b"".join([_BITS[byte] for byte in self._done]))


class Set:
    """A set of numbers, of which there may be ten million."""

    def __init__(self, flags: bytes | int) -> None:
        """`flags`: a byte a number, 1 for those in the set, the lowest first; as one whole number too."""
        self._flags = flags if isinstance(flags, int) else int.from_bytes(flags, "little")

    def __and__(self, other: Set) -> Set:
        return Set(self._flags & other._flags)

    def __sub__(self, other: Set) -> Set:
        return Set(self._flags & ~other._flags)

    def __len__(self) -> int:
        return self._flags.bit_count()

    def first(self, most: int) -> list[int]:
        """The lowest numbers, at most so many."""
        flags = self._flags.to_bytes((self._flags.bit_length() + 7) // 8, "little")
        found: list[int] = []
        at = flags.find(1)
        while at >= 0 and len(found) < most:
            found.append(at)
            at = flags.find(1, at + 1)
        return found


N = TypeVar("N", bound=Numbers)


class Shelf(Generic[N]):
    """The runs that are known, the oldest first, within `MOST_RUNS` and `MOST_BYTES`: the oldest is given up first."""

    def __init__(self) -> None:
        self.runs: OrderedDict[str, N] = OrderedDict()
        """By name. Numbers of these are tried by way of `tried` alone."""
        self._bytes = 0
        self._gone: OrderedDict[str, None] = OrderedDict()
        """Names of runs that were given up or refused, so that what comes of them later is not taken for all there was."""

    def add(self, run: str, numbers: N) -> None:
        """Add a run as the newest one."""
        self.runs[run] = numbers
        self._bytes += numbers.size
        while len(self.runs) > MOST_RUNS:
            self._give_up_oldest()

    def tried(self, numbers: N, number: int) -> int:
        """Note a try of a number below `MOST_NUMBERS`, of a run that is on the shelf. Returns how often it was tried before."""
        if number >= len(numbers.tries):
            self._bytes -= numbers.size
            numbers.grow(number)
            self._bytes += numbers.size
            while self._bytes > MOST_BYTES and len(self.runs) > 1:
                self._give_up_oldest(but=numbers)
        return numbers.tried(number)

    def remove(self, run: str) -> bool:
        """Forget a run. Returns whether it was known."""
        numbers = self.runs.pop(run, None)
        if numbers is None:
            return False
        self._bytes -= numbers.size
        self.missed(run)
        return True

    def missed(self, run: str) -> None:
        """Some of a run goes unseen."""
        self._gone[run] = None
        self._gone.move_to_end(run)
        if len(self._gone) > MOST_GONE:
            self._gone.popitem(last=False)

    def has_missed(self, run: str) -> bool:
        """Whether some of a run went unseen before."""
        return run in self._gone

    def _give_up_oldest(self, but: N | None = None) -> None:
        run = next(run for run, numbers in self.runs.items() if numbers is not but)
        numbers = self.runs[run]
        self.remove(run)
        numbers.give_up()
