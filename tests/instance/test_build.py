"""What is compiled, and what becomes of a wheel where that cannot be done."""

from __future__ import annotations

import ast
import builtins
import os
import shutil
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


EXCEPTIONS = {name for name, member in vars(builtins).items() if isinstance(member, type) and issubclass(member, BaseException)}


def classes() -> list[ast.ClassDef]:
    """The classes of all that is compiled."""
    trees = [ast.parse((ROOT / file).read_text()) for file in FILES]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_exceptions_have_neither_properties_nor_methods() -> None:
    """Compiled, one is looked for in a table that an object made by a builtin class does not have, which ends the process."""
    known, found = set(EXCEPTIONS), classes()
    for _ in found:  # as deep as they may stand on each other
        known |= {one.name for one in found if any(isinstance(base, ast.Name) and base.id in known for base in one.bases)}
    methods = {
        f"{one.name}.{member.name}"
        for one in found
        if one.name in known
        for member in one.body
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and member.name != "__init__"
    }
    assert methods == set()


@pytest.mark.parametrize("file", FILES)
def test_errors_caught_in_one_function_have_names_of_their_own(file: str) -> None:
    """Compiled, a name has the type of what it is given first, and another error would be a TypeError."""
    for function in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name]
            assert len(set(names)) == len(names), f"{function.name}: {names}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one module left to compile, since what becomes of a wheel is the same for one and for all."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("goto", "addons"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    text = (ROOT / "pyproject.toml").read_text()
    kept, others = FILES[0], FILES[1:]
    for file in others:
        text = text.replace(f'    "{file}",\n', "")
    (folder / "pyproject.toml").write_text(text)
    assert tomllib.loads(text)["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["modules"] == [kept]
    return folder


def build(project: Path, folder: Path, **env: str) -> tuple[subprocess.CompletedProcess[str], list[Path]]:
    """Build a wheel with the tools of this environment; what was said, and the wheel where there is one."""
    command = [sys.executable, "-m", "pip", "wheel", "-v", "--no-build-isolation", "--no-deps", "--wheel-dir", str(folder), "."]
    ours = {name: value for name, value in os.environ.items() if name not in ("GOTO_COMPILE", "PYTHONPATH")}
    done = subprocess.run(command, cwd=project, env={**ours, **env}, capture_output=True, text=True, timeout=STEP_SECONDS)
    return done, list(folder.glob("*.whl"))


def compiled(wheel: Path) -> list[str]:
    return [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".so", ".pyd"))]


def test_without_a_compiler_it_is_a_wheel_for_every_machine_and_says_so(project: Path, tmp_path: Path) -> None:
    done, (wheel,) = build(project, tmp_path, CC="false")
    assert done.returncode == 0, done.stderr
    assert wheel.name.endswith("-py3-none-any.whl")
    assert compiled(wheel) == []
    assert "goto is not compiled: " in done.stdout + done.stderr


def test_compiling_can_be_demanded(project: Path, tmp_path: Path) -> None:
    done, wheels = build(project, tmp_path, CC="false", GOTO_COMPILE="yes")
    assert (done.returncode, wheels) == (1, [])


def test_compiling_can_be_left_out(project: Path, tmp_path: Path) -> None:
    done, (wheel,) = build(project, tmp_path, CC="false", GOTO_COMPILE="no")
    assert done.returncode == 0, done.stderr
    assert compiled(wheel) == []
    assert "not compiled" not in done.stdout + done.stderr


def test_another_word_is_refused(project: Path, tmp_path: Path) -> None:
    done, wheels = build(project, tmp_path, GOTO_COMPILE="perhaps")
    assert (done.returncode, wheels) == (1, [])
    assert "GOTO_COMPILE: 'perhaps' is none of auto, yes, no" in done.stdout + done.stderr


def test_the_same_sources_make_the_same_wheel(project: Path, tmp_path: Path) -> None:
    """The time in it is the one that is said. `make dist-test` does the same with all that is compiled."""
    wheels = []
    for name in ("first", "second"):
        copied = tmp_path / name / "sources"
        shutil.copytree(project, copied)
        done, (wheel,) = build(copied, tmp_path / name, GOTO_COMPILE="no", SOURCE_DATE_EPOCH="1700000000")
        assert done.returncode == 0, done.stderr
        wheels.append(wheel)
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    assert {info.date_time for info in zipfile.ZipFile(wheels[0]).infolist()} == {(2023, 11, 14, 22, 13, 20)}
