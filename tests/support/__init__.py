"""What tests share: real processes, real connections, and what is to be known of them. One concept a file.

Whatever is started here listens on 127.0.0.1 and ends when it is left.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
