"""What may go wrong with an upstream. Each error knows the status that a client is answered, and what it is counted as."""

from __future__ import annotations

from typing import ClassVar, Final

from goto.http.shown import shown
from goto.words.unseen import escaped

LINE_SHOWN: Final = 80
"""Characters of a line at fault that are shown."""


class UpstreamError(Exception):
    """An exchange with an upstream that failed; the text says why. `status` is what a client is answered."""

    status: ClassVar[int] = 502
    kind: ClassVar[str] = "other"
    """What it is counted as."""
    same: ClassVar[str] = ""
    """The text without what differs from one failure to the next, where something does; what clients count by. Not a property,
    which a compiled class that inherits from a builtin one cannot have."""


class Unreachable(UpstreamError):
    """No connection could be made."""

    kind: ClassVar[str] = "connect"


class Broken(UpstreamError):
    """The connection ended too early, or what came over it was no HTTP."""

    kind: ClassVar[str] = "broken"


class NoHttp(Broken):
    """A line of the answer is no HTTP; the text shows it, escaped, 80 characters of it at most."""

    same: ClassVar[str] = "answered with what is no HTTP"

    def __init__(self, line: bytes) -> None:
        # a character takes up to four bytes, and a last one may be cut through
        text = escaped(shown(line[: 4 * LINE_SHOWN + 4]))
        text = f"{text[:LINE_SHOWN]}…" if len(text) > LINE_SHOWN else text
        super().__init__(f'{self.same}: "{text}"')


class TooSlow(UpstreamError):
    """No answer, or no more of it, within the time set."""

    status: ClassVar[int] = 504
    kind: ClassVar[str] = "timeout"
