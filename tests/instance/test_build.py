"""What is compiled, and what becomes of a wheel where that cannot be done."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from support import ROOT

from goto.instance.build import COMPILED

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
FILES: list[str] = CONFIGURATION["hooks"]["custom"]["modules"]
STEP_SECONDS = 900
"""Enough for tools to be loaded and for a slow machine; never waited for where all is well."""


@pytest.mark.parametrize("file", FILES)
def test_all_that_is_to_be_compiled_is_or_nothing(file: str) -> None:
    module = import_module(file.removesuffix(".py").replace("/", "."))
    assert (not (module.__file__ or "").endswith(".py")) == COMPILED


def test_they_are_named_once_and_exist() -> None:
    assert len(set(FILES)) == len(FILES)
    assert [file for file in FILES if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("file", FILES)
def test_errors_caught_in_one_function_have_names_of_their_own(file: str) -> None:
    """Compiled, a name has the type of what it is given first, and another error would be a TypeError."""
    for function in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name]
            assert len(set(names)) == len(names), f"{function.name}: {names}"


# a wheel is the same wherever it is built from, and building takes its time
building = pytest.mark.skipif(COMPILED, reason="wheels are built where goto runs from the checkout")


def build(folder: Path, **env: str) -> tuple[subprocess.CompletedProcess[str], list[Path]]:
    """Build a wheel; what was said, and the wheel where there is one."""
    command = [sys.executable, "-m", "pip", "wheel", "-v", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    ours = {name: value for name, value in os.environ.items() if name != "GOTO_COMPILE"}
    done = subprocess.run(command, env={**ours, **env}, capture_output=True, text=True, timeout=STEP_SECONDS)
    if "NewConnectionError" in done.stdout + done.stderr:
        pytest.skip("packages cannot be loaded here: no connection to a package index")
    return done, list(folder.glob("*.whl"))


def compiled(wheel: Path) -> list[str]:
    return [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".so", ".pyd"))]


@building
def test_without_a_compiler_it_is_a_wheel_for_every_machine_and_says_so(tmp_path: Path) -> None:
    done, (wheel,) = build(tmp_path, CC="false")
    assert done.returncode == 0, done.stderr
    assert wheel.name.endswith("-py3-none-any.whl")
    assert compiled(wheel) == []
    assert "goto is not compiled: " in done.stdout + done.stderr


@building
def test_compiling_can_be_demanded(tmp_path: Path) -> None:
    done, wheels = build(tmp_path, CC="false", GOTO_COMPILE="yes")
    assert (done.returncode, wheels) == (1, [])


@building
def test_compiling_can_be_left_out(tmp_path: Path) -> None:
    done, (wheel,) = build(tmp_path, CC="false", GOTO_COMPILE="no")
    assert done.returncode == 0, done.stderr
    assert compiled(wheel) == []
    assert "not compiled" not in done.stdout + done.stderr


@building
def test_another_word_is_refused(tmp_path: Path) -> None:
    done, wheels = build(tmp_path, GOTO_COMPILE="perhaps")
    assert (done.returncode, wheels) == (1, [])
    assert "GOTO_COMPILE: 'perhaps' is none of auto, yes, no" in done.stdout + done.stderr
