"""The example file of docs/tls.md is served. Its commands are run by tests/docs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from support import ROOT
from support.certificates import Authority
from support.goto_process import Goto
from support.ports import free_port

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "tls.md").read_text(), re.S)


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
