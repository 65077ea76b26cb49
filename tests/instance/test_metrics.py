"""Metrics as a Prometheus server reads them, of real processes: they add up exactly, and counters never go down."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from support import ROOT
from support.client import Client, get
from support.goto_process import Goto
from support.ports import free_port
from support.scrape import Key, Scrape, scrape, scraped
from support.upstream import Reply, Upstream, held
from support.waiting import eventually

from goto.flow import Headers
from goto.instance.metrics import OPENMETRICS, TEXT, wants_openmetrics

Start = Callable[..., Goto]
EXCHANGES = "goto_exchanges_total"


@pytest.fixture
def process() -> Iterator[Goto]:
    with Goto("metered") as goto:
        yield goto


def exchanges(read: Scrape) -> dict[tuple[str, ...], float]:
    return read.by(EXCHANGES, "status", "outcome")


def proxy(goto: Goto, name: str, url: str, uri: str = "", **more: object) -> None:
    goto.api("POST", "/request/proxy/targets/add", {"name": name, "url": url, "match": {"uris": [uri or f"/{name}"]}, **more})


def gives_up(goto: Goto, path: str, seen: Callable[[], object]) -> None:
    """A client that leaves before its answer, once something was seen of it."""
    client = Client(goto.port)
    client.send(get(path))
    eventually(seen)
    client.close()


def test_exchanges_answered_here(process: Goto) -> None:
    for _ in range(5):
        assert process.call("GET", "/some/page").status == 200
    process.call("POST", "/echo", "body")
    process.call("GET", "/status/418")
    process.api("PUT", "/response/status/set/503:3")
    assert [process.call("GET", "/x").status for _ in range(4)] == [503, 503, 503, 200]
    process.api("PUT", "/request/uri/bypass/add?uri=/live")
    process.call("GET", "/live")
    read = scrape(process)
    assert exchanges(read) == {("200", "completed"): 7, ("418", "completed"): 1, ("503", "completed"): 3}
    assert read("goto_bypassed_exchanges_total", listener=str(process.port)) == 1
    assert read("goto_listener_info", label="metered", listener=str(process.port), protocol="http") == 1
    assert read("goto_listener_open") == 1


def test_delays_and_who_did_not_wait_for_them(process: Goto) -> None:
    process.api("PUT", "/response/delay/set/20ms:3")
    for _ in range(4):
        process.call("GET", "/late")
    read = scrape(process)
    assert read("goto_response_delay_seconds_count") == 3
    assert read("goto_response_delay_seconds_sum") > 0.05
    assert exchanges(read) == {("200", "completed"): 4}

    process.api("PUT", "/response/delay/set/1m")
    in_flight = "goto_exchanges_in_flight"
    gives_up(process, "/never", lambda: scrape(process)(in_flight) == 1)
    assert exchanges(scraped(process, lambda now: now(in_flight) == 0)) == {
        ("200", "completed"): 4,
        ("200", "client_gone"): 1,
    }
    assert scrape(process)("goto_response_delay_seconds_count") == 4


def test_what_waits_is_not_completed_yet(process: Goto) -> None:
    """Its status is counted before its delay, and how it ends is not known: no count may have to be taken back."""
    process.call("GET", "/")
    process.api("PUT", "/response/delay/set/1m")
    with Client(process.port) as client:
        client.send(get("/never"))
        # connections: this client's, and the one that asks; the one before may take a moment to end
        waiting = scraped(process, lambda now: now("goto_exchanges_in_flight") == 1 and now("goto_connections") == 2)
        assert process.call("GET", "/response/status/counts/200").json()["responseCount"] == 2
        assert exchanges(waiting) == {("200", "completed"): 1}
    assert exchanges(scraped(process, lambda now: now(EXCHANGES) == 2)) == {("200", "completed"): 1, ("200", "client_gone"): 1}


@pytest.mark.parametrize("tracked", [False, True], ids=["without a task", "in a task"])
def test_what_is_sent_on(process: Goto, upstream: Upstream, tracked: bool) -> None:
    if tracked:
        process.api("PUT", "/request/timeout/track/all")  # asks how exchanges end
    dead = free_port()
    proxy(process, "up", upstream.base)
    proxy(process, "pieces", upstream.base)
    proxy(process, "dead", f"http://127.0.0.1:{dead}")
    proxy(process, "drops", upstream.base)
    proxy(process, "half", upstream.base)
    proxy(process, "slow", upstream.base, requestTimeout="50ms")
    proxy(process, "held", upstream.base)
    upstream.on("/pieces", Reply(201, [b"a", b"b"]))
    upstream.on("/drops", Reply(verbatim=b""))
    upstream.on("/half", Reply(verbatim=b"HTTP/1.1 203 Half\r\nContent-Length: 10\r\n\r\nhello"))
    with held() as event:
        upstream.on("/slow", Reply(hold=event))
        upstream.on("/held", Reply(hold=event))
        for _ in range(3):
            assert process.call("GET", "/up").status == 200
        assert scrape(process).by("goto_upstream_connections", "state") == {("idle",): 1}
        assert process.call("GET", "/pieces").status == 201
        assert process.call("GET", "/dead").status == 502
        assert process.call("POST", "/drops", "x").status == 502
        assert process.call("GET", "/slow").status == 504
        with Client(process.port) as client:
            client.send(get("/half"))
            assert client.head()[0] == 203
            client.rest()
        before = len(upstream.received)
        gives_up(process, "/held", lambda: len(upstream.received) > before)
        read = scraped(process, lambda now: now(EXCHANGES) == 9)
    assert exchanges(read) == {
        ("200", "completed"): 3,
        ("201", "completed"): 1,
        ("203", "broke_off"): 1,
        ("502", "upstream_failed"): 2,
        ("504", "upstream_failed"): 1,
        ("0", "client_gone"): 1,
    }
    assert read.by("goto_upstream_latency_seconds_count", "target") == {("up",): 3, ("pieces",): 1, ("half",): 1}
    assert read("goto_upstream_latency_seconds_bucket", target="up", le="+Inf") == 3
    assert read("goto_upstream_latency_seconds_sum", target="up") > 0
    assert read.by("goto_upstream_failures_total", "target", "kind") == {
        ("dead", "connect"): 1,
        ("drops", "broken"): 1,
        ("half", "broken"): 1,
        ("slow", "timeout"): 1,
    }

    process.api("PUT", "/request/proxy/targets/up/remove")
    assert ("up",) not in scrape(process).by("goto_upstream_latency_seconds_count", "target")


def test_several_upstreams_and_manual_invocations_count_by_target(process: Goto, upstream: Upstream) -> None:
    proxy(process, "a", upstream.base, "/both", replicas=2)
    proxy(process, "b", f"http://127.0.0.1:{free_port()}", "/both")
    assert process.call("GET", "/both").status == 208
    process.call("POST", "/request/proxy/targets/a/invoke")
    read = scrape(process)
    assert exchanges(read) == {("208", "completed"): 1}
    assert read.by("goto_upstream_latency_seconds_count", "target") == {("a",): 4}
    assert read.by("goto_upstream_failures_total", "target", "kind") == {("b", "connect"): 1}


def test_the_client(process: Goto, upstream: Upstream) -> None:
    upstream.on("/load", Reply(206, b"12345"))
    for name, url in ("load", f"{upstream.base}/load"), ("dead", f"http://127.0.0.1:{free_port()}/"):
        process.api("POST", "/client/targets/add", {"name": name, "method": "GET", "url": url, "requestCount": 7})

    def run(times: int) -> Scrape:
        process.api("POST", "/client/targets/invoke/all")
        return scraped(process, lambda now: now("goto_client_requests_total") == 14 * times)

    def check(read: Scrape, times: int) -> None:
        by = read.by("goto_client_requests_total", "target", "status")
        assert by == {("load", "206"): 7 * times, ("dead", "0"): 7 * times}
        assert read.by("goto_client_errors_total", "target", "kind") == {("dead", "connect"): 7 * times}
        assert read("goto_client_received_bytes_total", target="load") == 35 * times
        assert read("goto_client_sent_bytes_total", target="load") > 7 * times * 40

    check(run(1), 1)
    process.api("POST", "/client/results/clear")
    assert process.call("GET", "/client/results").json()["countsByStatusCodes"] == {}
    check(scrape(process), 1)
    check(run(2), 2)
    eventually(lambda: scrape(process)("goto_client_running_targets") == 0)


def test_pushes_of_a_registry() -> None:
    local = {"POD_IP": "127.0.0.1"}
    with Goto("registry") as registry, Goto("web", "--registry", registry.base, env=local) as worker:
        scraped(registry, lambda now: now("goto_registry_peers") == 1)
        address, gone = f"127.0.0.1:{worker.port}", f"127.0.0.1:{free_port()}"
        for name in ("one", "two"):
            target = {"name": name, "method": "GET", "url": "http://127.0.0.1:9/"}
            registry.api("POST", "/registry/peers/web/targets/add", target)
        registry.api("PUT", "/registry/peers/web/targets/one/remove")
        registry.api("POST", "/registry/peers/add", {"name": "web", "address": gone})
        registry.api("PUT", "/registry/peers/web/targets/two/remove")

        def made(now: Scrape) -> bool:
            failed = now("goto_registry_pushes_total", address=gone, outcome="failed")
            return failed >= 1 and now("goto_registry_pushes_total", address=address) >= 4

        read = scraped(registry, made)
        pushes = read.by("goto_registry_pushes_total", "peer", "address", "outcome")
        assert pushes.pop(("web", gone, "failed")) >= 1
        assert pushes == {("web", address, "taken"): 4}
        assert read("goto_registry_pushes_waiting") == 1
        assert read("goto_registry_peers") == 2


def test_what_is_refused_and_what_overflows(upstream: Upstream) -> None:
    with Goto("trouble", "--limit", "head=2KiB", "--limit", "body=10B") as goto:
        assert goto.raw(b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400")
        assert goto.raw(get("/", f"X: {'x' * 3000}")).startswith(b"HTTP/1.1 431")
        proxy(goto, "a", upstream.base, "/two", replicas=2)
        assert goto.call("POST", "/two", "more than ten").status == 413
        read = scrape(goto)
        assert read.by("goto_refused_requests_total", "status") == {("400",): 1, ("431",): 1}
        assert read.by("goto_limit_hits_total", "limit") == {("head",): 1, ("body",): 1}
        goto.api("PUT", "/request/headers/track/add/user")
        for length in (1024, 1025, 1025):
            goto.call("GET", "/", headers={"user": "u" * length})
        assert scrape(goto)("goto_overflowed_values_total") == 2
        assert "uuuu" not in goto.call("GET", "/goto/metrics").text


TIDY = """
import asyncio, os
from goto.feature import Feature

