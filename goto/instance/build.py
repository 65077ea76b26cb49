"""How goto was built."""

from __future__ import annotations

from goto.counting import bounded

COMPILED = not (bounded.__file__ or "").endswith(".py")
"""Whether the modules that every exchange goes through were compiled, see `hatch_build.py`."""
