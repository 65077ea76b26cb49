"""What the documentation says is so: every route is listed, and the examples do what is written beside them."""

from __future__ import annotations

import re

from support import ROOT

from goto.instance.wiring import route_table
from goto.routes import ADMIN


def documented() -> set[tuple[str, str]]:
    """Methods and paths of the tables of docs/routes.md."""
    rows = re.findall(r"^\| ([A-Z, ]+) \| `(/[^`?]*)[^`]*` \|", (ROOT / "docs" / "routes.md").read_text(), re.M)
    return {(method, path) for methods, path in rows for method in methods.split(", ")}


def test_every_route_is_documented():
    served = {(method, route.path) for route in route_table().routes for method in route.methods}
    assert served - documented() == set()


def test_every_documented_route_is_served():
    served = {(method, re.sub(r"\{\w+\}", "{}", route.path)) for route in route_table().routes for method in route.methods}
    missing = {(method, path) for method, path in documented() if (method, re.sub(r"\{\w+\}", "{}", path)) not in served}
    assert missing == set()


def test_every_rule_of_access_is_in_the_table_of_security():
    table = (ROOT / "docs" / "security.md").read_text().split("## Who can do what")[1].split("## ")[0]
    open_ones = [route.path for route in route_table().routes if route.who != ADMIN]
    assert open_ones
    assert [path for path in open_ones if f"{path}`" not in table] == []


def test_the_words_of_goto_are_in_its_code():
    chapter = (ROOT / "CONTRIBUTING.md").read_text().split("\n## Words of goto's own\n")[1].split("\n## ")[0]
    words = re.findall(r"^\| (\w+) \| ", chapter, re.M)[1:]
    code = " ".join(file.read_text() for file in (ROOT / "goto").rglob("*.py"))
    assert len(words) >= 10
    assert [word for word in words if not re.search(rf"(?<![a-z]){word}", code, re.I)] == []


EXAMPLE_FILES = {"goto/features/gate.py", "tests/features/test_gate.py", "goto/a/b.py", "tests/a/test_b.py"}


def test_files_that_are_named_are_there():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        named = set(re.findall(r"(?<!/)\b((?:goto|tests|addons|configs|docs)/[\w/.-]+\.(?:py|md|yaml))\b", page.read_text()))
        missing = [
            file for file in named - EXAMPLE_FILES if not (ROOT / file).exists() and f"/etc/{file}" not in page.read_text()
        ]
        assert missing == [], page.name