class Tidy(Feature):
    async def response(self, flow):
        if flow.request.path == "/tidy":
            try:
                await flow.sleep(60)
            finally:
                open("%(folder)s/left", "w").close()
                while not os.path.exists("%(folder)s/over"):
                    await asyncio.sleep(0.01)
"""


def test_an_exchange_may_last_longer_than_its_connection(tmp_path: Path) -> None:
    (tmp_path / "tidy.py").write_text(TIDY % {"folder": tmp_path})
    with Goto("tidy", "--feature", str(tmp_path / "tidy.py")) as goto:
        with Client(goto.port) as client:
            client.send(get("/tidy"))
            scraped(goto, lambda now: now("goto_exchanges_in_flight") == 1)
        eventually((tmp_path / "left").exists)
        gone = scrape(goto)
        assert gone("goto_exchanges_in_flight") == 1
        assert exchanges(gone) == {}
        (tmp_path / "over").touch()
        read = scraped(goto, lambda now: now("goto_exchanges_in_flight") == 0)
        assert exchanges(read) == {("0", "client_gone"): 1}
        scraped(goto, lambda now: now("goto_connections") == 1)  # the scrape's own; the one before may take a moment to end


BROKEN = """
from goto.feature import Feature

class Broken(Feature):
    def request(self, flow):
        if flow.request.path == "/bad":
            raise ValueError("no")
