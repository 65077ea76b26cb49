"""`goto send --reconcile`: what was sent, joined with what arrived at another goto."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from support.goto_process import Goto, run_goto
from support.ports import free_port
from support.scripted import Scripted, read_head

from goto.client.reconcile import Reconciled
from goto.command.send.conditions import Condition
from goto.command.send.reconciling import ServerUrl, lines, total_of
from goto.command.send.terminal import Looks


def found(**fields: Any) -> Reconciled:
    numbers = dict.fromkeys(("sent", "answered", "failed", "arrived", "arrivals", "duplicated"), 3)
    lost = dict.fromkeys(("lostOnTheWay", "answeredElsewhere", "lostOnTheWayBack"), 0)
    made = {**numbers, **lost, "tries": {}, "examples": {}, "server": {}, "incomplete": False, **fields}
    return cast("Reconciled", made)


@pytest.fixture(scope="module")
def server(goto: Callable[..., Goto]) -> Goto:
    return goto("server", "--admin-token", "s3cret")


def test_it_is_shown_and_judged_by(server: Goto, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    token = f"@{tmp_path / 'token'}"
    words = ("send", "-n", "20", "-c", "1", "--reconcile", server.base.removeprefix("http://"), "--reconcile-token", token)
    status, out, err = run_goto(*words, "--fail-if", "duplicated>0", "--fail-if", "lostOnTheWay>0", f"{server.base}/a")
    assert (status, err) == (0, "")
    assert re.search(r"^reconcile +requests$", out, re.M)
    assert re.search(r"^arrivals +20$", out, re.M)
    assert re.search(r"^reordered +0$", out, re.M)
    status, out, err = run_goto(*words, "--gaps", "--json", "--fail-if", "arrivals>=40", f"{server.base}/a", f"{server.base}/b")
    assert (status, err) == (1, "goto: failed: arrivals>=40: arrivals = 40\n")
    shown = json.loads(out)["reconcile"]
    assert [(one["sent"], one["arrived"], one["incomplete"]) for one in shown.values()] == [(20, 20, False)] * 2
    assert all(one["gaps"] == {"p50": "0s", "p90": "0s", "max": "0s"} for one in shown.values())


def test_what_something_in_between_does_is_seen(server: Goto) -> None:
    def answers_by_itself(connection: Any) -> None:
        while read_head(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with Scripted(answers_by_itself) as between:
        words = ("--reconcile", server.base, "--reconcile-token", "s3cret", "--fail-if", "answeredElsewhere>=1")
        status, _, err = run_goto("send", "-n", "3", *words, f"http://127.0.0.1:{between.port}/")
    assert (status, err) == (1, "goto: failed: answeredElsewhere>=1: answeredElsewhere = 3\n")


def test_a_server_that_does_not_count_ends_it_before_anything_is_sent(server: Goto) -> None:
    sent = len(server.log)
    status, out, err = run_goto("send", "--reconcile", server.base, f"{server.base}/unsent")
    assert (status, out) == (2, "")
    assert err.startswith("goto: --reconcile: server: 127.0.0.1:")
    assert "answered 401" in err
    nobody = f"http://127.0.0.1:{free_port()}"
    status, out, err = run_goto("send", "--reconcile", nobody, f"{server.base}/unsent")
    assert (status, out) == (2, "")
    assert "Connection refused" in err
    assert "/unsent" not in server.log[sent:]


def test_a_server_that_does_not_tell_in_the_end_is_said_and_conditions_on_it_hold(server: Goto) -> None:
    def counts_alone(connection: Any) -> None:
        while head := read_head(connection):
            status = b"200 OK" if head.startswith(b"POST") else b"503 Down"
            connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)

    with Scripted(counts_alone) as there:
        words = ("send", "--reconcile", f"http://127.0.0.1:{there.port}", f"{server.base}/a")
        status, out, err = run_goto(*words)
        assert (status, err) == (2, f"goto: --reconcile: server: 127.0.0.1:{there.port} answered 503\n")
        assert "200 OK" in out
        status, _, err = run_goto(*words, "--fail-if", "duplicated>0")
        assert status == 1
        assert err.startswith("goto: failed: duplicated>0: it is not known what arrived\n")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--fail-if", "duplicated>0"), "--fail-if: what is known of arrivals needs --reconcile, which says where"),
        (("--gaps",), "--gaps: cannot be given without reconcile"),
        (("--reconcile", "ftp://a"), "argument --reconcile: 'ftp://a' is not an http or https URL"),
        (("--reconcile", "https://a", "--cacert", "/nowhere"), "--cacert: "),
    ],
)
def test_bad_use(words: tuple[str, ...], reason: str) -> None:
    status, out, err = run_goto("send", *words, "http://127.0.0.1:9/")
    assert (status, out) == (2, "")
    assert err.startswith(f"goto: {reason}")


def test_a_url_with_an_id_of_its_own_is_refused() -> None:
    status, _, err = run_goto("send", "--reconcile", "http://127.0.0.1:9", "http://127.0.0.1:9/?x-request-id=1")
    assert (status, err) == (2, "goto: url: has a parameter x-request-id, which reconcile adds: leave it out\n")


def test_a_url_without_a_scheme_is_one_of_http() -> None:
    assert ServerUrl.parse("localhost:9000") == "http://localhost:9000"
    assert ServerUrl.parse("https://a") == "https://a"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("duplicated>0", "duplicated = 6"),
        ("duplicated>6", ""),
        ("lostOnTheWay==0", "lostOnTheWay = 0"),
        ("reordered>0", "reordered is not known, since several connections send"),
        ("gaps.max>25ms", "gaps.max = 30ms"),
        ("gaps.p50>25ms", ""),
    ],
)
def test_conditions_are_of_all_targets_together(text: str, reason: str) -> None:
    condition = Condition.parse(text)
    assert condition.joined
    gaps = {"p50": "20ms", "p90": "26ms", "max": "30ms"}
    assert condition.check({"a": found(reordered=1), "b": found(gaps=gaps)}) == reason


@pytest.mark.parametrize("text", ["duplicated>x", "gaps.p10>1ms", "gaps.p50==1ms", "lostontheway>0"])
def test_conditions_that_there_are_not(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text.split(">")[0].split("=")[0])):
        Condition.parse(text)


def test_gaps_that_were_not_wanted_are_not_known() -> None:
    assert Condition.parse("gaps.max>1s").check({"a": found()}) == "gaps are not known: give --gaps"


def test_numbers_of_all_targets_are_added() -> None:
    both = {"a": found(reordered=1), "b": found(incomplete=True)}
    assert total_of(both, "sent") == 6
    assert total_of(both, "reordered") is None
    shown = lines(Looks(), both)
    assert shown[:3] == ["reconcile          requests", "sent                      6", "answered                  6"]
    assert shown[-1] == "incomplete for 1 target: some requests are not in these numbers"
