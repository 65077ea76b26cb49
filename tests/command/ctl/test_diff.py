"""What a file would change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.ctl import Run
from support.goto_process import Goto

from goto.command.ctl.diff import changed


def test_rows_for_what_would_be_another(run: Run, process: Goto, tmp_path: Path):
    process.api("POST", "/response/rules/add", {"name": "a", "status": 503, "seed": 1})
    file = tmp_path / "goto.yaml"
    file.write_text("Response: {status: 503:2, rules: [{name: a, status: 500, seed: 1}, {name: b, abort: reset}]}\n")
    ran = run("config", "diff", str(file))
    assert ran.status == 0
    assert ran.rows == [
        ["path", "is", "becomes"],
        ["response.rules[a].status", "503", "500"],
        ["response.rules[b]", "", '{"name": "b", "abort": "reset"}'],
        ["response.status", "", "503:2"],
    ]
    *_, last = json.loads(run("config", "diff", str(file), "--json").out)
    assert last == {"path": "response.status", "is": None, "becomes": "503:2"}
    process.api("POST", "/goto/config", file.read_bytes())
    file.write_text("response: {status: 503:2}\n")
    assert run("config", "diff", str(file)).out == f"{file} would change nothing\n"
    process.api("PUT", "/response/rules/clear")


def test_a_file_with_mistakes(run: Run, tmp_path: Path):
    file = tmp_path / "goto.yaml"
    file.write_text("response: [\n")
    ran = run("config", "diff", str(file))
    assert (ran.status, ran.out) == (3, "")
    assert ran.error.startswith("goto: body:2:1: not YAML")
    assert ran.error.count("\n") == 1
    assert run("config", "diff", "/nowhere") == (2, "", "goto: /nowhere: No such file or directory\n")


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({}, {"a": {"b": 1}}, [("a", None, {"b": 1})]),
        ({"a": [1]}, {"a": [1, 2]}, [("a", [1], [1, 2])]),
        ({"a": [{"port": 1, "x": 1}]}, {"a": [{"port": 1, "x": 2}]}, [("a[1].x", 1, 2)]),
    ],
)
def test_changes(old: Any, new: Any, rows: list[Any]):
    assert list(changed(old, new)) == rows
