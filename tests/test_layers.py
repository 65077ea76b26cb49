"""What may import what. A line names rooms, a room imports rooms of lines before its own only, and no files import each other
in a circle, imports for type checking included.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from support import ROOT

# From the ground up. A room is a folder of goto/ (with `/`) or a flat file.
LAYERS = """
errors settings http/
words/ counting/
duration/ tls/ matching/ feature
exchange/
flow
pipeline routes upstream/
traffic/ client/
api/ registry/
journal/
features/
config/
instance/
hosts/standalone/
hosts/mitm/
testing/
command/
__main__
"""

FRAMEWORKS = {
    "aiohttp": ("goto.hosts.standalone.", "goto.testing.asynchronous"),
    "mitmproxy": ("goto.hosts.mitm.",),
    "uvloop": ("goto.command.",),
}
"""How the names of the modules begin that import each; nobody else does."""

WITHOUT_TEST = {
    "goto/__init__.py": "the version and nothing else",
    "goto/__main__.py": "every test of a real process runs it",
}
"""Files that no test file mirrors, and why. The `__init__.py` of a folder need not have one."""

FILES = sorted((ROOT / "goto").rglob("*.py"))


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}
PLACES = {room.rstrip("/").replace("/", "."): n for n, line in enumerate(LAYERS.strip().splitlines()) for room in line.split()}


def imports(module: str) -> set[str]:
    """Everything a module imports wherever it says so, for type checking too; modules of goto by their full names."""
    found: set[str] = set()
    file = MODULES[module]
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *(node.module.split(".") if node.module else [])])
            # `from goto import flow` may name a module, `from goto import __version__` a value
            found.update(name if (name := f"{source}.{alias.name}") in MODULES else source for alias in node.names)
    return found


IMPORTS = {module: imports(module) for module in MODULES}


def room_of(module: str) -> str:
    """The room that a module of goto stands in: `traffic`, `hosts.mitm`, `flow`; empty for goto itself and for `goto.hosts`."""
    parts = module.split(".")[1:]
    depth = 2 if parts[:1] == ["hosts"] else 1
    return ".".join(parts[:depth]) if len(parts) >= depth else ""


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """What reaches itself: each list one circle, in the order of the arrows."""
    found: list[list[str]] = []
    done: set[str] = set()

    def follow(name: str, way: list[str]) -> None:
        if name in way:
            found.append(way[way.index(name) :])
        elif name not in done:
            for next_one in sorted(graph.get(name, set()) & set(graph)):
                follow(next_one, [*way, name])
            done.add(name)

    for name in sorted(graph):
        follow(name, [])
    return found


def reached(module: str) -> dict[str, str]:
    """All that comes with a module, each with who imports it. Packages on the way are imported too."""
    by: dict[str, str] = {}
    open_ends = [module]
    while open_ends:
        importer = open_ends.pop()
        for name in IMPORTS.get(importer, ()):
            parts = name.split(".")
            for package in (".".join(parts[: n + 1]) for n in range(len(parts))):
                if package not in by:
                    by[package] = importer
                    open_ends.append(package)
    return by


def test_there_is_something_to_check():
    assert {"goto", "goto.flow", "goto.feature", "goto.routes", "goto.features"} <= set(MODULES)
    assert "goto.errors" in IMPORTS["goto.routes"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]


@pytest.mark.parametrize("module", [module for module in MODULES if module not in ("goto", "goto.hosts")])
def test_every_module_has_its_place(module: str):
    assert room_of(module) in PLACES, f"give {room_of(module)} a place in LAYERS"


def test_no_place_is_of_the_past():
    assert set(PLACES) - {room_of(module) for module in MODULES} == set()


def test_nothing_reaches_upwards():
    upward = set()
    for module in MODULES:
        room = room_of(module)
        for name in IMPORTS[module] & set(MODULES):
            other = room_of(name)
            if room and other and other != room and PLACES[other] >= PLACES[room]:
                upward.add((module, name))
    assert upward == set()


def test_no_circle_of_files():
    assert circles(IMPORTS) == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_framework_is_imported_in_one_place(framework: str):
    importers = [module for module, names in IMPORTS.items() if any(name.split(".")[0] == framework for name in names)]
    assert [module for module in importers if not module.startswith(FRAMEWORKS[framework])] == []
    assert importers


def free_of_frameworks() -> list[str]:
    """Every module below the hosts and the commands."""
    return [module for module in MODULES if room_of(module) and PLACES[room_of(module)] < PLACES["hosts.standalone"]]


@pytest.mark.parametrize("module", free_of_frameworks())
def test_nothing_below_the_hosts_comes_with_a_framework(module: str):
    by = reached(module)
    assert {name: by[name] for name in set(FRAMEWORKS) & set(by)} == {}


def mirror(file: Path) -> Path:
    """Where the test of goto/a/b.py is: tests/a/test_b.py."""
    return Path("tests", file.relative_to("goto").with_name(f"test_{file.name}"))


SOURCES = [str(file.relative_to(ROOT)) for file in FILES if file.name != "__init__.py" or file.parent.name == "goto"]


@pytest.mark.parametrize("file", SOURCES)
def test_every_file_has_its_test(file: str):
    tested = (ROOT / mirror(Path(file))).exists()
    if file in WITHOUT_TEST:
        assert not tested, f"{file} has a test: take it off WITHOUT_TEST"
    else:
        assert tested, f"write {mirror(Path(file))}"


def test_no_exception_is_of_the_past():
    assert [file for file in WITHOUT_TEST if not (ROOT / file).exists()] == []


def test_the_table_of_contributing_tells_what_lives_in_each_folder():
    folders = [room for room in PLACES if (ROOT / "goto" / room.replace(".", "/")).is_dir()]
    first_lines = [
        (ast.get_docstring(ast.parse(MODULES[f"goto.{room}"].read_text())) or "").partition("\n")[0] for room in folders
    ]
    rows = re.findall(r"^\| `([\w/]+)/` \| (.*) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    assert rows == [(room.replace(".", "/"), line) for room, line in zip(folders, first_lines, strict=True)]
    assert all(first_lines)


def walks() -> dict[str, list[tuple[str, str]]]:
    """The stops of each walk through the code in CONTRIBUTING: a file of goto/, and what stands in it."""
    chapter = (ROOT / "CONTRIBUTING.md").read_text().split("\n## A request's way\n")[1].split("\n## ")[0]
    titles = re.split(r"^### (.*)$", chapter, flags=re.M)[1:]
    return {
        title: re.findall(r"^\d+\. `([\w/.]+)` `([\w.]+)`: ", text, re.M)
        for title, text in zip(titles[::2], titles[1::2], strict=True)
    }


def defined(file: str) -> set[str]:
    """What a file of goto/ defines: functions, classes, and the methods of these."""
    found: set[str] = set()
    for node in ast.parse((ROOT / "goto" / file).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            found.update(f"{node.name}.{inner.name}" for inner in ast.iter_child_nodes(node) if hasattr(inner, "name"))
    return found


@pytest.mark.parametrize("walk", walks())
def test_the_stops_of_a_walk_are_there_and_none_twice(walk: str):
    stops = walks()[walk]
    assert len(stops) > 5
    assert [(file, name) for file, name in stops if name not in defined(file)] == []
    assert len(set(stops)) == len(stops)


def compiled() -> list[str]:
    """The files that are compiled for a wheel."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    files: list[str] = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["modules"]
    return files


@pytest.mark.parametrize("file", compiled())
def test_each_error_in_a_compiled_function_has_a_name_of_its_own(file: str):
    """mypyc gives a name one type: the second error that is caught under it would raise a TypeError."""
    for function in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name]
            assert len(names) == len(set(names)), f"{function.name}: {names}"
