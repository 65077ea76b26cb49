"""What may be meant otherwise in a URI that was given: said in answers and by `goto check`, and never a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product

from goto.matching.templates import Template, Variable, parse_template

REST = "{rest:.*}"

_SAMPLES = ("x", "1", "", "x1", "12", "x/y")
"""Values to try for variables with a regular expression."""

_MOST_TRIED = 200
"""Paths tried to find one that a template matches."""


def about_uri(uri: str, *, whole: bool = True) -> str:
    """A remark on one URI, empty for none. `whole`: one without a variable is worth a remark too."""
    pieces = parse_template(uri)
    if any("*" in piece for piece in pieces if isinstance(piece, str)):
        meant = "".join(piece.replace("*", REST) if isinstance(piece, str) else str(piece) for piece in pieces)
        return f"{uri}: * is a letter here; write {meant}"
    if whole and uri != "/" and not any(isinstance(piece, Variable) for piece in pieces):
        return f"{uri} matches only {uri} itself; write {uri.rstrip('/')}/{REST} for all below it"
    return ""


def in_brackets(remarks: Iterable[str]) -> str:
    """Remarks as an answer has them behind its text."""
    return "".join(f" ({remark})" for remark in remarks if remark)


def covered(uris: Sequence[str], by: Sequence[str]) -> Iterator[str]:
    """Those URIs whose paths some other URIs match too, as far as one path of each tells."""
    for uri in uris:
        path = _known(uri)[1]
        if path is not None and any(other == "/" or _known(other)[0].match(path) is not None for other in by):
            yield uri


@lru_cache(4096)
def _known(uri: str) -> tuple[Template, str | None]:
    """The template of a URI, and a path that it matches; None where none was found."""
    template = Template.parse(uri)
    choices = [(piece,) if isinstance(piece, str) else ("x",) if piece.regex is None else _SAMPLES for piece in template.pieces]
    for number, pieces in enumerate(product(*choices)):
        if number >= _MOST_TRIED:
            break
        path = "".join(pieces)
        if template.match(path) is not None:
            return template, path
    return template, None
