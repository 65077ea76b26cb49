"""The short words."""

from __future__ import annotations

from typing import Any

import pytest
from support.ctl import Run
from support.goto_process import Goto

from goto.command.ctl.short import SHORTS, short_of


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("rules", "rules"),
        ("listeners", "listeners"),
        ("listeners 8081 open", None),
        ("config diff a.yaml", "config diff"),
        ("config", "config"),
        ("fail 503", "fail"),
        ("response rules", None),
        ("", None),
    ],
)
def test_which_words_are_short(words: str, name: str | None):
    found = short_of(words.split())
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (["fail", "503"], {"status": 503}),
        (["fail", "{n}", "--to", "/status/{n}"], {"status": "{n}", "when.uris": ["/status/{n}"]}),
        (["fail", "503", "--to", "/a", "--times", "2", "--method", "POST"], {"count": 2, "when.methods": ["POST"]}),
        (
            ["fail", "503", "--probability", "0.5", "--seed", "7", "--body", "busy"],
            {"probability": 0.5, "seed": 7, "body": "busy"},
        ),
        (["fail", "503", "--to", "/a/{id}", "--per", "{id}", "--times", "1"], {"per": "{id}", "count": 1}),
        (["delay", "100ms-200ms", "--for", "30s"], {"delay": "100ms-200ms", "for": "30s"}),
        (["reset", "--at", "response"], {"abort": "reset", "at": "response"}),
        (["close", "--name", "mine", "--when", '{"reused": true}'], {"abort": "close", "name": "mine", "when.reused": True}),
        (["hang", "--for", "5s"], {"abort": "hang"}),
    ],
)
def test_rules(line: list[str], rule: dict[str, Any], run: Run, process: Goto):
    ran = run(*line)
    assert (ran.status, ran.error) == (0, "")
    (name,) = shown = process.api("GET", "/response/rules").json()
    assert name == rule.get("name", "ctl-1")
    for path, value in rule.items():
        found: Any = shown[name]
        for key in path.split("."):
            found = found[key]
        assert found == value
    first, last = ran.out.splitlines()
    assert first.startswith(f"Added rule {name}")
    assert last == f"take it back: goto ctl response rules {name} remove"
    assert run(*last.split()[5:]).out == f"Removed rule {name}\n"


def test_rules_have_the_next_free_name(run: Run, process: Goto):
    run("fail", "503")
    run("hang", "--url", process.base)
    ran = run("--port", str(process.port), "close")
    assert list(process.api("GET", "/response/rules").json()) == ["ctl-1", "ctl-2", "ctl-3"]
    assert ran.out.endswith(f"goto ctl --port {process.port} response rules ctl-3 remove\n")
    run("response", "rules", "clear")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["fail"], "fail: write it like goto ctl fail STATUS"),
        (["reset", "503"], "reset: 503 is one word too many"),
        (["fail", "503", "--when", "x"], '--when: write it like \'{"uris": ["/a"]}\''),
        (["fail", "503", "--tmes", "2"], "unknown option --tmes; did you mean --times?"),
        (["status", "--peers", "a"], "--peers: not with status"),
    ],
)
def test_bad_use(line: list[str], error: str, run: Run):
    assert run(*line) == (2, "", f"goto: {error}\n")


def test_what_is_wrong_with_a_rule_is_said_by_the_instance(run: Run):
    assert run("fail", "99") == (3, "", "goto: status: 99 is not a status from 200 to 599\n")
    assert run("--json", "fail", "99") == (3, "", '{"error":"status: 99 is not a status from 200 to 599"}\n')
    assert run("--json", "fail", "503").out == '{"message":"Added rule ctl-1"}\n'
    run("response", "rules", "clear")


def test_reads_show_what_the_words_of_the_path_do(run: Run):
    for short, words in {"rules": "response rules", "targets": "request proxy targets", "config": "goto config"}.items():
        assert run(short) == run(*words.split())
        assert run(short, "--json") == run(*words.split(), "--json")
    assert run("listeners").rows[0] == ["name", "label", "port", "protocol", "open"]
    assert "all.requests\t0" in run("results").out


def test_each_says_what_it_is_about():
    assert [short.name for short in SHORTS if not short.about.endswith(".")] == []
    assert len({short.words for short in SHORTS}) == len(SHORTS)


# ---------------------------------------------------------------- verify and expect
def test_verify(run: Run, process: Goto):
    process.api("PUT", "/goto/journal/set/y")
    process.call("GET", "/verified")
    ran = run("verify", "--when", '{"uris": ["/verified"]}', "--count", "1")
    assert ran.status == 0
    assert ran.out.startswith("wanted exactly 1, saw 1")
    missed = run("verify", "--when", '{"uris": ["/verify"]}', "--timeout", "10ms")
    assert missed.status == 1
    assert "nearest" in missed.out
    assert missed.error == ""
    assert '"holds":false' in run("--json", "verify", "--when", '{"uris": ["/verify"]}').out.replace(" ", "")
    assert run("verify", "--timeout", "90s", "--when", "{}").status == 3
    process.api("PUT", "/goto/journal/set/n")


def test_expect(run: Run, process: Goto):
    assert run("expect", "--when", '{"uris": ["/expected"]}', "--count", '{"atLeast": 1}').status == 0
    assert list(process.api("GET", "/goto/journal/expectations").json()) == ["ctl-1"]
    waited = run("expect", "--when", '{"uris": ["/expected"]}', "--wait", "10ms")
    assert waited.status == 1
    assert list(process.api("GET", "/goto/journal/expectations").json()) == ["ctl-1", "ctl-2"]
    process.call("GET", "/expected")
    assert run("goto", "journal", "expectations", "ctl-2", "--wait", "5s").status == 0
    assert run("expect", "--name", "none", "--when", '{"uris": ["/x"]}', "--count", "0", "--wait", "0s").status == 0
    run("goto", "journal", "expectations", "clear")
