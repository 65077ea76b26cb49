"""The site made of docs/, see CONTRIBUTING.md: `make docs` builds it."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

_version = re.search(r'__version__ = "(.*)"', (Path(__file__).parent.parent / "goto" / "__init__.py").read_text())
assert _version is not None

project = "goto"
release = version = _version[1]
copyright = "the authors of goto"  # the name is Sphinx's

extensions = ["myst_parser"]
myst_heading_anchors = 4
exclude_patterns = ["examples"]
# `--option` stays as it is written
smartquotes = False

html_theme = "furo"
html_title = f"goto {release}"
html_show_sourcelink = False
html_show_sphinx = False

linkcheck_anchors = False
linkcheck_ignore = [r"http://localhost:\d+"]  # of a goto that the reader has


def link_to_files(app: Sphinx, name: str, source: list[str]) -> None:
    """A page of the repository that is not part of the site is a file to load, as other files of the repository are."""
    page = Path(app.srcdir) / name
    source[0] = re.sub(
        r"\]\(((?:\.\./)+[\w/.-]+\.md)(?:#[\w-]+)?\)",
        lambda link: link[0] if _in_site(page.parent / link[1], app) else f"](path:{link[1]})",
        source[0],
    )


def _in_site(file: Path, app: Sphinx) -> bool:
    return file.resolve().is_relative_to(app.srcdir)


def setup(app: Sphinx) -> None:
    app.connect("source-read", link_to_files)
