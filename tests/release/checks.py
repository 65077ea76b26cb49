"""`make dist-test`: `python -m build`, and what it makes installed in fresh environments, with a compiler and without one.

Not among the tests of `make test`: goto is compiled four times.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from goto import __version__

STEP_SECONDS = 1800
"""For a step that compiles; never a measure of how fast it is."""

EPOCH = "1700000000"


def run(*command: str | Path, **env: str) -> str:
    """What a command says, with these variables in the place of those that would change what is built."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "GOTO_"))}
    done = subprocess.run(command, env={**ours, **env}, capture_output=True, text=True, timeout=STEP_SECONDS)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout.strip()


def environment(folder: Path) -> Path:
    """A fresh virtual environment; its folder of commands."""
    base: str = getattr(sys, "_base_executable", sys.executable)
    run(base, "-m", "venv", folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with `build`."""
    commands = environment(tmp_path_factory.mktemp("builder") / "venv")
    run(commands / "pip", "install", "-q", "build")
    return commands / "python"


def build(builder: Path, source: Path, out: Path, *what: str) -> Path:
    """Build the sources and the wheel, or what is named; the folder that they are in."""
    run(builder, "-m", "build", "--outdir", out, *what, source, SOURCE_DATE_EPOCH=EPOCH)
    return out


@pytest.fixture(scope="module")
def built(builder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both: the wheel is built of the sources, as whoever packs them does it."""
    return build(builder, ROOT, tmp_path_factory.mktemp("built"))


def one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


COMPILER = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler here")


@pytest.mark.parametrize(
    ("pattern", "compiler", "says"),
    [
        pytest.param("*.whl", False, "(compiled)", marks=COMPILER, id="the wheel, without a compiler"),
        pytest.param("*.tar.gz", True, "(compiled)", marks=COMPILER, id="the sources, with a compiler"),
        pytest.param("*.tar.gz", False, "", id="the sources, without a compiler"),
    ],
)
def test_it_installs_and_says_what_it_is(built: Path, tmp_path: Path, pattern: str, compiler: bool, says: str) -> None:
    commands = environment(tmp_path / "venv")
    # no command of the system is found there, a compiler is none
    path = os.environ["PATH"] if compiler else str(commands)
    run(commands / "pip", "install", "-q", one(built, pattern), PATH=path)
    assert run(commands / "goto", "--version") == f"goto {__version__} {says}".strip()


@COMPILER
def test_the_same_sources_make_the_same_files(builder: Path, built: Path, tmp_path: Path) -> None:
    assert digests(build(builder, ROOT, tmp_path / "again")) == digests(built)
