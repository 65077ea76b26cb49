"""Programs that a measurement needs besides Python."""

from __future__ import annotations

import shutil


class Missing(Exception):
    """Something is not installed; the text says what."""


def find(program: str, package: str | None = None) -> str:
    """The path of a program. Raises `Missing`, naming the Debian package."""
    found = shutil.which(program)
    if found is None:
        raise Missing(f"{program} is not installed (Debian, Ubuntu: {package or program})")
    return found
