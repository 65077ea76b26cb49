"""The client results of many instances as one."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from support.counting import count_answer, count_failure
from support.upstream import Reply, Upstream, held

from goto.client.results import Results
from goto.registry import gather as module
from goto.registry.address import Address
from goto.registry.gather import Gathered, gather
from goto.upstream.answer import Upstream as Sender
from goto.upstream.errors import Broken


def results(target: str, seconds: list[float], *, failures: int = 0) -> Results:
    made = Results()
    counts = made.of(target)
    for latency in seconds:
        tracked = {b"x": "x"}
        count_answer(counts, fields=[(b"X", b"x1")], tracked=tracked, sent=10.0, now=10.0 + latency, size=100, body=10)
    for _ in range(failures):
        count_failure(counts, Broken("closed"), sent=10.0, now=10.1, size=100)
    counts.fold()
    return made


def gathered(*addresses: str) -> Gathered:
    async def main() -> Gathered:
        sender = Sender()
        try:
            return await gather(sender, [Address.parse(address) for address in addresses])
        finally:
            await sender.close()

    return asyncio.run(main())


def answering(server: Upstream, wire: Any) -> str:
    server.on("/client/results", Reply(body=wire if isinstance(wire, bytes) else msgspec.json.encode(wire)))
    return f"127.0.0.1:{server.port}"


def test_counters_are_added_and_histograms_merged(upstream: Upstream):
    fast, slow = [0.001] * 98, [0.5] * 2
    with Upstream() as other:
        one = answering(upstream, results("t", fast, failures=1).to_wire(histograms=True))
        two = answering(other, results("t", slow, failures=2).to_wire(histograms=True))
        got = gathered(one, two)
    assert (got.answered, got.unanswered) == ([one, two], {})
    wire = got.results.to_wire()
    assert wire["countsByTargetStatusCode"] == {"t": {200: 100, 0: 3}}
    assert wire["countsByHeaderValues"] == {"x": {"x1": 100}}
    assert wire["all"]["errors"] == {"broken": 3}
    assert wire["all"]["bytesReceived"] == 1000
    expected = results("t", fast + slow).to_wire()["targets"]["t"]["latency"]
    assert wire["targets"]["t"]["latency"] == expected, "percentiles of the whole, not of the parts"
    assert upstream.take(1)[0].target == "/client/results?histograms=y"


def test_results_of_the_original_have_no_latencies(upstream: Upstream):
    original = {
        "countsByStatus": {"200 OK": 2},
        "countsByTargetStatus": {"t": {"200 OK": 2}},
        "countsByTargetStatusCode": {"t": {"200": 2}},
        "countsByTargetHeaders": None,
        "countsByTargetHeaderValues": {"t": None},
    }
    got = gathered(answering(upstream, original))
    assert got.unanswered == {}
    assert got.results.to_wire()["countsByTargetStatusCode"] == {"t": {200: 2}}


def test_who_does_not_answer_is_named_and_delays_no_longer_than_his_time(upstream: Upstream, monkeypatch: Any):
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(module, "ANSWER_LIMIT", 1000)
    good = answering(upstream, results("t", [0.001]).to_wire())
    with Upstream() as hung, Upstream() as wrong, Upstream() as huge, Upstream() as down, Upstream() as list_, held() as event:
        hung.on("/client/results", Reply(hold=event))
        down.on("/client/results", Reply(503, b"down"))
        addresses = [f"127.0.0.1:{hung.port}", answering(wrong, b"hello"), answering(huge, b"x" * 1001)]
        addresses += [f"127.0.0.1:{down.port}", answering(list_, [1]), "127.0.0.1:1"]
        upstream.on("/client/results", Reply(body=msgspec.json.encode({"countsByTargetStatusCode": {"t": {"200": 1}}})))
        got = gathered(addresses[0], good, *addresses[1:])
    assert got.answered == [good]
    assert list(got.unanswered) == addresses
    assert [reason.partition(":")[0] for reason in got.unanswered.values()] == [
        "no answer within 300ms",
        "not client results",
        "answered with more than 1000 bytes",
        "answered 503",
        "not client results",
        "cannot connect to http",
    ]
    assert got.results.of("t").codes == {200: 1}


def test_without_peers_there_is_nothing():
    got = gathered()
    assert (got.answered, got.unanswered, got.results.targets) == ([], {}, {})
