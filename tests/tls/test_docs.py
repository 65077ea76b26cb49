"""The examples of docs/tls.md do what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT
from support.certificates import Authority
from support.goto_process import Goto
from support.ports import free_port

from goto.command.arguments import _parser

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "tls.md").read_text(), re.S)
COMMANDS = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines() if line.startswith("goto ")]


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs curl and bash")
def test_the_examples_with_curl(goto: Callable[..., Goto], tmp_path: Path) -> None:
    process = goto("tls")
    ports = {"8080": str(process.port), "8443": str(free_port())}
    script = "\n".join(text for language, text in BLOCKS if language == "sh" and "curl" in text)
    script = re.sub("|".join(ports), lambda found: ports[found[0]], script).replace('"ca.pem"', f'"{tmp_path}/ca.pem"')
    ran = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert (ran.returncode, ran.stdout.count("\n")) == (0, 4), ran.stderr + ran.stdout
    assert '"RequestURI":"/hello"' in ran.stdout
    assert process.call("GET", "/status/418").status == 418  # sent on by https


def test_the_example_file(goto: Callable[..., Goto], tmp_path: Path) -> None:
    (text,) = [text for language, text in BLOCKS if language == "yaml"]
    pair = Authority(tmp_path).issue("localhost")
    for old, new in {
        "8443": free_port(),
        "8444": free_port(),
        "/etc/goto/tls.pem": pair.cert,
        "/etc/goto/tls.key": pair.key,
    }.items():
        text = text.replace(old, str(new))
    (tmp_path / "goto.yaml").write_text(text)
    process = goto(None, "--config", str(tmp_path / "goto.yaml"))
    listed = process.api("GET", "/listeners").json().values()
    assert sorted(one["protocol"] for one in listed) == ["http", "https", "https"]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_ones(line: str) -> None:
    words = line.partition("#")[0].split()[1:]
    assert _parser().parse_args(words if words[0] == "send" else ["serve", *words])
