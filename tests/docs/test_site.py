"""The site, and what makes docs/ readable without it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT
from support.pages import DOCS, GENERATED, headings, links, pages

PAGE_LINES = 300
README_LINES = 250

READABLE = [
    *pages(),
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "deploy").rglob("*.md")),
]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.skipif(importlib.util.find_spec("furo") is None, reason="the extra docs is not installed: make docs builds the site")
def test_it_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "--keep-going", "-b", "html", str(DOCS), str(tmp_path / "site")]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (built.returncode, built.stderr) == (0, "")
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"([^\"]*)\"", page.read_text())
        assert [url for url in loaded if re.match(r"(?:https?:)?//", url)] == [], page.name
    assert (tmp_path / "site" / "searchindex.js").exists()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_is_not_too_long(page: Path) -> None:
    lines = GENERATED.sub("", page.read_text()).count("\n")
    assert lines <= (README_LINES if page.name == "README.md" else PAGE_LINES)


@pytest.mark.parametrize("page", READABLE, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in links(page):
        file = page.parent / target if target else page
        assert file.is_file() or (file.is_dir() and DOCS not in page.parents), f"{target}: the site has files only"
        assert not anchor or anchor in headings(file), f"{target}#{anchor}"


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_something_links_to_each_page(page: Path) -> None:
    if page == DOCS / "index.md":
        return
    linked = {(one.parent / target).resolve() for one in READABLE if one != page for target, _ in links(one)}
    assert page.resolve() in linked


def test_nothing_is_promised() -> None:
    """A page says what there is."""
    planned = re.compile(r"\b(?:planned|coming soon|TODO|in a later version|not yet implemented|will be added)\b", re.I)
    assert [name_of(page) for page in pages() if planned.search(page.read_text())] == []
