"""Which of many items a request fits, all of whose criteria have to hold, found without looking at those that it does not.

Criteria are *atoms*: the URIs of an item are one, each header is one, each parameter, the methods. Equal atoms of several items
are the same one. A `MatchIndex` finds the atoms that hold for a request. Items stand in a trie by their atoms in rising order,
and the walk from its root follows those that hold. So the cost grows with the request and with what it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from goto.http.messages import Request
from goto.matching.captures import Capture
from goto.matching.criteria import Criteria
from goto.matching.index import MatchIndex
from goto.matching.when import Body, BodyTest, When

T = TypeVar("T")

_Held = dict[int, dict[str, Capture]]
"""The atoms that hold, with what they captured."""

_NOTHING: Final[dict[str, Capture]] = {}


class Fit(Generic[T]):
    """An item that a request fits as far as its head tells, with what was captured."""

    __slots__ = ("_body", "_but", "captures", "item")

    def __init__(self, item: T, captures: dict[str, Capture], body: BodyTest | None, but: BodyTest | None) -> None:
        self.item = item
        self.captures = captures
        self._body = body
        self._but = but
        """What of `unless` only the body can tell."""

    @property
    def asks(self) -> bool:
        """Whether the body has to be known."""
        return self._body is not None or self._but is not None

    def holds(self, body: Body) -> bool:
        return (self._body is None or self._body.fits(body)) and (self._but is None or not self._but.fits(body))


class _Entry(Generic[T]):
    """An item with what is asked of the body."""

    __slots__ = ("body", "but", "excepts", "item")

    def __init__(self, item: T, when: When, unless: When | None) -> None:
        self.item = item
        self.body = when.body
        self.excepts = unless is not None
        self.but = None if unless is None else unless.body


class _Place(Generic[T]):
    """A place in the trie, reached by the atoms on the way to it."""

    __slots__ = ("ends", "further")

    def __init__(self) -> None:
        self.further: dict[int, _Place[T]] = {}
        self.ends: list[tuple[T, tuple[int, ...]]] = []
        """What ends here, with its atoms in the order in which captures are taken."""


class _AllOf(Generic[T]):
    """Finds those all of whose criteria but that on the body hold."""

    __slots__ = ("_atoms", "_count", "_first", "_index", "_matches", "_methods", "_reused", "_root")

    def __init__(self) -> None:
        self._root: _Place[T] = _Place()
        self._index: MatchIndex[int] = MatchIndex()
        self._matches: list[int] = []
        """The atoms in the index, in its order."""
        self._methods: dict[str, list[int]] = {}
        self._reused = 0
        self._first = 0
        self._atoms: dict[tuple[object, ...], int] = {}
        self._count = 0

    def add(self, item: T, when: When) -> None:
        atoms: list[int] = []
        if when.uris:
            atoms.append(self._matched(("uris", *when.uris), Criteria(uris=when.uris)))
        for pair in when.headers:
            atoms.append(self._matched(("header", *pair), Criteria(headers=[pair])))
        for pair in when.query:
            atoms.append(self._matched(("query", *pair), Criteria(query=[pair])))
        if when.methods:
            atoms.append(self._of_methods(frozenset(when.methods)))
        if when.reused is not None:
            atoms.append(self._of_connection(when.reused))
        place = self._root
        for atom in sorted(set(atoms)):
            if atom not in place.further:
                place.further[atom] = _Place()
            place = place.further[atom]
        place.ends.append((item, tuple(atoms)))

    def _number(self, key: tuple[object, ...]) -> tuple[int, bool]:
        """The atom of a key, and whether it is new."""
        number = self._atoms.get(key)
        if number is not None:
            return number, False
        self._count += 1
        self._atoms[key] = self._count
        return self._count, True

    def _matched(self, key: tuple[object, ...], criteria: Criteria) -> int:
        number, new = self._number(key)
        if new:
            self._index.add(number, criteria)
            self._matches.append(number)
        return number

    def _of_methods(self, methods: frozenset[str]) -> int:
        number, new = self._number(("methods", methods))
        if new:
            for method in methods:
                self._methods.setdefault(method, []).append(number)
        return number

    def _of_connection(self, reused: bool) -> int:
        number, _ = self._number(("reused", reused))
        if reused:
            self._reused = number
        else:
            self._first = number
        return number

    def find(self, request: Request, reused: bool) -> list[tuple[T, dict[str, Capture]]]:
        """In no order."""
        root = self._root
        if not root.further:
            return [(item, {}) for item, _ in root.ends] if root.ends else []
        hits = self._index.hits(request)
        atoms = [self._matches[hit[0].target] for hit in hits]
        if self._methods:
            atoms += self._methods.get(request.method, ())
        if self._reused and reused:
            atoms.append(self._reused)
        if self._first and not reused:
            atoms.append(self._first)
        found: list[tuple[T, tuple[int, ...]]] = [*root.ends]
        for atom in atoms:
            if atom in root.further:  # else the walk would end where it begins
                self._walk(root, sorted(set(atoms)), 0, found)
                break
        if not found:
            return []
        # what a request does not fit is not worth to be captured
        held: _Held = dict(self._index.collect(hits))
        return [(item, _together(own, held)) for item, own in found]

    def _walk(self, place: _Place[T], atoms: list[int], at: int, found: list[tuple[T, tuple[int, ...]]]) -> None:
        further = place.further
        if further:
            for number in range(at, len(atoms)):
                atom = atoms[number]
                if atom in further:
                    place = further[atom]
                    found += place.ends
                    self._walk(place, atoms, number + 1, found)


def _together(atoms: Sequence[int], held: _Held) -> dict[str, Capture]:
    """What several atoms captured; the first value of a name stays."""
    captures: dict[str, Capture] = {}
    for atom in atoms:
        for name, capture in held.get(atom, _NOTHING).items():
            captures.setdefault(name, capture)
    return captures


class FitIndex(Generic[T]):
    """Answers which of many items a request fits: what `when` asks for holds, and what `unless` asks for does not."""

    __slots__ = ("_unless", "_when")

    def __init__(self) -> None:
        self._when: _AllOf[_Entry[T]] = _AllOf()
        self._unless: _AllOf[_Entry[T]] | None = None

    def add(self, item: T, when: When, unless: When | None = None) -> None:
        entry = _Entry(item, when, unless)
        self._when.add(entry, when)
        if unless is not None:
            if self._unless is None:
                self._unless = _AllOf()
            self._unless.add(entry, unless)

    def find(self, request: Request, reused: bool) -> list[Fit[T]]:
        """What fits as far as the head of the request tells, in no order. `reused`: it is not the first of its connection."""

        found = self._when.find(request, reused)
        if not found:
            return []
        but: set[int] = set()
        if self._unless is not None:
            for entry, _ in found:
                if entry.excepts:
                    but = {id(out) for out, _ in self._unless.find(request, reused)}
                    break
        fits: list[Fit[T]] = []
        for entry, captures in found:
            excepted = id(entry) in but
            if not excepted or entry.but is not None:
                fits.append(Fit(entry.item, captures, entry.body, entry.but if excepted else None))
        return fits
