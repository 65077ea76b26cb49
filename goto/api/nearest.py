"""The route that a path with a mistake in it was probably meant for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from goto.api.table import Route

MOST_CHANGES = 2
"""Segments that are put in, taken out or changed. A route that is further away is not named."""

HINT_LENGTH = 200
"""Characters of a hint. What is over it is cut out of the path that was asked for."""


def nearest(routes: Iterable[Route], method: str, path: str) -> str | None:
    """The path of the route that is the fewest changes away; None where all are too far.

    Of those equally near, one that takes the method goes before others, then one that leaves nothing of the path out, then one
    that puts nothing in.
    """
    given = path.split("/")[1:]
    if given and not given[-1]:
        given.pop()
    wanted = "GET" if method == "HEAD" else method
    best: tuple[int, bool, int, int, int] | None = None
    found = None
    # those that begin alike come first: the rest is soon known to be further away
    for number, route in sorted(enumerate(routes), key=lambda place: _segments(place[1].path)[0] != given[0] if given else False):
        changes = _changes(given, _segments(route.path), MOST_CHANGES if best is None else best[0])
        if changes is not None:
            near = changes[0], wanted not in route.methods, *changes[1:], number
            if best is None or near < best:
                best, found = near, route.path
    return found


@lru_cache(1024)
def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def no_route(begin: str, path: str, end: str, meant: str | None, otherwise: str = "") -> str:
    """`{begin}{path}{end}; did you mean {meant}?`, or with `otherwise` where nothing was found."""
    rest = f"{end}; did you mean {meant}?" if meant is not None else end + otherwise
    room = HINT_LENGTH - len(begin) - len(rest)
    return f"{begin}{path if len(path) <= room else path[: max(room - 3, 0)] + '...'}{rest}"[:HINT_LENGTH]


def _changes(given: Sequence[str], wanted: Sequence[str], most: int) -> tuple[int, int, int] | None:
    """The fewest changes that make a path one of a route, how many of them take something out, and how many put something in;
    None if they are over `most`.
    """
    if abs(len(given) - len(wanted)) > most:
        return None
    at = 0
    while at < min(len(given), len(wanted)) and _fits(given[at], wanted[at]):
        at += 1  # what fits is never better changed
    given, wanted = given[at:], wanted[at:]
    if not given or not wanted:
        left = len(given) + len(wanted)
        return (left, len(given), len(wanted)) if left <= most else None
    if not most:
        return None
    ways = [(given[1:], wanted, 1, 0), (given, wanted[1:], 0, 1)]
    if _looks_like(given[0], wanted[0]):
        ways.append((given[1:], wanted[1:], 0, 0))
    found = []
    for given, wanted, taken_out, put_in in ways:
        rest = _changes(given, wanted, most - 1)
        if rest is not None:
            found.append((rest[0] + 1, rest[1] + taken_out, rest[2] + put_in))
    return min(found, default=None)


def _fits(given: str, wanted: str) -> bool:
    return given == wanted or (bool(given) and wanted.startswith("{"))


@lru_cache(4096)
def _looks_like(given: str, wanted: str) -> bool:
    """Whether one becomes the other by changing up to a third of its letters."""
    longest = max(len(given), len(wanted))
    if wanted.startswith("{") or 3 * abs(len(given) - len(wanted)) > longest:
        return False
    # the edit distance of Levenshtein, row by row
    row = list(range(len(wanted) + 1))
    for line, letter in enumerate(given, 1):
        before, row[0] = row[0], line
        for column, other in enumerate(wanted, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (letter != other))
    return 3 * row[-1] <= longest
