"""`goto check`, `goto schema` and `goto openapi`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT
from support.goto_process import run_goto
from support.ports import free_port
from support.waiting import PATIENCE

from goto.command.check import check, print_openapi, print_schema

FLAKY = str(ROOT / "configs" / "features" / "flaky.py")


def write(folder: Path, text: str, name: str = "goto.yaml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_what_is_right_is_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path, "label: x")
    assert check([file]) == 0
    assert capsys.readouterr().out == f"ok: {file}\n"


def test_what_may_be_meant_otherwise_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(
        tmp_path,
        """request:
  uri: {bypass: {uris: ["/live/*"]}}
  proxy:
    targets:
      - {name: t0, url: "http://h", match: {uris: ["/api"]}}
      - {name: t1, url: "http://h"}
listeners:
  - port: 8081
    request: {proxy: {targets: [{name: t0, url: "http://h", match: {uris: ["/a/*"]}}]}}
""",
    )
    assert check([file]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    below = "listeners[0].request.proxy.targets"
    assert captured.out.splitlines() == [
        f"note: {file}:2:18: request.uri.bypass.uris: /live/*: * is a letter here; write /live/{{rest:.*}}",
        f"note: {file}:4:5: request.proxy.targets: t0: /api matches only /api itself; write /api/{{rest:.*}} for all below it",
        f"note: {file}:4:5: request.proxy.targets: t1: matches nothing: it is called by hand only",
        f"note: {file}:9:23: {below}: t0: /a/*: * is a letter here; write /a/{{rest:.*}}",
        f"ok: {file}",
    ]


def test_what_is_wrong_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    first, second = write(tmp_path, "lable: x\n"), write(tmp_path, "response:\n  delay: 5x\n", "b.yaml")
    assert check([first, second, str(tmp_path / "none.yaml")]) == 2
    assert check([first, second]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"{tmp_path}/none.yaml: No such file or directory",
        f"{second}:2:10: response.delay: '5x' is not a duration: write it like 300ms, 1.5s or 1m30s",
        f"{first}:1:1: lable: unknown key; did you mean label?",
    ]


def test_standard_input() -> None:
    for text, status, said in (("response: {status: 503}", 0, "ok: -\n"), ("\nlabel: x: y", 2, "-:2:9: not YAML: ")):
        command = [sys.executable, "-m", "goto", "check", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=ROOT)
        assert done.returncode == status
        assert (done.stdout + done.stderr).startswith(said)


def test_keys_of_a_plugin(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path, "features: {flaky: {every: 3}}")
    assert check([file], [FLAKY]) == 0
    assert check([file]) == 2
    assert "features: unknown key" in capsys.readouterr().err
    assert check([file], ["none.py"]) == 2
    assert capsys.readouterr().err == "none.py: no such file\n"


def test_the_schema(capsys: pytest.CaptureFixture[str]):
    assert print_schema([FLAKY]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "flaky" in schema["properties"]["features"]["properties"]
    assert print_schema(["none.py"]) == 2


def test_the_commands(tmp_path: Path):
    file = write(tmp_path, "response: {status: 503:2}")
    assert run_goto("check", file) == (0, f"ok: {file}\n", "")
    status, out, _ = run_goto("schema")
    assert (status, json.loads(out)["title"]) == (0, "goto")
    bad = write(tmp_path, "respons: {}\nlabel: []", "bad.yaml")
    problems = [f"{bad}:1:1: respons: unknown key; did you mean response?", f"{bad}:2:8: label: expected text, got a list"]
    assert run_goto("check", bad) == (2, "", "".join(f"{problem}\n" for problem in problems))
    # and nothing is served by it
    port = str(free_port())
    assert run_goto("--port", port, "--config", file, bad) == (2, "", "".join(f"goto: {problem}\n" for problem in problems))
    status, out, err = run_goto("--port", port, "--watch")
    assert (status, out) == (2, "")
    assert err == "goto: --watch needs a file to watch: give one with --config\n"


def test_a_port_in_a_file_that_cannot_be_had(tmp_path: Path):
    import socket

    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = write(tmp_path, f"listeners: [{{port: {port}}}]")
        status, out, err = run_goto("--port", str(free_port()), "--config", file)
    assert (status, out) == (2, "")
    assert err.startswith(f"goto: port: cannot open listener {port}: ")
    assert "in use" in err


def test_the_openapi_document(capsys: pytest.CaptureFixture[str]):
    assert print_openapi() == 0
    plain = json.loads(capsys.readouterr().out)
    assert print_openapi([FLAKY]) == 0
    assert set(plain["paths"]) < set(json.loads(capsys.readouterr().out)["paths"])
    assert print_openapi(["none.py"]) == 2
    assert capsys.readouterr().err == "goto: none.py: no such file\n"
    status, out, _ = run_goto("openapi")
    assert (status, json.loads(out)) == (0, plain)
