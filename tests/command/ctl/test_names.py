"""Names for completion."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from support.goto_process import Goto
from support.upstream import Upstream

from goto.command.ctl.names import kind_of, names

Out = pytest.CaptureFixture[bytes]


def test_a_line_each(goto: Callable[..., Goto], upstream: Upstream, capfdbinary: Out):
    process = goto("names")
    for name in ("flaky", "größe x"):
        process.api("POST", "/response/rules/add", {"name": name, "status": 503})
    process.api("POST", "/request/proxy/targets/add", {"name": "t1", "url": upstream.base})
    about = {"url": process.base}
    for kind, there in {
        "rules": "flaky\ngröße x\n",
        "targets": "t1\n",
        "client-targets": "",
        "listeners": f"{process.port}\n",
    }.items():
        assert names(kind, about) == 0
        assert capfdbinary.readouterr().out.decode() == there


def test_none_where_there_is_no_answer(capfdbinary: Out):
    assert names("rules", {"url": "http://127.0.0.1:1"}) == 0
    assert names("rules", {"url": "ftp://"}) == 0
    assert names("nothing", {}) == 0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert names("rules", {"url": f"http://127.0.0.1:{silent.getsockname()[1]}"}) == 0
        assert time.monotonic() - began >= 0.3
    assert capfdbinary.readouterr() == (b"", b"")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/response/rules/{rule}", "rules"),
        ("/request/proxy/targets/{target}", "targets"),
        ("/client/targets/{targets}", "client-targets"),
        ("/listeners/{port}", "listeners"),
        ("/goto/journal/expectations/{name}", "expectations"),
        ("/label/set/{label}", ""),
    ],
)
def test_what_words_are_names_of(path: str, kind: str):
    assert kind_of(path) == kind
