"""Applies files again when they change, whether an editor or Kubernetes changes them.

Editors write a new file and rename it over the old one; a file of a ConfigMap is a link into a folder behind another link, which
is swapped. Both can be seen in the folder of the file, so folders are watched. A file has changed when its content has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from goto.config.errors import ConfigError
from goto.errors import ApiError

log = logging.getLogger("goto")

LOOK_SECONDS = 5.0
"""How often the content is compared even if no event came: network file systems send none."""

QUIET_MILLISECONDS = 50
"""Changes that follow each other within this time count as one."""

Content = tuple[bytes | None, ...]


async def watch(files: Sequence[str], reload: Callable[[Sequence[str]], Awaitable[list[str]]], seen: Content) -> None:
    """Call `reload` at each change, until cancelled. A failure leaves everything as it is, and is logged in one line.

    `seen` is the content that was applied already.
    """
    async for _ in _changes(files):
        content = contents(files)
        if content == seen:
            continue
        seen = content
        names = ", ".join(files)
        try:
            done = await reload(files)
        except ConfigError as error:
            log.warning("%s: not applied, the configuration stays as it is", error.line)
        except ApiError as error:
            log.warning("%s: %s: not applied, the configuration stays as it is", names, error.message)
        except Exception:
            log.exception("%s: not applied, the configuration stays as it is", names)
        else:
            log.warning("%s: applied%s", names, f": {', '.join(done)}" if done else ", which changes nothing")


def contents(files: Sequence[str]) -> Content:
    """The present content of each file; None for one that cannot be read."""
    found: list[bytes | None] = []
    for file in files:
        try:
            found.append(Path(file).read_bytes())
        except OSError:
            found.append(None)
    return tuple(found)


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
