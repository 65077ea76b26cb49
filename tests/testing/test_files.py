"""Files of tests."""

from __future__ import annotations

import json
from pathlib import Path

from goto.testing import files


def test_a_certificate():
    name = files.certificate_file("-----BEGIN…")
    assert Path(name).read_text() == "-----BEGIN…\n"
    files.remove(name)
    files.remove(name)
    assert not Path(name).exists()


def test_content(tmp_path: Path):
    files.write_json(tmp_path / "a.json", {"ü": [1]})
    assert json.loads(files.content(tmp_path / "a.json")) == {"ü": [1]}
    assert "ü".encode() in files.content(str(tmp_path / "a.json"))
