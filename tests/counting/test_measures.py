"""Declarations of metrics: what a method reads, in the shape that its type asks for."""

from __future__ import annotations

from typing import Any

import pytest

from goto.counting.measures import Histogram, Measure, Summary, measure, measures_of


class Doors:
    def __init__(self) -> None:
        self.found: Any = 0

    @measure("doors_opened", "counter")
    def opened(self) -> Any:
        """Doors that were opened.

        Since the start.
        """
        return self.found

    @measure("doors_by_room", "gauge", labels=["floor", "room"])
    def by_room(self) -> Any:
        """Doors by room."""
        return self.found

    @measure("doors_by_colour", "gauge", labels=["colour"])
    def by_colour(self) -> Any:
        """Doors by colour."""
        return self.found

    @measure("doors_wait_seconds", "summary")
    def waited(self) -> Any:
        """How long doors stayed open."""
        return self.found

    @measure("doors_width_metres", "histogram")
    def widths(self) -> Any:
        """Doors by width."""
        return self.found


MEASURES = {one.method: one for one in measures_of(Doors)}


def read(method: str, found: object) -> list[tuple[tuple[str, ...], Any]]:
    doors = Doors()
    doors.found = found
    return list(MEASURES[method].read(doors))


def test_what_a_class_declares_in_the_order_written():
    assert list(MEASURES) == ["opened", "by_room", "by_colour", "waited", "widths"]
    assert MEASURES["opened"] == Measure("doors_opened", "counter", (), "Doors that were opened.", "opened")
    assert MEASURES["by_room"].labels == ("floor", "room")


def test_a_class_has_those_of_its_base_unless_it_has_another_method_of_that_name():
    class Gates(Doors):
        def opened(self) -> int:
            return 1

        @measure("gates_waits", "gauge")
        def waited(self) -> int:
            """Gates that wait."""
            return 2

    assert [one.name for one in measures_of(Gates)] == ["doors_by_room", "doors_by_colour", "gates_waits", "doors_width_metres"]


@pytest.mark.parametrize(
    ("method", "found", "values"),
    [
        ("opened", 3, [((), 3)]),
        ("opened", 0.5, [((), 0.5)]),
        ("by_room", {(1, "hall"): 2, ("2", "attic"): 0}, [(("1", "hall"), 2), (("2", "attic"), 0)]),
        ("by_room", {}, []),
        ("by_colour", {"red": 1, 7: 2}, [(("red",), 1), (("7",), 2)]),
        ("waited", Summary(2, 1.5), [((), Summary(2, 1.5))]),
        ("widths", Histogram([1.0], [2, 3], 9.0), [((), Histogram([1.0], [2, 3], 9.0))]),
    ],
)
def test_what_is_read(method: str, found: object, values: list[Any]):
    assert read(method, found) == values


@pytest.mark.parametrize(
    ("method", "found", "says"),
    [
        ("opened", "3", "doors_opened is a counter, which '3' is not"),
        ("opened", None, "doors_opened is a counter, which None is not"),
        ("opened", Summary(1, 1.0), "doors_opened is a counter"),
        ("by_room", 3, "doors_by_room has labels: return a map from their values, not 3"),
        ("by_room", {"hall": 1}, "doors_by_room has the labels floor, room: return a value of each, not 'hall'"),
        ("by_colour", {"red": "1"}, "doors_by_colour is a gauge, which '1' is not"),
        ("waited", 3, "doors_wait_seconds is a summary, which 3 is not"),
        ("widths", Histogram([1.0], [2], 9.0), "doors_width_metres is a histogram, which "),
    ],
)
def test_what_is_not_of_its_type(method: str, found: object, says: str):
    with pytest.raises(TypeError) as caught:
        read(method, found)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("name", "kind", "labels", "says"),
    [
        ("Doors", "counter", [], "write small letters"),
        ("1doors", "counter", [], "write small letters"),
        ("doors-open", "counter", [], "write small letters"),
        ("doors_total", "counter", [], "the ending _total is added where it belongs: leave it out"),
        ("doors_bucket", "histogram", [], "the ending _bucket "),
        ("doors", "enum", [], "'enum' is not a type of metric: write one of counter, gauge, summary, histogram"),
        ("doors", "gauge", ["listener"], "'listener' may not be a label of it"),
        ("doors", "histogram", ["le"], "'le' may not be a label of it"),
        ("doors", "gauge", ["a", "a"], "'a' may not be a label of it"),
        ("doors", "gauge", ["__a"], "'__a' may not be a label of it"),
    ],
)
def test_what_prometheus_does_not_take(name: str, kind: Any, labels: list[str], says: str):
    with pytest.raises(ValueError, match="^" + "|".join((name, repr(name)))) as caught:
        measure(name, kind, labels=labels)
    assert says in str(caught.value)


def test_a_measure_says_what_it_is():
    def silent(self: object) -> int:
        return 1

    with pytest.raises(ValueError, match="doors: say in the docstring of silent what is measured"):
        measure("doors", "gauge")(silent)
