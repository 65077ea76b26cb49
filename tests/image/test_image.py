"""What `make image-test` stands on, where no container can run: it says why it does nothing, and can be read."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from support import ROOT

from image.engine import missing


def test_it_says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("image.engine.SYSTEM", (tmp_path,))
    assert missing() == "not installed: buildah, podman, runc, debootstrap, apt-get"


def test_it_says_that_it_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert missing() == "the base is made by debootstrap, which needs root"


def test_what_is_left_to_other_targets_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest takes files named test_*.py by itself, so that a run of all tests has none of these; each can be imported."""
    for name in ("deploy", "image", "release"):
        spec = importlib.util.spec_from_file_location(f"{name}_checks", ROOT / "tests" / name / "checks.py")
        assert spec is not None
        assert spec.loader is not None
        checks = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, checks)  # dataclasses look for it
        spec.loader.exec_module(checks)
        assert [found for found in vars(checks) if found.startswith("test_")], name
