"""A key declared beside what it sets."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest

from goto.errors import BadInput
from goto.settings import Setting, setting, settings_of


class Door:
    def __init__(self) -> None:
        self.width = 0

    @setting("door.width")
    def configured(self) -> int | None:
        """How wide it is."""
        return self.width or None

    @configured.setter
    def configure(self, width: int | None) -> None:
        self.width = width or 0

    @setting("door.maker", start=True)
    def made_by(self) -> str | None:
        """Who made it."""
        return "me"


class Gate(Door):
    @setting("gate.bars")
    def bars(self) -> list[str]:
        """What it is made of."""
        return []

    @bars.setter
    def set_bars(self, bars: list[str]) -> None: ...


def test_a_setting_says_all_there_is_to_know():
    width = Door.configured
    assert isinstance(width, Setting)
    assert (width.path, width.description, width.type) == ("door.width", "How wide it is.", int | None)


def test_it_reads_and_applies():
    door = Door()
    assert door.configured is None
    Door.configured.apply(door, 3)
    assert (door.configured, Door.configured.read(door), door.width) == (3, 3, 3)
    Door.configured.apply(door, None)
    assert door.configured is None


def test_those_of_a_class_and_its_bases_in_the_order_written():
    assert [found.path for found in settings_of(Gate)] == ["door.width", "door.maker", "gate.bars"]


def test_one_without_a_setter_is_found_when_the_class_is_made():
    # Python 3.11 wraps what __set_name__ raises
    with pytest.raises((TypeError, RuntimeError)) as caught:

        class Wall:
            @setting("wall.height")
            def height(self) -> int | None: ...

    assert "the setting wall.height has no setter" in str(caught.value.__cause__ or caught.value)


@pytest.mark.parametrize(
    ("kind", "empty"),
    [
        (int | None, None),
        (list[str], []),
        (Annotated[list[str], msgspec.Meta(max_length=2)], []),
        (Literal["all"] | list[str], []),
        (dict[str, list[str]], {}),
    ],
)
def test_what_stands_for_nothing(kind: object, empty: object):
    def getter(self: object) -> None: ...

    getter.__annotations__["return"] = kind
    assert Setting("x", getter).empty == empty


def test_what_only_a_file_may_say():
    class Guarded:
        @setting("a")
        def configured(self) -> int | None:
            return None

        @configured.setter
        def configure(self, value: int | None) -> None: ...

        @configured.sent
        def refuse(self, value: int | None) -> None:
            raise BadInput(f"{value}: only a file may say so")

        @setting("b")
        def other(self) -> int | None:
            return None

        @other.setter
        def set_other(self, value: int | None) -> None: ...

    guarded = Guarded()
    with pytest.raises(BadInput, match=r"^5: only a file"):
        Guarded.configured.check_sent(guarded, 5)
    Guarded.other.check_sent(guarded, 5)
