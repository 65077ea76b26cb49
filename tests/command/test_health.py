"""`goto health`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.goto_process import Goto
from support.ports import free_port
from support.scripted import Scripted, answering
from support.upstream import Reply, Upstream

from goto.command.health import health

Out = pytest.CaptureFixture[str]


def test_a_healthy_instance(goto: Callable[..., Goto], capsys: Out) -> None:
    process = goto("health")
    for url in (process.base, process.base + "/", process.base + "/goto/ready"):
        assert health(url) == 0
    out, error = capsys.readouterr()
    assert out.splitlines()[0].endswith("is healthy")
    assert out.splitlines()[2] == "ready"
    assert error == ""


def test_a_proxy_of_the_environment_is_not_asked(goto: Callable[..., Goto], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert health(goto("health-proxy").base) == 0


def test_nobody_there(capsys: Out) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert health(url) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(f"goto: {url}/goto/health: ")
    assert error.count("\n") == 1


def test_an_instance_that_says_no(upstream: Upstream, capsys: Out) -> None:
    upstream.on("/goto/health", Reply(503))
    assert health(upstream.base) == 1
    assert "503" in capsys.readouterr().err


def test_something_else_that_listens(capsys: Out) -> None:
    with Scripted(answering(b"SSH-2.0-x\r\n\r\n")) as other:
        assert health(f"http://127.0.0.1:{other.port}") == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://localhost", "http://", "", "http://a b"])
def test_what_is_no_url(url: str, capsys: Out) -> None:
    assert health(url) == 2
    assert capsys.readouterr().err.startswith("goto: ")
