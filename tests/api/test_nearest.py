"""The route that was probably meant."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.api.nearest import HINT_LENGTH, MOST_CHANGES, _changes, _looks_like, nearest, no_route
from goto.instance.wiring import route_table

ROUTES = route_table().routes


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("GET", "/goto/metric", "/goto/metrics"),
        ("GET", "/goto/Health", "/goto/health"),
        ("HEAD", "/goto/heath/", "/goto/health"),
        ("PUT", "/response/delay/300ms", "/response/delay/set/{delay}"),
        ("GET", "/response/delay/300ms", "/response/delay"),  # equally near: it takes the method
        ("PUT", "/response/status/503", "/response/status/set/{status}"),
        ("PUT", "/response/delay/set/now/1s", "/response/delay/set/{delay}"),
        ("POST", "/request/proxy/target/add", "/request/proxy/targets/add"),
        ("PUT", "/request/headers/tracking/add/x", "/request/headers/track/add/{headers}"),
        ("GET", "/registry/peer/web/target", "/registry/peers/{peer}/targets"),
        ("GET", "/label/x", "/label"),
        ("PUT", "/label/x", "/label/set/{label}"),
        ("GET", "/client/a/b/c/d/e/f", None),
        ("GET", "/goto/a/b/c/d", None),
        ("GET", "/request/" + "x" * 10_000, None),
    ],
)
def test_what_was_meant(method: str, path: str, meant: str | None) -> None:
    assert nearest(ROUTES, method, path) == meant


def test_each_route_is_nearest_to_itself() -> None:
    for route in ROUTES:
        path = "/".join("7" if segment.startswith("{") else segment for segment in route.path.split("/"))
        found = nearest(ROUTES, route.methods[0], path)
        assert found is not None
        assert _changes(path.split("/")[1:], found.split("/")[1:], 0) == (0, 0, 0)


SEGMENTS = st.sampled_from(["set", "sett", "get", "clear", "cleat", "a", "{x}", ""])


@given(st.lists(SEGMENTS, max_size=6), st.lists(SEGMENTS.filter(len), max_size=6))
def test_the_fewest_changes(given_: list[str], wanted: list[str]) -> None:
    @cache
    def fewest(i: int, j: int) -> tuple[int, int, int]:
        if i == len(given_) or j == len(wanted):
            return len(given_) - i + len(wanted) - j, len(given_) - i, len(wanted) - j
        out, into = fewest(i + 1, j), fewest(i, j + 1)
        ways = [(out[0] + 1, out[1] + 1, out[2]), (into[0] + 1, into[1], into[2] + 1)]
        rest = fewest(i + 1, j + 1)
        if given_[i] == wanted[j] or (given_[i] and wanted[j].startswith("{")):
            ways.append(rest)
        elif _looks_like(given_[i], wanted[j]):
            ways.append((rest[0] + 1, *rest[1:]))
        return min(ways)

    expected = fewest(0, 0)
    assert _changes(given_, wanted, MOST_CHANGES) == (expected if expected[0] <= MOST_CHANGES else None)


@pytest.mark.parametrize(
    ("given_", "wanted", "alike"),
    [
        ("metric", "metrics", True),
        ("sett", "set", True),
        ("get", "set", True),
        ("se", "set", True),
        ("s", "set", False),
        ("abc", "xyz", False),
        ("targets", "target", True),
        ("", "a", False),
        ("x", "{x}", False),
        ("x" * 100_000, "set", False),
    ],
)
def test_up_to_a_third_of_the_letters(given_: str, wanted: str, alike: bool) -> None:
    assert _looks_like(given_, wanted) is alike


@given(st.text("/ab", max_size=400), st.none() | st.just("/response/delay/set/{delay}"))
def test_a_hint_has_a_length(path: str, meant: str | None) -> None:
    hint = no_route("no route PUT ", path, "", meant)
    assert len(hint) <= HINT_LENGTH
    if meant is not None:
        assert hint.endswith(f"; did you mean {meant}?")
    if len(path) < 100:
        assert hint.startswith(f"no route PUT {path}")
