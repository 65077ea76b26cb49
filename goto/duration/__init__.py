"""For one version, `goto.duration` hands on what is now in `goto.words`, and warns of it: features of users have imported it."""

from __future__ import annotations

import warnings
from typing import Any

from goto import words


def __getattr__(name: str) -> Any:
    """A name of `goto.words`. Raises `AttributeError` for one that is not there."""
    if name not in words.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    warnings.warn(
        f"goto.duration will be gone in the next version: write from goto.words import {name}", DeprecationWarning, stacklevel=2
    )
    return getattr(words, name)
