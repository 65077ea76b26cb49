"""What stands in the fields of a rule."""

from __future__ import annotations

import pytest

from goto.features.rules.fields import GARBLES, MOST_RAW, Abort, Base64, Bytes, Chance, GarbleGiven, ShortTime, from_base64
from goto.words import Duration


def test_other_words() -> None:
    assert ShortTime.parse("1h") == Duration.parse("1h")
    with pytest.raises(ValueError, match="is more than"):
        ShortTime.parse("61m")
    assert (Bytes.read(5), Bytes.read("1KiB"), Bytes.read("1KiB").written) == (5, 1024, 1024)
    with pytest.raises(ValueError, match="expected a number or a size"):
        Bytes.read(True)
    assert (Chance.read(1).written, Chance.read(0.25).written) == (1, 0.25)
    for wrong in (1.5, -0.1, True, "1", float("nan")):
        with pytest.raises(ValueError, match="is not a number from 0 to 1"):
            Chance.read(wrong)
    with pytest.raises(ValueError, match=r"^'drop' is none of close, reset, hang$"):
        Abort.parse("drop")
    assert from_base64(Base64.parse("aGVsbG8=")) == b"hello"
    with pytest.raises(ValueError, match="is not base64"):
        Base64.parse("***")


def test_garbles() -> None:
    for kind in GARBLES:
        assert (GarbleGiven.read(kind).kind, GarbleGiven.read(kind).raw) == (kind, None)
    assert GarbleGiven.read({"Raw": "é"}).raw == "é".encode()
    assert GarbleGiven.read({"base64": "aGVsbG8="}).raw == b"hello"
    assert GarbleGiven.read({"raw": "x"}) == GarbleGiven.read({"raw": "x"}) != GarbleGiven.read("head")
    assert len({GarbleGiven.read("head"), GarbleGiven.read("head")}) == 1
    for wrong in ("noise", 5, {}, {"raw": "a", "base64": "YQ=="}, {"bytes": "x"}, {"raw": 5}, {"raw": "x" * (MOST_RAW + 1)}):
        with pytest.raises(ValueError, match=r"."):
            GarbleGiven.read(wrong)
