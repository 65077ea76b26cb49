"""What may import what. A feature knows no framework, and nothing reaches upwards."""

from __future__ import annotations

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from support import ROOT

# From the ground up. A module may import those of its own line and of the lines before it.
LAYERS = [
    [
        "goto",
        "goto.duration",
        "goto.errors",
        "goto.reasons",
        "goto.bounded",
        "goto.identity",
        "goto.accesslog",
        "goto.tally",
        "goto.jsontext",
        "goto.batch",
        "goto.build",
        "goto.runtime",
        "goto.addon",
    ],
    ["goto.flow", "goto.call", "goto.hops", "goto.heads", "goto.limits", "goto.tls", "goto.tls.*"],
    ["goto.words", "goto.templates", "goto.http1", "goto.echo", "goto.connection", "goto.pool", "goto.upstream", "goto.whole"],
    ["goto.payload", "goto.fanout", "goto.token", "goto.tls.settings"],
    ["goto.routes", "goto.feature", "goto.pipeline", "goto.settings"],
    ["goto.client", "goto.client.*", "goto.registry", "goto.registry.*"],
    ["goto.features", "goto.features.*"],
    ["goto.listener", "goto.access"],
    ["goto.management", "goto.services", "goto.services.*", "goto.api", "goto.api.*", "goto.config", "goto.config.*"],
    ["goto.instance"],
    ["goto.plugins"],
    ["goto.hosts", "goto.hosts.*"],
    ["goto.serve", "goto.check", "goto.health", "goto.send", "goto.send.*"],
    ["goto.cli", "goto.__main__"],
]
TO_COME: set[str] = set()
"""Names in LAYERS that may not be there yet."""

FRAMEWORKS = {"aiohttp", "mitmproxy", "uvloop"}
FREE_OF_FRAMEWORKS = [
    "goto.flow",
    "goto.feature",
    "goto.pipeline",
    "goto.routes",
    "goto.features",
    "goto.features.*",
    "goto.client.*",
]

WITHOUT_TEST = {
    "goto/__init__.py": "the version and nothing else",
    "goto/__main__.py": "every test of a real process runs it",
}
"""Files that no test file mirrors, and why. The `__init__.py` of a folder need not have one."""

FILES = sorted(path for path in (ROOT / "goto").rglob("*.py"))


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


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


def layer(module: str) -> int | None:
    """The line of a module; a full name comes before a pattern."""
    for match in (str.__eq__, fnmatchcase):
        for number, line in enumerate(LAYERS):
            if any(match(module, pattern) for pattern in line):
                return number
    return None


def is_one_of(module: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(module, pattern) for pattern in patterns)


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


@pytest.mark.parametrize("module", [module for module in MODULES if is_one_of(module, FREE_OF_FRAMEWORKS)])
def test_no_feature_comes_with_a_framework(module: str):
    by = reached(module)
    assert {name: by[name] for name in FRAMEWORKS & set(by)} == {}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_place(module: str):
    assert layer(module) is not None, f"give {module} a line in LAYERS"


@pytest.mark.parametrize("module", MODULES)
def test_nothing_reaches_upwards(module: str):
    own = layer(module)
    assert own is not None
    upward = sorted(name for name in IMPORTS[module] if name in MODULES and (layer(name) or 0) > own)
    assert upward == []


def test_no_line_is_of_the_past():
    """A module that is gone leaves LAYERS; a pattern may stand for a folder to come."""
    named = [name for line in LAYERS for name in line if "*" not in name]
    assert [name for name in named if name not in MODULES and name not in TO_COME] == []


def mirrors(file: Path) -> list[Path]:
    """Where the test of goto/a/b/c.py may be: tests/a/b/test_c.py, tests/a/test_b_c.py or tests/test_a_b_c.py."""
    *folders, name = file.relative_to("goto").parts
    return [Path("tests", *folders[:n], f"test_{'_'.join([*folders[n:], name])}") for n in range(len(folders), -1, -1)]


SOURCES = [str(file.relative_to(ROOT)) for file in FILES if file.name != "__init__.py" or file.parent.name == "goto"]


@pytest.mark.parametrize("file", SOURCES)
def test_every_file_has_its_test(file: str):
    tested = [mirror for mirror in mirrors(Path(file)) if (ROOT / mirror).exists()]
    if file in WITHOUT_TEST:
        assert not tested, f"{file} has a test: take it off WITHOUT_TEST"
    else:
        assert tested, f"write {mirrors(Path(file))[0]}"


def test_no_exception_is_of_the_past():
    assert [file for file in WITHOUT_TEST if not (ROOT / file).exists()] == []
