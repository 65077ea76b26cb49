"""What goto imports from others is what its packages bring, by themselves or as an extra."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

FROM_OTHERS = {
    "OpenSSL": "mitmproxy",
    "h11": "mitmproxy",
    "h2": "mitmproxy",
    "multidict": "aiohttp",
    "yarl": "aiohttp",
}
"""Packages that come along with another one, whose own interface they are part of."""


def test_what_is_imported_is_declared() -> None:
    declared = [*PROJECT["dependencies"], *(line for lines in PROJECT["optional-dependencies"].values() for line in lines)]
    named = {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in declared}
    owners = packages_distributions()
    missing = set()
    for path in (ROOT / "goto").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                modules = [node.module]
            for module in modules:
                top = module.partition(".")[0]
                if top in sys.stdlib_module_names or top in ("goto", "tests"):
                    continue
                owned_by = {FROM_OTHERS.get(top, top), *owners.get(top, [])}
                if not {owner.lower().replace("_", "-") for owner in owned_by} & named:
                    missing.add(f"{path.relative_to(ROOT)}: {module}")
    assert not missing
