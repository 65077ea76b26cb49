"""A call at each peer of a label."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from support.ctl import Run
from support.goto_process import Goto
from support.ports import free_port


@pytest.fixture(scope="module")
def peers(goto: Callable[..., Goto], process: Goto) -> Iterator[list[str]]:
    """Two peers of one label; the last one is a port of the first."""
    one, port = goto("web"), free_port()
    one.api("POST", "/listeners/add", {"port": port, "open": True, "label": "second"})
    addresses = [f"127.0.0.1:{one.port}", f"127.0.0.1:{port}"]
    for address in addresses:
        process.api("POST", "/registry/peers/add", {"name": "web", "address": address})
    yield addresses
    process.api("POST", "/registry/peers/clear")


def test_a_row_for_each(run: Run, peers: list[str]):
    ran = run("--peers", "web", "label")
    assert ran.status == 0
    assert ran.rows == [["peer", "done", "answer"], [peers[0], "yes", "Label: web"], [peers[1], "yes", "Label: second"]]
    assert run("--peers", "web", "--only", "2", "label").rows[1:] == [[peers[1], "yes", "Label: second"]]


def test_as_json(run: Run, peers: list[str]):
    found = json.loads(run("--peers", "web", "label", "--json").out)
    assert found[1] == {"peer": peers[1], "exit": 0, "answer": {"message": "Label: second"}}


def test_short_words_too(run: Run, peers: list[str]):
    one = run("--peers", "web", "--only", "1", "fail", "503", "--times", "2")
    assert one.rows[1][:2] == [peers[0], "yes"]
    assert one.rows[1][2].startswith("Added rule ctl-1; take it back: goto ctl")
    assert [row[2] for row in run("--peers", "web", "rules").rows[1:]][1] == "{}"
    assert run("--peers", "web", "response", "rules", "clear").status == 0


def test_the_worst_status_is_that_of_all(run: Run, peers: list[str], process: Goto):
    gone = f"127.0.0.1:{free_port()}"
    process.api("POST", "/registry/peers/add", {"name": "web", "address": gone})
    ran = run("--peers", "web", "response", "status", "set", "99")
    assert ran.status == 4
    assert [row[1:] for row in ran.rows[1:]] == [
        ["no", "status: 99 is not a status from 200 to 599"],
        ["no", "status: 99 is not a status from 200 to 599"],
        ["no", f"http://{gone}: Connection refused"],
    ]
    process.api("PUT", f"/registry/peers/web/remove/{gone}")


@pytest.mark.parametrize(
    ("tokens", "error"),
    [
        (["--peers", "wob", "label"], "--peers: nobody has registered as wob; did you mean web?"),
        (["--peers", "web", "--only", "3", "label"], "--only: 3 is not from 1 to 2, the number of peers of web"),
        (["--only", "1", "label"], "--only: stands beside --peers alone"),
    ],
)
def test_bad_use(tokens: list[str], error: str, run: Run, peers: list[str]):
    assert run(*tokens) == (2, "", f"goto: {error}\n")
