"""Rules on a listener: routes, hooks, files and metrics."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.client import get
from support.documents import document
from support.flows import flow, pass_through, passed
from support.goto_process import Goto
from support.lab import Lab, in_lab
from support.rules import Onion, Stand, made, status
from support.site import Site
from support.storm import storm
from support.waiting import eventually

from goto.config.errors import ConfigError
from goto.errors import BadInput, Conflict, NotFound
from goto.features.rules.feature import Rules
from goto.words import Name


# ---------------------------------------------------------------- routes
def test_a_rule_is_replaced_in_its_place_and_begins_anew() -> None:
    rules = Rules()
    assert rules.add(made("a", status=501)) == "Added rule a"
    rules.add(made("b", status=502))
    onion = [rules]
    passed(onion, flow())
    assert rules.add(made("a", status=503)) == "Replaced rule a"
    assert [(name, rule.struck) for name, rule in rules.rules().items()] == [("a", 0), ("b", 0)]
    assert rules.remove(Name("a")) == "Removed rule a"
    for call in (rules.remove, rules.enable, rules.disable, rules.reset, rules.show, rules.plan):
        with pytest.raises(NotFound, match=r"^unknown rule: a$"):
            call(Name("a"))  # type: ignore[operator]  # each takes a name


def test_counts_stay_while_it_is_disabled_and_go_when_it_is_reset() -> None:
    onion = Onion(made("r", seed=7, probability=0.5, status=503))
    first = [status(onion) for _ in range(12)]
    onion.rules.disable_all()
    assert status(onion) == 200
    onion.rules.enable_all()
    shown = onion.rules.show(Name("r"))
    assert (shown.matched, shown.struck, shown.state) == (12, first.count(503), "active")
    onion.rules.reset(Name("r"))
    assert [status(onion) for _ in range(12)] == first
    assert [line["n"] for line in onion.rules.plan(Name("r"))] == list(range(12, 32))


def test_what_the_host_lacks_is_said_after_what_is_wrong() -> None:
    rules = Rules()
    Stand(rules, abilities=frozenset(("close", "reset", "cut", "raw")))
    rules.add(made("t", truncate={"after": 5}, enabled=False))
    with pytest.raises(Conflict, match=r"^pace: narrow cannot do it: use the standalone host$"):
        rules.add(made("p", answers=[{}, {"pace": {"rate": 5}}]))
    with pytest.raises(Conflict, match=r"^stall: "):
        rules.add(made("p", stall={"after": 1, "for": "1s"}))
    assert list(rules.rules()) == ["t"]


# ---------------------------------------------------------------- files
FLAKY = "{name: flaky, when: {uris: [/a]}, seed: 7, count: 2, status: 503}"


def rules_of(*items: str) -> str:
    return f"{{response: {{rules: [{', '.join(items)}]}}}}"


def test_what_is_unchanged_keeps_its_counts_and_what_is_changed_begins_anew() -> None:
    async def test(lab: Lab) -> None:
        old = rules_of(FLAKY, "{name: free, status: 502}")
        await lab.apply("", old)
        rules: Rules = lab.feature("rules")
        live = {rule.given.name: rule for rule in rules._shelf}
        live["flaky"].strike({})
        live["free"].strike({})
        await lab.api("/response/rules/flaky/disable", method="PUT")
        await lab.apply(old, rules_of("{name: free, status: 502}", "{name: new, delay: 1s}", FLAKY))
        shown = rules.rules()
        assert list(shown) == ["free", "new", "flaky"]
        assert (shown["free"].struck, shown["flaky"].struck, shown["flaky"].enabled) == (1, 1, False)
        seed = shown["free"].seed
        await lab.apply(old, rules_of(FLAKY.replace("503", "501"), "{name: free, status: 502}"))
        shown = rules.rules()
        assert (shown["free"].seed, shown["free"].struck, shown["flaky"].struck) == (seed, 1, 0)

    in_lab(test)


def test_a_document_shows_them_as_they_were_given_with_their_seeds() -> None:
    async def test(lab: Lab) -> None:
        await lab.apply("", rules_of("{name: a, when: {uris: ['/{n}']}, status: '{n}', pace: {over: '{n}s'}}"))
        shown = json.loads((await lab.call("GET", "/goto/config", headers={"Accept": "application/json"})).body)
        (rule,) = shown["response"]["rules"]
        assert isinstance(rule.pop("seed"), int)
        assert list(rule)[0] == "name"  # noqa: RUF015  # the order is what is looked at
        assert rule == {"name": "a", "when": {"uris": ["/{n}"]}, "status": "{n}", "pace": {"over": "{n}s"}}

    in_lab(test)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{name: c, status: 99}", "response.rules[0].status: 99 is not a status from 200 to 599"),
        ("{name: c, abort: close, status: 503}", "response.rules[0].abort: cannot be given together with status"),
        ("{name: c}", "response.rules[0]: rule: it does nothing: give it an answer, a fault or a delay"),
        ("{name: c, status: 503, color: red}", "response.rules[0].color: unknown key"),
        ("{name: c, answers: [{status: 503}, {status: 5}]}", "response.rules[0].answers[1].status: 5 is not a status"),
        ("{name: c, status: 503, when: {uris: [a]}}", "response.rules[0].when.uris[0]: 'a' does not start with a slash"),
        ("{name: c, file: /no/such/file}", "response.rules: file: /no/such/file: No such file or directory"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_line_and_key(text: str, problem: str) -> None:
    async def test(lab: Lab) -> None:
        def check() -> None:
            lab.config._applier().check(document(rules_of(text)), lab.config._scratch)

        with pytest.raises(ConfigError) as caught:
            check()
        assert problem in str(caught.value)
        assert str(caught.value).partition(": ")[0].endswith(tuple("0123456789"))

    in_lab(test)


def test_only_files_name_files(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_text("hello")
    rule = f"{{name: f, when: {{uris: [/f]}}, file: {body}}}"
    with pytest.raises(BadInput, match=r"^file: only a file of --config may name one$"):
        Rules().add(made("f", file=str(body)))

    async def test(lab: Lab) -> None:
        refused = await lab.call("POST", "/goto/config", rules_of(rule))
        assert (refused.status, b"only a file of --config" in refused.body) == (400, True)
        await lab.config.seed(document(rules_of(rule)))
        again = await lab.call("POST", "/goto/config", rules_of(rule))
        assert again.status == 200
        assert (await lab.call("POST", "/goto/config?replace=y", rules_of(rule))).status == 200
        added = {"name": "f", "when": {"uris": ["/f"]}, "file": str(body)}
        assert (await lab.call("POST", "/response/rules/add", json.dumps(added))).status == 200
        other = await lab.call("POST", "/goto/config", rules_of(rule.replace("name: f", "name: g")))
        assert other.status == 400
        (live,) = lab.feature("rules")._shelf
        strike = live.strike({})
        assert strike is not None
        assert strike.work.body == b"hello"

    in_lab(test)


# ---------------------------------------------------------------- metrics
def test_strikes_by_the_first_word_and_few_rules_apart() -> None:
    onion = Onion(*(made(name, delay="1us") for name in "abc"), made("d", status=503, trigger=["nobody"]))
    onion.rules._look.most_named = 2
    passed(onion.features, flow())
    assert onion.rules.strikes() == {("a", "delay"): 1, ("b", "delay"): 1, ("_other", "delay"): 1, ("_other", "unable"): 1}
    onion.rules.remove(Name("a"))
    onion.rules.remove(Name("d"))
    assert onion.rules.strikes()["a", "delay"] == 1  # metrics go on
    passed(onion.features, flow())
    assert onion.rules.strikes() == {("b", "delay"): 2, ("c", "delay"): 1, ("_other", "delay"): 1, ("_other", "unable"): 1}


def test_a_strike_of_a_rule_that_is_removed_meanwhile_is_counted() -> None:
    onion = Onion(made("h", abort="hang"))

    async def go() -> None:
        passing = asyncio.create_task(pass_through(onion.features, flow()))
        await asyncio.sleep(0)
        onion.rules.remove(Name("h"))
        await passing

    asyncio.run(go())
    assert onion.rules.strikes() == {("h", "hang"): 1}


# ---------------------------------------------------------------- in a process
@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("rules")


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


def add(site: Site, name: str, **fields: Any) -> None:
    site.api("POST", "/response/rules/add", {"name": name, **fields})


def test_exactly_500_of_5000_at_64_connections(site: Site) -> None:
    add(site, "five", when={"uris": ["/any"]}, count=500, status=503)
    add(site, "turns", when={"uris": ["/turns"]}, answers=[{"status": 501}, {"status": 502}], then="again")
    assert storm(site.port, 5_000, 64, lambda n: get("/any")) == {503: 500, 200: 4_500}
    assert storm(site.port, 1_000, 64, lambda n: get("/turns")) == {501: 500, 502: 500}
    shown = site.api("GET", "/response/rules/five").json()
    assert (shown["struck"], shown["left"], shown["state"]) == (500, 0, "spent")
    assert site.reported == {"200": 4_500, "503": 500, "501": 500, "502": 500}


def test_what_was_planned_at_64_connections(site: Site) -> None:
    add(site, "flaky", when={"uris": ["/any"]}, probability=0.3, every=2, oneOf=[{"status": 501}, {"status": 502, "weight": 3}])
    asked = [f"/response/rules/flaky/plan?from={first}&count=1000" for first in (0, 1_000)]
    plan = [line for path in asked for line in site.api("GET", path).json()]
    heads: list[bytes] = []
    storm(site.port, 2_000, 64, lambda n: get("/any"), heads.append)
    happened = {int(found[1]): int(head[9:12]) for head in heads if (found := re.search(rb"Goto-Rule: flaky;n=(\d+);", head))}
    assert happened == {line["n"]: 501 + line["outcome"] for line in plan if line["strikes"]}
    assert 200 < len(happened) < 400


def test_500_that_are_held_go_on_together_with_the_removal(site: Site) -> None:
    add(site, "h", when={"uris": ["/h"]}, abort="hang")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", site.port))) for _ in range(500)]
        for client in clients:
            client.sendall(get("/h"))
        eventually(lambda: site.api("GET", "/response/rules/h").json()["holding"] == 500)
        site.api("PUT", "/response/rules/h/remove")
        site.api("GET", "/response/rules")  # what was written before this is with the clients' system
        poll = select.poll()
        for client in clients:
            poll.register(client, select.POLLIN)
        assert len(poll.poll(0)) == 500
        assert {client.recv(15) for client in clients} == {b"HTTP/1.1 200 OK"}


def test_each_value_has_its_own_count_at_64_connections(site: Site) -> None:
    add(site, "tries", when={"query": [["id", "{id}"]]}, per="{id}", count=2, status=503)
    assert storm(site.port, 3_000, 64, lambda n: get(f"/x?id={n % 50}")) == {503: 100, 200: 2_900}


def test_the_access_log_and_the_metrics_tell(site: Site) -> None:
    add(site, "flaky one", when={"uris": ["/a"]}, status=503)
    add(site, "gone", when={"uris": ["/b"]}, abort="reset")
    add(site, "late", when={"uris": ["/c"], "headers": [["d", "{d}"]]}, delay="{d}")
    assert site.call("GET", "/a").value("goto-rule") == "flaky%20one;n=0;did=answer"
    site.raw(get("/b"))
    site.call("GET", "/c", headers={"d": "soon"})
    lines = eventually(lambda: [line.split() for line in site.log()], lambda lines: len(lines) == 3)
    assert [(line[4], line[5], line[7:]) for line in lines] == [
        ("/a", "503", ["local", "rule:flaky%20one"]),
        ("/b", "0", ["local", "rule:gone", "aborted"]),
        ("/c", "200", ["local", "rule:late!"]),
    ]
    metrics = site.api("GET", "/goto/metrics").text
    port = site.port
    assert f'goto_rule_strikes_total{{did="answer",listener="{port}",rule="flaky one"}} 1.0' in metrics
    assert f'goto_rule_strikes_total{{did="reset",listener="{port}",rule="gone"}} 1.0' in metrics
    assert f'goto_rule_strikes_total{{did="unable",listener="{port}",rule="late"}} 1.0' in metrics
    assert f'goto_exchanges_total{{listener="{port}",outcome="aborted",status="0"}} 1.0' in metrics
    assert f'goto_held_exchanges{{listener="{port}"}} 0.0' in metrics


def test_the_removing_of_a_listener_lets_go(process: Goto) -> None:
    site = Site(process)
    add(site, "h", when={"uris": ["/h"]}, abort="hang")
    with site.client() as client:
        client.send(get("/h"))
        eventually(lambda: site.api("GET", "/response/rules/h").json()["holding"] == 1)
        process.api("PUT", f"/listeners/{site.port}/remove")
        assert client.answer().status == 200


def test_nothing_is_held_when_all_is_over(site: Site) -> None:
    add(site, "d", when={"uris": ["/d"]}, delay="1ms")
    assert storm(site.port, 200, 16, lambda n: get("/d")) == {200: 200}
    assert site.api("GET", "/response/rules/d").json()["holding"] == 0
