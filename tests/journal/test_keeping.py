"""What the journal keeps, as it is set."""

from __future__ import annotations

import pytest

from goto.journal.keeping import HEADS, MASK, BodySize, EntriesNumber, Keeping, MemorySize


def test_the_settings() -> None:
    keeping = Keeping()
    assert (keeping.entries, keeping.memory, keeping.bodies, tuple(keeping.mask)) == (1000, 16 << 20, 4096, MASK)
    for word, text in ((EntriesNumber, "0"), (EntriesNumber, "100001"), (MemorySize, "1025MiB"), (BodySize, "1025KiB")):
        with pytest.raises(ValueError, match=text):
            word.parse(text)
    assert (MemorySize.parse("1GiB"), BodySize.parse("1MiB"), EntriesNumber.parse("100000")) == (1 << 30, 1 << 20, 100_000)
    assert (HEADS.bodies, HEADS.entries) == (0, 1000)
