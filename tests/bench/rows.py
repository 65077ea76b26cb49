"""What is measured, row by row, and what is demanded of it."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

from support.waiting import eventually

from bench.latency import latencies
from bench.load import CHUNKED, DISTINCT, MISSED, PIPELINED, POSTED, goto_client, hey, script, wrk, wrk_command, wrk_late
from bench.loads import all_to, echoing, proxying, sending
from bench.measure import Limit, Plan, Ratio, Row, Side, Start
from bench.process import megabytes, starts
from bench.servers import LARGE, answering, mitmdump, passing, serving

Sides = tuple[Side, Side]

HELD = 500
"""Connections whose answers are delayed."""


def serve(start: Start) -> Sides:
    return echoing(start).side, wrk(answering(start).base, lua=script(start, DISTINCT))


def post(start: Start) -> Sides:
    posted = script(start, POSTED)
    return wrk(serving(start).base, lua=posted), wrk(answering(start).base, lua=posted)


def beside_get(lua: str) -> Callable[[Start], Sides]:
    """Requests of a script, beside lone ones without a body to the same goto."""

    def sides(start: Start) -> Sides:
        goto = serving(start)
        return wrk(goto.base, lua=script(start, lua)), wrk(goto.base)

    return sides


def connect(start: Start) -> Sides:
    closing = "Connection: close"
    return wrk(serving(start).base, closing), wrk(answering(start).base, closing)


def tracked(start: Start) -> Sides:
    watching, plain = serving(start), serving(start)
    watching.api("PUT", "/request/timeout/track/all")
    return wrk(watching.base), wrk(plain.base)


def tracked_proxy(start: Start) -> Sides:
    upstream = answering(start)
    watching, plain = (serving(start, targets=[all_to(upstream)]) for _ in range(2))
    watching.api("PUT", "/request/timeout/track/all")
    return wrk(watching.base), wrk(plain.base)


def delay(start: Start) -> Sides:
    held, plain = serving(start), serving(start)
    held.api("PUT", "/response/delay/set/10ms")
    get = wrk(plain.base, connections=HELD)
    # so many answers a second are possible at all
    return wrk(held.base, connections=HELD), lambda seconds: min(get(seconds), HELD / 0.01)


def delay_late(start: Start, plan: Plan) -> float:
    goto = serving(start)
    goto.api("PUT", "/response/delay/set/10ms")
    late = wrk_late(goto.base, HELD)
    return median(late(plan.seconds) for _ in range(plan.rounds)) - 10


def thousand(start: Start) -> Sides:
    return wrk(serving(start).base, connections=1000), wrk(answering(start).base, connections=1000)


def tail(start: Start, plan: Plan) -> float:
    own, other = wrk_late(serving(start).base, 1000), wrk_late(answering(start).base, 1000)
    rounds = [(own(plan.seconds), other(plan.seconds)) for _ in range(plan.rounds)]
    owns, others = zip(*rounds, strict=True)
    return median(owns) / median(others)


def https(start: Start) -> Sides:
    return wrk(serving(start, "--protocol", "https").base.replace("http:", "https:")), wrk(answering(start, tls=True).base)


def manage(start: Start) -> Sides:
    goto = serving(start)
    return wrk(goto.base, path="/label"), wrk(goto.base)


def proxy_post(start: Start) -> Sides:
    upstream, posted = answering(start), script(start, POSTED)
    goto, nginx = serving(start, targets=[all_to(upstream)]), passing(start, upstream)
    return wrk(goto.base, lua=posted), wrk(nginx.base, lua=posted)


def proxy(start: Start) -> Sides:
    upstream = answering(start)
    return proxying(start, upstream).side, wrk(passing(start, upstream).base)


def large(start: Start) -> Sides:
    upstream = answering(start)
    goto, nginx = serving(start, targets=[all_to(upstream)]), passing(start, upstream)
    return wrk(goto.base, path=LARGE, connections=8), wrk(nginx.base, path=LARGE, connections=8)


def client(start: Start) -> Sides:
    server = answering(start)
    return sending(start, server).side, hey(server.base)


def checks(start: Start) -> Sides:
    """Each answer is looked into, beside none is."""
    server = answering(start)
    judged = ["status=2xx", "body!~error", "size<1MiB"]
    return goto_client(serving(start), server.base, checks=judged), goto_client(serving(start), server.base)


def targets(start: Start) -> Sides:
    path, *fields = MISSED
    return (
        wrk(serving(start, targets=_others(2000)).base, *fields, path=path),
        wrk(serving(start).base, *fields, path=path),
    )


def missed(start: Start) -> Sides:
    """Rules for a path much like that of each request, with a header, a parameter or a method besides."""
    path, *fields = MISSED
    ruled = serving(start)
    criteria: tuple[Callable[[int], dict[str, Any]], ...] = (
        lambda n: {"headers": [["user", f"user-{n}"]]},
        lambda n: {"query": [["page", f"p{n}"]]},
        lambda n: {"methods": ["POST"], "headers": [["user"], ["x", f"{n}"]]},
    )
    for n in range(1000):
        when = {"uris": ["/shop/{shop}/items/{item}"], **criteria[n % len(criteria)](n)}
        ruled.api("POST", "/response/rules/add", {"name": f"r{n}", "when": when, "status": 503})
    return wrk(ruled.base, *fields, path=path), wrk(serving(start).base, *fields, path=path)


def ruled(**fields: Any) -> Callable[[Start], Sides]:
    """One rule for all traffic, beside none."""

    def sides(start: Start) -> Sides:
        goto = serving(start)
        goto.api("POST", "/response/rules/add", {"name": "all", **fields})
        return wrk(goto.base), wrk(serving(start).base)

    return sides


def journal(start: Start) -> Sides:
    keeping, plain = serving(start), serving(start)
    keeping.api("POST", "/goto/config", {"journal": {"bodies": "0B"}})
    return wrk(keeping.base), wrk(plain.base)


def watched(start: Start) -> Sides:
    """Watched four times a second while the load is on, beside the journal alone."""
    keeping, plain = serving(start), serving(start)
    for goto in (keeping, plain):
        goto.api("POST", "/goto/config", {"journal": {"bodies": "0B"}})
    load = wrk(keeping.base)

    def side(seconds: int) -> float:
        over = threading.Event()

        def watch() -> None:
            cursor = ""
            while not over.wait(0.25):
                cursor = keeping.api("GET", f"/goto/watch?journal=y&since={cursor}").json()["cursor"]

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            return load(seconds)
        finally:
            over.set()
            watcher.join()

    return side, wrk(plain.base)


def addon(start: Start) -> Sides:
    upstream = answering(start)
    return wrk(mitmdump(start, upstream, addon=True)), wrk(mitmdump(start, upstream, addon=False))


def tls(start: Start) -> Sides:
    upstream = answering(start, tls=True)
    return proxying(start, upstream).side, wrk(passing(start, upstream).base)


def first_answer(start: Start, plan: Plan) -> float:
    return median(started.seconds for started in starts(plan.rounds))


def idle_memory(start: Start, plan: Plan) -> float:
    return median(started.megabytes for started in starts(plan.rounds))


def earliest(start: Start, plan: Plan) -> float:
    return min(_delayed(start, plan))


def latest(start: Start, plan: Plan) -> float:
    return quantiles(_delayed(start, plan), n=100)[-1] - 50


def growth(start: Start, plan: Plan) -> float:
    """Megabytes of memory between 100,000 and 1,000,000 exchanges."""
    goto = serving(start, tracked="user,x-request")
    load = subprocess.Popen(wrk_command(goto.base, 600, lua=script(start, DISTINCT)), stdout=subprocess.DEVNULL)
    seen = []
    try:
        for exchanges in (100_000, 1_000_000):
            eventually(lambda: _answered(goto), lambda there, enough=exchanges: there >= enough, 300)
            seen.append(megabytes(goto.process.pid))
    finally:
        load.send_signal(signal.SIGINT)
        load.wait()
    return seen[1] - seen[0]


ROWS: tuple[Row, ...] = (
    Ratio("serve", "echo; two headers tracked, access log", "nginx `return 200`", serve, 0.33, 0.45),
    Ratio("proxy", "one target, small bodies", "nginx `proxy_pass`, keep-alive", proxy, 0.55, 0.80),
    Ratio("post", "echo; bodies of 1 KiB", "nginx `return 200`", post, 0.30, 0.45),
    Ratio("post-get", "echo; bodies of 1 KiB", "the same without a body", beside_get(POSTED), 0.75, 0.90),
    Ratio("chunked", "echo; bodies of 1 KiB in chunks", "the same without a body", beside_get(CHUNKED), 0.50, 0.75),
    Ratio("pipelined", "echo; sixteen requests at a time", "one at a time", beside_get(PIPELINED), 1.2, 2.0),
    Ratio("connect", "echo; a connection for each request", "nginx `return 200`", connect, 0.45, 0.60),
    Ratio("thousand", "echo; 1,000 connections", "nginx `return 200`", thousand, 0.60, 0.75),
    Limit("tail", "the same: 99 % of answers, in times of nginx's", tail, "×", 3, 2, digits=1),
    Ratio("tracked", "echo; timeouts tracked", "the same untracked", tracked, 0.75, 0.95),
    Ratio("tracked-proxy", "one target, small bodies; timeouts tracked", "the same untracked", tracked_proxy, 0.75, 0.95),
    Ratio("delay", "echo; a delay of 10 ms, 500 connections", "50,000/s, or no delay if that is less", delay, 0.60, 0.80),
    Limit("delay-late", "the same: how late 99 % of answers are at most", delay_late, "ms", 20, 10, digits=1),
    Ratio("https", "echo over TLS", "nginx `return 200` over TLS", https, 0.30, 0.50),
    Ratio("manage", "a management call, `GET /label`", "echo", manage, 0.40, 0.60),
    Ratio("proxy-post", "one target, bodies of 1 KiB", "nginx `proxy_pass`, keep-alive", proxy_post, 0.45, 0.70),
    Ratio("large", "one target, bodies of 1 MiB, 8 connections", "nginx `proxy_pass`, keep-alive", large, 0.80, 1.0),
    Ratio("client", "32 replicas, an id in each request", "hey, 32 connections", client, 1.5, 2.5),
    Ratio("checks", "the same; three checks of each answer, one of its body", "the same without", checks, 0.8, 0.9),
    Ratio("targets", "echo; 2,000 targets that do not match", "no target", targets, 0.85, 0.95),
    Ratio("rules", "echo; 1,000 rules that do not fit", "no rule", missed, 0.90, 0.95),
    Ratio("rule-chance", "echo; a rule: one of ten is answered 203", "no rule", ruled(probability=0.1, status=203), 0.50, 0.80),
    Ratio("rule-json", "a rule: all are answered with JSON", "echo", ruled(json={"a": 1, "b": ["x", "y"]}), 0.80, 1.0),
    Ratio("journal", "echo; journal on, heads alone", "journal off", journal, 0.60, 0.70),
    Ratio("watched", "the same, watched four times a second", "not watched", watched, 0.95, 1.0),
    Ratio("addon", "mitmdump with goto idle in it", "mitmdump without", addon, 1.0, 1.5),
    Ratio("tls", "one target that speaks TLS, small bodies", "nginx `proxy_pass` to the same", tls),
    Limit("start", "from exec to the first answer", first_answer, "s", 0.6, 0.4, digits=2),
    Limit("idle", "resident memory when idle", idle_memory, "MB", 60, 45, digits=1),
    Limit("early", "a delay of 50 ms, 100 connections: shortest answer", earliest, "ms", 50, 50, least=True, digits=2),
    Limit("late", "the same: how late 99 % of answers are at most", latest, "ms", 15, 5, digits=1),
    Limit("memory", "growth from 100,000 to 1,000,000 distinct exchanges", growth, "MB", 20, 20, digits=1),
)


def _others(count: int) -> list[dict[str, Any]]:
    """Targets for the path, the headers and the parameters that `MISSED` has, with other values: all have to be looked up."""
    criteria = (
        lambda n: {"uris": [f"/shop/{{shop}}/items/{n}"]},
        lambda n: {"headers": [["user", f"user-{n}"]]},
        lambda n: {"query": [["page", f"p{n}"]]},
    )
    return [{"name": f"t{n}", "url": "http://127.0.0.1:9", "match": criteria[n % len(criteria)](n)} for n in range(count)]


def _delayed(start: Start, plan: Plan) -> list[float]:
    goto = serving(start)
    goto.api("PUT", "/response/delay/set/50ms")
    return latencies(goto.port, 100, plan.rounds * plan.seconds)


def _answered(goto: Any) -> int:
    counts: dict[str, int] = goto.api("GET", "/response/status/counts").json()["countsByReportedStatus"]
    return sum(counts.values())
