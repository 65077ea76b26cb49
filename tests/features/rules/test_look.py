"""Which rules strike the traffic of a listener."""

from __future__ import annotations

from support.flows import flow, passed
from support.rules import Onion, made, receipts, status

from goto.features.rules.feature import Rules
from goto.flow import Peer
from goto.matching.when import BODY_LIMIT
from goto.words import Name


def test_it_is_active_only_where_a_rule_may_look_at_traffic() -> None:
    rules = Rules()
    assert not rules.active
    rules.add(made("off", status=503, enabled=False))
    assert not rules.active
    rules.add(made("later", status=503, after="1h"))
    assert rules.active
    rules.remove(Name("later"))
    rules.add(made("once", status=503, count=1))
    told: list[bool] = []
    rules.bind(lambda: told.append(rules.active))
    passed([rules], flow())
    assert told == [False]


def test_exchanges_that_began_before_a_rule_was_spent_are_not_struck() -> None:
    onion = Onion(made(status=503, count=2))
    assert [status(onion) for _ in range(4)] == [503, 503, 200, 200]
    assert onion.rules.show(Name("r")).matched == 2


def test_a_rule_whose_time_is_over_is_looked_at_no_more() -> None:
    rules = Rules()
    told: list[bool] = []
    rules.bind(lambda: told.append(rules.active))
    rules.add(made("short", status=503, for_="1h"))
    (live,) = rules._shelf
    passed([rules], flow())
    live.ends = 0.0
    rules.request(flow())
    rules.request(flow())
    assert told == [True, False]
    assert rules.show(Name("short")).matched == 1


def test_probes_are_spared_unless_asked_for() -> None:
    onion = Onion(made("spare", status=503), made("probes", when={"uris": ["/p"]}, status=502, probes=True))
    probe = ("User-Agent", "kube-probe/1.31")
    assert status(onion, flow("/", probe)) == 200
    assert status(onion, flow("/p", probe)) == 502
    assert status(onion, flow("/", ("User-Agent", "curl/8"))) == 503
    assert onion.rules.show(Name("spare")).matched == 1


def test_the_first_request_of_a_connection_and_the_others() -> None:
    onion = Onion(made("kept", when={"reused": True}, status=501), made("fresh", when={"reused": False}, status=502))
    one, peer = flow(), Peer("x", 1)
    peer.requests = 1
    one.peer = peer
    assert status(onion, one) == 502
    one = flow()
    one.peer = peer
    peer.requests = 2
    assert status(onion, one) == 501


def test_the_body_is_waited_for_only_where_all_else_fits() -> None:
    onion = Onion(made("b", when={"uris": ["/b"], "body": {"contains": "x"}}, status=503), made("after", status=501))
    asked: list[bool] = []

    def ask(target: str, body: bytes) -> int:
        one = flow(target, method="POST")
        answered = status(onion, one, body=body)
        asked.append(one.request_body is not None)
        return answered

    assert [ask("/b", b"axb"), ask("/b", b"ab"), ask("/b", b""), ask("/a", b"axb")] == [503, 501, 501, 501]
    assert asked == [True, True, True, False]
    assert ask("/b", b"x" * BODY_LIMIT) == 503
    assert ask("/b", b"x" * (BODY_LIMIT + 1)) == 501
    onion.rules.disable(Name("b"))
    assert ask("/b", b"axb") == 501
    assert asked[-1] is False
    shown = onion.rules.rules()
    assert (shown["b"].matched, shown["after"].matched) == (2, 5)


def test_a_receipt_can_be_left_out() -> None:
    assert receipts(passed(Onion(made(status=503, receipt=False)).features, flow())) == []


def test_a_strike_that_passes_counts_and_leaves_no_receipt() -> None:
    onion = Onion(made("p", answers=[{}, {"status": 503}]))
    one = passed(onion.features, flow())
    assert (receipts(one), list(one.marks)) == ([], [])
    assert onion.rules.show(Name("p")).struck == 1
    assert status(onion) == 503
