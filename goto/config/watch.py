"""Applying files again when they change, by whatever an editor or Kubernetes does to them.

Editors write a new file and rename it over the old one; a ConfigMap is a link to a folder behind another link, which is swapped.
Both show in the folder of the file, so that is what is watched. What counts is whether the content is another one.
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
"""The content is looked at this often even if nothing was heard: a network file system tells nobody of changes."""

QUIET_MILLISECONDS = 50
"""Changes that follow each other this closely are one."""

Content = tuple[bytes | None, ...]


async def watch(files: Sequence[str], reload: Callable[[Sequence[str]], Awaitable[list[str]]], seen: Content) -> None:
    """Call `reload` at each change, until cancelled; a failure leaves everything as it is, and is logged in one line.

    `seen` is the content that is applied already.
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
    """What is in the files now; None for one that cannot be read."""
    found: list[bytes | None] = []
    for file in files:
        try:
            found.append(Path(file).read_bytes())
        except OSError:
            found.append(None)
    return tuple(found)


async def _changes(files: Sequence[str]) -> AsyncIterator[None]:
    """Whenever something happened in one of the folders, or enough time has passed."""
    import watchfiles

    while True:
        folders = _folders(files)
        # what changed before the watching began shows at the first look
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
            # a folder is gone, which may come back
            await asyncio.sleep(1)


def _folders(files: Sequence[str]) -> list[Path]:
    """Where each file is named, and where it really is."""
    folders = {folder for file in files for folder in (Path(file).absolute().parent, Path(file).resolve().parent)}
    return sorted(folder for folder in folders if folder.is_dir())
