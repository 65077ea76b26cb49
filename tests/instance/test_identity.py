"""Who an instance says it is."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
from support import ROOT
from support.goto_process import Goto
from support.ports import free_port
from support.site import Site
from support.upstream import Reply, Upstream
from support.waiting import PATIENCE

from goto.errors import BadInput
from goto.instance.identity import check_identity, goto_host, own_address

VARIABLES = ("POD_NAME", "NAMESPACE", "POD_IP")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_the_machine_speaks_for_itself() -> None:
    assert goto_host() == f"{socket.gethostname()}.local@{own_address()}"
    assert ipaddress.ip_address(own_address())


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({"POD_NAME": "p", "NAMESPACE": "n", "POD_IP": "1.2.3.4"}, r"p\.n@1\.2\.3\.4"),
        ({"POD_NAME": "p"}, r"p\.local@[\d.]+"),
        ({"NAMESPACE": "n"}, r".+\.n@[\d.]+"),
        ({"POD_IP": "::1"}, r".+\.local@::1"),
        ({"POD_NAME": "", "NAMESPACE": "", "POD_IP": ""}, r".+\.local@[\d.]+"),
    ],
)
def test_variables_override_it(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], host: str) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert re.fullmatch(host, goto_host())


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_is_trimmed_and_then_a_name(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, " 1.2.3.4\n")
    check_identity()
    assert "\n" not in goto_host()
    for text in ("a\r\nX: 1", "a\u202eb", "a\x9bb", "a" * 1025):
        monkeypatch.setenv(variable, text)
        with pytest.raises(BadInput, match=f"^{variable}: "):
            check_identity()


def test_a_process_does_not_start_with_a_name_that_is_none() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "goto", "--port", str(free_port())],
        env={**os.environ, "POD_NAME": "a\u202eb"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("goto: POD_NAME: control characters")


def test_every_kind_of_answer_carries_it(goto: Callable[..., Goto], upstream: Upstream) -> None:
    upstream.on("/up", Reply(headers=[("Via-Goto", "inner"), ("Goto-Host", "h.n@i")]))
    process = goto("edge", env={"POD_NAME": "p", "NAMESPACE": "n", "POD_IP": "1.2.3.4"})
    site = Site(process)
    site.target(upstream.port, "/up")
    site.target(1, "/down")
    site.api("PUT", "/request/uri/bypass/add?uri=/bypassed")
    site.api("PUT", "/label/set/a%20label")
    for path, status in (
        ("/x", 200),
        ("/status/418", 418),
        ("/down", 502),
        ("/bypassed", 200),
        ("/label", 200),
        ("/listeners/x/open", 405),
        ("/request/headers/track/x/counts", 404),
    ):
        answer = site.call("GET", path)
        assert (answer.status, answer.values("via-goto"), answer.values("goto-host")) == (status, ["a label"], ["p.n@1.2.3.4"]), (
            path
        )
    answer = site.call("GET", "/up")
    assert (answer.values("via-goto"), answer.values("goto-host")) == (["a label", "inner"], ["p.n@1.2.3.4", "h.n@i"])
    malformed = site.raw(b"NONSENSE\r\n\r\n").decode()
    assert "\r\nVia-Goto: a label\r\nGoto-Host: p.n@1.2.3.4\r\n" in malformed
    assert process.call("GET", "/").values("via-goto") == ["edge"]
