"""Applies files again when they change, whether an editor or Kubernetes changes them.

Editors write a new file and rename it over the old one; a file of a ConfigMap is a link into a folder behind another link, which
is swapped. Both can be seen in the folder of the file, so folders are watched. A file has changed when its content has.

A file that is written in place is empty first, and then a part of what it will be. So it is not applied at once:

| content | is applied |
|---|---|
| as it was applied last | not at all: what was there in between has changed nothing |
| empty, which it was not: nothing, blanks, comments | once it has been so for 10 s; the log says so in time |
| lacks a key, an item of a list or a listener that was there | once it has stood still for 1.5 s |
| any other | at once |

Each write begins the time anew. What is wrong, or missing, is said once, and the last good state stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from goto.config.document import Document
from goto.config.errors import ConfigError
from goto.config.loader import is_empty, load, load_file
from goto.config.node import Node
from goto.errors import ApiError

log = logging.getLogger("goto")

LOOK_SECONDS = 5.0
"""How often the content is compared even if no event came: network file systems send none."""

QUIET_MILLISECONDS = 50
"""Changes that follow each other within this time count as one."""

STILL_SECONDS = 1.5
"""How long content that takes something away has to stand still."""

EMPTY_SECONDS = 10.0
"""The same of content that is empty."""

WARN_SECONDS = 1.0
"""How long content is empty before the log says what will become of it."""

Content = tuple[bytes | None, ...]


class Configured(Protocol):
    """What is configured by the files."""

    def read(self, files: Sequence[str], load: Callable[[str], Node]) -> Document:
        """The document that files are, each of them loaded by its name. Raises `ConfigError`."""

    def takes_away(self, document: Document) -> bool:
        """Whether it lacks something that the document applied last has."""

    async def reload(self, document: Document) -> list[str]:
        """Apply it. Returns what was changed. Raises `ApiError`."""


@dataclass
class _Pending:
    """Content that differs from what is applied, and is waited for."""

    content: Content
    written: tuple[int, ...]
    document: Document
    since: float
    seconds: float
    empty: str
    """The files that are empty and were not, to warn of; empty once that was done."""


class Watch:
    """Follows some files. `seen` is the content that was applied already."""

    def __init__(self, files: Sequence[str], configured: Configured, seen: Content) -> None:
        self._files = files
        self._names = ", ".join(files)
        self._configured = configured
        self._applied = seen
        self._refused: Content | None = None
        """What could not be applied, which was said."""
        self._pending: _Pending | None = None

    async def run(self) -> None:
        """Apply each change, until cancelled. A failure leaves everything as it is, and is logged in one line."""
        changed = asyncio.Event()
        listening = asyncio.create_task(_listen(self._files, changed))
        try:
            while True:
                left = await self._look()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), left)
                changed.clear()
        finally:
            listening.cancel()

    async def _look(self) -> float | None:
        """Do what is due; the seconds until something is due without another change, None for nothing."""
        now = asyncio.get_running_loop().time()
        content, written = await asyncio.to_thread(lambda: (contents(self._files), _written(self._files)))
        pending = self._pending
        if content == self._applied:
            self._pending = self._refused = None
        elif content != self._refused and (pending is None or (pending.content, pending.written) != (content, written)):
            await self._judge(content, written, now)
        pending = self._pending
        if pending is None:
            return None
        waited = now - pending.since
        if waited >= pending.seconds:
            self._pending = None
            await self._apply(pending)
            return None
        if pending.empty and waited >= WARN_SECONDS:
            left = round(pending.seconds - waited)
            log.warning("%s: empty: applied in %ds if it stays so", pending.empty, left)
            pending.empty = ""
        return min(pending.seconds, WARN_SECONDS if pending.empty else pending.seconds) - waited

    async def _judge(self, content: Content, written: tuple[int, ...], now: float) -> None:
        """Find out what the content is, and how long to wait for it."""
        self._pending = None
        held = dict(zip(self._files, content, strict=True))

        def load_held(file: str) -> Node:
            data = held[file]
            return load_file(file) if data is None else load(data, file)

        try:
            document = await asyncio.to_thread(self._configured.read, self._files, load_held)
        except ConfigError as error:
            self._refuse(content, "%s: not applied, the configuration stays as it is", error.line)
            return
        empty = ", ".join(
            file
            for file, new, old in zip(self._files, content, self._applied, strict=True)
            if new is not None and is_empty(new) and not (old is not None and is_empty(old))
        )
        seconds = EMPTY_SECONDS if empty else STILL_SECONDS if self._configured.takes_away(document) else 0.0
        self._pending = _Pending(content, written, document, now, seconds, empty)

    async def _apply(self, pending: _Pending) -> None:
        try:
            done = await self._configured.reload(pending.document)
        except ApiError as error:
            self._refuse(pending.content, "%s: %s: not applied, the configuration stays as it is", self._names, error.message)
        except Exception:
            self._refused = pending.content
            log.exception("%s: not applied, the configuration stays as it is", self._names)
        else:
            self._applied, self._refused = pending.content, None
            log.warning("%s: applied%s", self._names, f": {', '.join(done)}" if done else ", which changes nothing")

    def _refuse(self, content: Content, *message: str) -> None:
        self._refused = content
        log.warning(*message)


def contents(files: Sequence[str]) -> Content:
    """The present content of each file; None for one that cannot be read."""
    found: list[bytes | None] = []
    for file in files:
        try:
            found.append(Path(file).read_bytes())
        except OSError:
            found.append(None)
    return tuple(found)


def _written(files: Sequence[str]) -> tuple[int, ...]:
    """When each file was written last, in nanoseconds; 0 for one that is not there."""
    times = []
    for file in files:
        try:
            times.append(Path(file).stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return tuple(times)


async def _listen(files: Sequence[str], changed: asyncio.Event) -> None:
    """Set the event at each change."""
    async for _ in _changes(files):
        changed.set()


async def _changes(files: Sequence[str]) -> AsyncIterator[None]:
    """Yields whenever something has changed in one of the folders, or after `LOOK_SECONDS`."""
    import watchfiles

    while True:
        folders = _folders(files)
        # a change from before the watching began is found at this first comparison
        yield
        try:
            async for _ in watchfiles.awatch(
                *folders,
                watch_filter=None,
                debounce=4 * QUIET_MILLISECONDS,
                step=QUIET_MILLISECONDS,
                rust_timeout=int(LOOK_SECONDS * 1000),
                yield_on_timeout=True,
                recursive=False,
            ):
                yield
                if _folders(files) != folders:
                    break
        except (OSError, RuntimeError):
            # a folder is gone, and may come back
            await asyncio.sleep(1)


def _folders(files: Sequence[str]) -> list[Path]:
    """The folders that hold the files: of each, that of its path and that of the file which links lead to."""
    folders = {folder for file in files for folder in (Path(file).absolute().parent, Path(file).resolve().parent)}
    return sorted(folder for folder in folders if folder.is_dir())
