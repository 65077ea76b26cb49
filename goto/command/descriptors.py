"""Standard input, output and error, whatever they are: closed, on a full disk, a pipe without a reader, not in UTF-8.

Writing to them never fails. What cannot be written is dropped, and the exit status says so in the end.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import Any, TextIO

from goto.words import escapes

UNWRITTEN = 2
"""The exit status where the output could not be written."""


class _Descriptor(io.FileIO):
    """A file that accepts everything. `failure` is the error of a write that failed."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "wb", closefd=False)
        self.failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            while (written := super().write(data)) is None:
                # another process has made the pipe non-blocking
                select.select((), (self.fileno(),), ())
        except OSError as error:
            self.failure = error
            return len(data)
        return written


class Output:
    """The standard output of a command, which tells in the end whether everything was written."""

    def __init__(self, descriptor: _Descriptor | None) -> None:
        self._descriptor = descriptor

    def finish(self, status: int) -> int:
        """Write what is buffered. Returns the exit status: `status`, or UNWRITTEN. A reader that has left is not a failure."""
        sys.stdout.flush()
        failure = self._descriptor.failure if self._descriptor is not None else None
        if failure is not None and failure.errno != errno.EPIPE:
            print(f"goto: standard output: {failure.strerror}", file=sys.stderr)
            status = UNWRITTEN
        sys.stderr.flush()
        return status


def prepare() -> Output:
    """Make standard input, output and error usable, whatever this process was started with."""
    while True:
        # the system opens the lowest number that is closed
        number = os.open(os.devnull, os.O_RDWR)
        if number > 2:
            os.close(number)
            break
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for as long as the process runs
    sys.stdout, descriptor = _tolerant(1, sys.stdout)
    sys.stderr, _ = _tolerant(2, sys.stderr)
    return Output(descriptor)


def _tolerant(number: int, stream: TextIO | None) -> tuple[TextIO, _Descriptor | None]:
    """A stream in place of one of the interpreter's, which is None where its descriptor was closed."""
    if stream is not None:
        buffer = getattr(stream, "buffer", None)
        if type(getattr(buffer, "raw", buffer)) is not io.FileIO:
            return stream, None  # a console of Windows
    descriptor = _Descriptor(number)
    tolerant = io.TextIOWrapper(
        io.BufferedWriter(descriptor),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors=escapes.TEXT,
        line_buffering=number == 2 or descriptor.isatty(),
    )
    return tolerant, descriptor


def print_json(text: str) -> None:
    """Print JSON text. Where the output is not UTF-8, the text has escapes."""
    if not escapes.is_utf8(sys.stdout.encoding):
        text = text.encode("ascii", escapes.JSON).decode()
    print(text.rstrip("\n"))