"""


BROKEN_MEASURES = """
from goto.feature import Feature, measure

class Wrong(Feature):
    @measure("wrong_raises", "counter")
    def raises(self):
        "It raises."
        raise ValueError("no")

    @measure("wrong_text", "gauge", labels=["a"])
    def text(self):
        "It is no number."
        return {"x": "y"}

    @measure("wrong_right", "gauge", labels=["a"])
    def right(self):
        "It is a number."
        return {"x": 7, 'quoted " and \\\\': 8}
"""


def test_measures_that_raise_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(BROKEN_MEASURES)
    with Goto("measures", "--feature", str(tmp_path / "wrong.py"), expect_errors=True) as goto:
        for scrapes in (1, 2):
            read = scrape(goto)
            assert read.by("goto_hook_errors_total", "hook") == {("Wrong.raises",): scrapes, ("Wrong.text",): scrapes}
            assert read.by("wrong_right", "listener", "a") == {
                (str(goto.port), "x"): 7,
                (str(goto.port), 'quoted " and \\'): 8,
            }
            assert read.families["wrong_raises"].samples == read.families["wrong_text"].samples == []
        assert "wrong_text is a gauge, which 'y' is not" in goto.log


def test_hooks_that_raise(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    with Goto("hooks", "--feature", str(tmp_path / "broken.py"), expect_errors=True) as goto:
        assert [goto.call("GET", path).status for path in ("/bad", "/good", "/bad")] == [500, 200, 500]
        read = scrape(goto)
        assert read.by("goto_hook_errors_total", "hook") == {("Broken.request",): 2}
        assert exchanges(read) == {("500", "completed"): 2, ("200", "completed"): 1}


def test_counters_never_go_down(process: Goto, upstream: Upstream) -> None:
    proxy(process, "up", upstream.base)
    before: dict[object, float] = {}

    def check() -> None:
        nonlocal before
        now = scrape(process).counters
        assert {key: (value, now.get(key)) for key, value in before.items() if now.get(key, -1) < value} == {}
        before = dict(now)

    steps: list[Callable[[], object]] = [
        lambda: process.call("GET", "/up"),
        lambda: process.call("GET", "/status/300"),
        lambda: process.api("PUT", "/response/status/counts/clear"),
        lambda: process.api("POST", "/request/headers/track/clear"),
        lambda: process.api("POST", "/client/results/clear"),
        lambda: process.api("PUT", "/response/delay/set/1m:1"),
        lambda: gives_up(process, "/up", lambda: scrape(process)("goto_exchanges_in_flight") == 1),
        lambda: process.api("PUT", "/response/delay/clear"),
        lambda: process.api("PUT", "/request/uri/bypass/clear"),
        lambda: process.api("POST", "/request/timeout/track/clear"),
        lambda: proxy(process, "up", upstream.base, "/other"),  # replaced
        lambda: process.api("PUT", "/label/set/other"),
    ]
    for _ in range(2):
        for step in steps:
            step()
            check()
    read = scraped(process, lambda now: now(EXCHANGES, outcome="client_gone") == 2)
    assert read(EXCHANGES, status="300") == 2


@pytest.mark.parametrize("tracked", [False, True], ids=["delayed", "sent on too"])
def test_scrapes_between_clients_that_leave(process: Goto, upstream: Upstream, tracked: bool) -> None:
    """Whenever it is read: no exchange is taken for completed whose client has left."""
    if tracked:
        proxy(process, "up", upstream.base, "/page")
    process.api("PUT", "/response/delay/set/1m")
    over: dict[Key, float] = {}
    for turn in range(1, 21):
        clients = [Client(process.port) for _ in range(10)]
        for client in clients:
            client.send(get("/page"))
        scraped(process, lambda now: now("goto_exchanges_in_flight") == 10)
        for client in clients:
            client.close()
        while sum(over.values()) < 10 * turn:
            read = scrape(process)
            assert read(EXCHANGES, outcome="completed") == 0
            now = {key: value for key, value in read.counters.items() if key[0] == EXCHANGES}
            assert {key for key, value in over.items() if now[key] < value} == set()
            over = now
    assert exchanges(scrape(process)).keys() <= {("200", "client_gone"), ("0", "client_gone")}


def test_labels_are_bounded(process: Goto) -> None:
    """Whatever clients send, no new series comes of it but for a status."""
    process.api("PUT", "/request/headers/track/add/user")
    process.api("PUT", "/request/timeout/track/headers/user")
    process.call("GET", "/")
    process.api("GET", "/goto/limits")

    def series() -> set[object]:
        return {(one.name, frozenset(one.labels.items())) for one in scrape(process).samples}

    before = series()
    for number in range(50):
        process.call("PATCH", f"/path/{number}?q={number}", headers={"user": f"u{number}", "Host": f"h{number}"})
    assert series() == before


def test_targets_past_the_limit_are_counted_together(process: Goto, upstream: Upstream) -> None:
    targets = "".join(f"    - {{name: t{n}, url: '{upstream.base}', match: {{uris: [/t{n}]}}}}\n" for n in range(203))
    process.api("POST", "/goto/config", f"request:\n  proxy:\n    targets:\n{targets}")
    for number in (0, 199, 200, 202):
        assert process.call("GET", f"/t{number}").status == 200
    read = scrape(process)
    counts = read.by("goto_upstream_latency_seconds_count", "target")
    assert counts == {("t0",): 1, ("t199",): 1, ("_other",): 2}
    assert read("goto_proxy_grouped_targets") == 3


def test_the_process(process: Goto) -> None:
    read = scrape(process)
    assert read("goto_info", host="standalone") == 1
    assert read("process_resident_memory_bytes") > 1e7
    assert read("process_open_fds") > 5
    assert read("python_info") == 1
    assert read("goto_event_loop_tasks") >= 1
    assert read.families["goto_event_loop_lag_seconds"].type == "gauge"


def test_whether_others_may_manage_it(process: Goto) -> None:
    assert scrape(process)("goto_open_to_others") == 1  # it listens everywhere
    for how in ({"env": {"GOTO_ADMIN_TOKEN": "s3cr3t"}}, {}):
        with Goto("apart", *(("--host", "127.0.0.1") if not how else ()), "--quiet", **how) as apart:
            text = apart.call("GET", "/goto/metrics", headers={"Authorization": "Bearer s3cr3t"}).text
            assert "goto_open_to_others 0.0" in text


def test_openmetrics(process: Goto) -> None:
    process.call("GET", "/")
    answer = process.call(
        "GET", "/goto/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    )
    assert answer.value("content-type") == OPENMETRICS
    families = {family.name: family for family in openmetrics(answer.text)}
    assert [one.value for one in families["goto_exchanges"].samples] == [1]
    assert families["goto_upstream_latency_seconds"].type == "histogram"
    text = {name for name in scrape(process).families if name.startswith("goto_")}
    assert {name for name in families if name.startswith("goto_")} == text - {"goto_info", "goto_listener_info"} | {
        "goto_listener"
    }
    assert families["goto"].type == families["goto_listener"].type == "info"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/json", False),
        ("application/openmetrics-text", True),
        ("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8", True),
        ("application/openmetrics-text; version=nonsense", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=x", False),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.9", False),
        ("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", True),
    ],
)
def test_which_format(accept: str, wanted: bool) -> None:
    assert wants_openmetrics(Headers([(b"Accept", accept.encode())] if accept else [])) is wanted


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs curl and bash")
def test_the_examples_of_the_page(process: Goto) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    (config,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    (job,) = yaml.safe_load(config)["scrape_configs"]
    assert process.call("GET", job["metrics_path"]).value("content-type") == TEXT
    process.call("GET", "/")
    (command,) = re.findall(r"```sh\n(.*?)\n```", page, re.S)
    ran = subprocess.run(
        ["bash", "-c", command.replace("8080", str(process.port))], capture_output=True, text=True, timeout=60, check=True
    )
    assert f'goto_exchanges_total{{listener="{process.port}",outcome="completed",status="200"}} 1.0' in ran.stdout.splitlines()


def test_every_metric_is_documented_and_the_other_way_round(process: Goto) -> None:
    rows = re.findall(r"^\| `(goto_\w+)` \| (\w+) \|([^|]*)\|", (ROOT / "docs" / "metrics.md").read_text(), re.M)
    documented = {(name, kind, tuple(sorted(re.findall(r"`(\w+)`", labels)))) for name, kind, labels in rows}
    text = process.call("GET", "/goto/metrics").text
    kinds = dict(re.findall(r"^# TYPE (goto_\w+) (\w+)$", text, re.M))
    assert {name: kind for name, kind, _ in documented} == kinds
    assert all(re.search(rf"^# HELP {name} [A-Z].*\.$", text, re.M) for name in kinds)
    shown: dict[str, set[tuple[str, ...]]] = {}
    for name, labels in re.findall(r"^(goto_\w+)(?:\{(.*)\})? ", text, re.M):
        name = next(base for base in (name, re.sub(r"_(count|sum|bucket)$", "", name)) if base in kinds)
        shown.setdefault(name, set()).add(tuple(sorted({*re.findall(r'(\w+)="', labels)} - {"le"})))
    for name, _, labels in documented:
        assert shown.get(name, {labels}) == {labels}, name


def test_a_head_request_and_the_default(process: Goto) -> None:
    head = process.call("HEAD", "/goto/metrics")
    assert (head.status, head.body, head.value("content-type"), head.value("vary")) == (200, b"", TEXT, "Accept")
