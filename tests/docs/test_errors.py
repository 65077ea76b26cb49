"""Each error that a page shows is one that an instance says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from support.goto_process import Goto
from support.pages import DOCS, pages

SAID = {
    "status: 99 is not a status from 200 to 599": ("PUT", "/response/status/set/99", ""),
    "Goto-Hint: no route PUT /response/delay/300ms; did you mean /response/delay/set/{delay}?": (
        "PUT",
        "/response/delay/300ms",
        "",
    ),
}
"""What pages show, with a call that is answered so."""
ERROR = re.compile(
    r"\b(is not|is none of|is no|unknown|cannot|did you mean|no route|is the limit|are the limit|is longer than)\b"
)
"""What an error has in it, and a setting or a call has not."""
TESTED = {DOCS / "edges.md"}
"""Pages that name a test for each of their rows."""


def shown() -> Iterator[str]:
    """The texts in code that look like errors, outside of blocks, which are compared when they are run."""
    for page in pages():
        if page not in TESTED:
            text = re.sub(r"^(```+).*?^\1$", "", page.read_text(), flags=re.S | re.M)
            for code in re.findall(r"`([^`]+)`", text):
                if ERROR.search(code) and not code.startswith(("curl", "{")):
                    yield " ".join(code.split())


@pytest.fixture(scope="module")
def instance() -> Iterator[Goto]:
    with Goto("errors") as process:
        yield process


def test_each_that_is_shown_has_a_call() -> None:
    assert set(shown()) == SAID.keys()


@pytest.mark.parametrize(("text", "call"), SAID.items(), ids=list(SAID))
def test_it_is_said(text: str, call: tuple[str, str, str], instance: Goto) -> None:
    answer = instance.call(*call)
    header, _, value = text.partition(": ")
    assert text in answer.text or value in answer.values(header.lower())
