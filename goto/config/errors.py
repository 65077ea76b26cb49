"""The mistakes in a document, and their places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. Lines and columns count from 1; 0 stands for no line or column."""

    file: str
    line: int
    column: int
    path: str
    """The key, from the top: `request.proxy.targets[0].url`; empty for the whole document."""
    reason: str

    def __str__(self) -> str:
        where = [str(part) for part in (self.file, self.line, self.column) if part]
        return ": ".join(part for part in (":".join(where), self.path, self.reason) if part)


class ConfigError(Exception):
    """A document that cannot be applied. Nothing was changed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        # aliases may lead to one mistake twice, so each is kept once
        self.problems = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line, problem.column))
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def line(self) -> str:
        """A summary in one line: the first problem, and how many more there are."""
        more = len(self.problems) - 1
        return str(self.problems[0]) + (f" (and {more} more)" if more else "")
