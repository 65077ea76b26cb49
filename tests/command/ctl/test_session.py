"""The instance that a `goto ctl` is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.goto_process import Goto

from goto.command.ctl.failures import Ended
from goto.command.ctl.session import LONGEST, Session, _waits


@pytest.fixture(scope="module")
def secured(goto: Callable[..., Goto]) -> Goto:
    return goto("secured", env={"GOTO_ADMIN_TOKEN": "secret"})


def test_where_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GOTO_URL", raising=False)
    monkeypatch.delenv("GOTO_ADMIN_TOKEN", raising=False)
    assert Session({}).url == "http://localhost:8080"
    monkeypatch.setenv("GOTO_URL", "http://a:1")
    assert Session({}).url == "http://a:1"
    assert Session({"url": "http://b:2"}).url == "http://b:2"
    assert Session({"url": "http://b:2", "port": "81"}).options == " --url http://b:2 --port 81"


def test_the_token(secured: Goto, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "token").write_text("secret\n")
    for about in ({"token": "secret"}, {"token": f"@{tmp_path / 'token'}"}):
        assert Session({"url": secured.base, **about}).read("/listeners")
    with pytest.raises(Ended) as caught:
        Session({"url": secured.base}).read("/listeners")
    assert caught.value.status == 3
    monkeypatch.setenv("GOTO_ADMIN_TOKEN", "secret")
    assert Session({"url": secured.base}).read("/listeners")


@pytest.mark.parametrize(
    ("about", "text"),
    [
        ({"url": "ftp://a"}, "--url: 'ftp://a' is not an http or https URL"),
        ({"port": "x"}, "--port: 'x' is not a port"),
        ({"token": "a b"}, "--token: a token is made of"),
        ({"token": "@/nowhere"}, "--token: the file after @ cannot be read"),
    ],
)
def test_bad_use(about: dict[str, str], text: str):
    with pytest.raises(Ended, match=text) as caught:
        Session(about)
    assert caught.value.status == 2


@pytest.mark.parametrize(
    ("path", "query", "body", "seconds"),
    [
        ("/label", {}, None, 0),
        ("/goto/journal", {"wait": "30s"}, None, 30),
        ("/goto/journal/verify", {}, b'{"timeout": "5s", "settle": "200ms", "when": {}}', 5.2),
        ("/goto/journal/verify", {"wait": "soon"}, b"[1]", 0),  # the instance says what is wrong
        ("/goto/config", {}, b"label: a", 0),
        ("/client/targets/t1/invoke", {}, b"", LONGEST),
    ],
)
def test_how_long_a_call_may_wait(path: str, query: dict[str, str], body: bytes | None, seconds: float):
    assert _waits(path, query, body) == seconds
