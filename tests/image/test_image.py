"""What `make image-test` stands on, where no container can run: it says why it does nothing, and how pip finds packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT
from support.waiting import PATIENCE

from image import base
from image.engine import missing


def test_it_says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("image.engine.SYSTEM", (tmp_path,))
    assert missing() == "not installed: buildah, podman, runc, debootstrap, apt-get"


def test_it_says_that_it_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert missing() == "the base is made by debootstrap, which needs root"


def test_pip_has_only_what_is_there_and_may_change_none_of_it() -> None:
    options = base.pip_of_this_machine()
    assert set(options[::2]) == {"-v"}
    for mount in options[1::2]:
        outside, inside, how = mount.split(":")
        assert (outside == inside, how, Path(outside).exists()) == (True, "ro", True)


def test_the_checks_are_found_when_they_are_named() -> None:
    """pytest takes files named test_*.py by itself, so that a run of all tests has none of these."""
    checks = ["tests/image/checks.py", "tests/release/checks.py"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *checks]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE * 3)
    assert found.returncode == 0, found.stdout
    assert [file for file in checks if f"{file}::" not in found.stdout] == []
