"""The examples that come with goto are started and do what they say. The test takes other ports than they do."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT
from support.calls import call
from support.goto_process import Goto
from support.ports import free_port
from support.upstream import Upstream
from support.waiting import eventually

CONFIGS = ROOT / "configs"


class Example:
    """A file of configs/ with ports of its own."""

    def __init__(self, folder: Path, name: str, ports: dict[str, int] | None = None) -> None:
        self.ports = dict(ports or {})
        text = (CONFIGS / name).read_text()
        for port in sorted(set(re.findall(r"\b(?:808\d|9000)\b", re.sub(r"^#.*$", "", text, flags=re.M)))):
            self.ports.setdefault(port, free_port())
        for port, free in self.ports.items():
            text = re.sub(rf"\b{port}\b", str(free), text)
        self.file = folder / name
        self.file.write_text(text)


@pytest.fixture
def start(goto: Callable[..., Goto], tmp_path: Path) -> Callable[..., tuple[Goto, dict[str, int]]]:
    def run(name: str, *args: str, ports: dict[str, int] | None = None) -> tuple[Goto, dict[str, int]]:
        example = Example(tmp_path, name, ports)
        own = example.ports.get("9000" if name == "worker.yaml" else "8080")
        return goto(None, "--config", str(example.file), *args, port=own), example.ports

    return run


Start = Callable[..., tuple[Goto, dict[str, int]]]


def test_every_example_says_how_to_run_it_and_is_tested():
    names = sorted(file.name for file in CONFIGS.glob("*.yaml"))
    tested = Path(__file__).read_text() + (ROOT / "tests" / "instance" / "test_plugins.py").read_text()
    for name in names:
        comment = (CONFIGS / name).read_text().split("\n\n")[0]
        assert comment.startswith("# ")
        assert f"configs/{name}" in comment, f"{name} does not say how to run it"
        assert f'"{name}"' in tested, f"{name} has no test"


def test_a_failing_service(start: Start):
    front, _ = start("failing-service.yaml")
    answers = [front.call("GET", "/my/api") for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 503, 200]
    assert sorted(answers[2].values("via-goto")) == ["front", "service"]


def test_counting(start: Start):
    server, ports = start("counting.yaml")
    call(ports["8081"], "GET", "/some/page", headers={"user": "ann", "version": "v1"})
    call(ports["8082"], "GET", "/status/404", headers={"user": "ben", "version": "v2"})
    call(ports["8082"], "GET", "/live", headers={"user": "kubelet"})
    for port, user in ((ports["8081"], "ann"), (ports["8082"], "ben")):
        counts = call(port, "GET", "/request/headers/track/counts").json()
        assert counts["user"]["RequestCountsByHeaderValue"] == {user: 1}
    assert server.call("GET", "/request/headers/track/counts").json() == {}


def test_timeouts(start: Start):
    server, _ = start("timeouts.yaml")
    with pytest.raises(TimeoutError):
        server.call("GET", "/slow", headers={"client": "impatient"}, timeout=0.5)
    answer = server.call("GET", "/slow", headers={"client": "patient"})
    assert answer.took >= 2
    report = eventually(
        lambda: server.call("GET", "/request/timeout/status").json(), lambda report: sum(report["all"].values()) == 2
    )
    assert report["headers"]["client"] == {
        "impatient": {"ConnectionClosed": 1, "RequestCompleted": 0},
        "patient": {"ConnectionClosed": 0, "RequestCompleted": 1},
    }


def test_load(start: Start):
    server, _ = start("load.yaml")

    def results() -> dict[str, dict[str, dict[str, int]]]:
        found: dict[str, dict[str, dict[str, int]]] = server.call("GET", "/client/results").json()
        return found

    done = eventually(results, lambda found: sum(map(int, found["targetInvocationCounts"].values())) == 250)
    assert done["countsByTargetStatusCode"] == {"orders": {"502": 20, "200": 180}, "stock": {"200": 50}}
    assert done["countsByHeaderValues"]["via-goto"] == {"orders": 200, "stock": 50}


def test_registry_and_worker(start: Start):
    registry, ports = start("registry.yaml")
    ports = {"8080": registry.port, "9000": free_port()}
    worker, _ = start("worker.yaml", ports=ports)
    counts = eventually(
        lambda: worker.call("GET", "/client/results").json()["targetInvocationCounts"], lambda counts: counts.get("ping") == 20
    )
    assert counts == {"ping": 20}
    assert [peer["name"] for peer in registry.call("GET", "/registry/peers").json()] == ["web"]
    # what came from a registry is not the worker's own configuration
    assert worker.call("GET", "/goto/config").text == "label: web\n"
    worker.stop()
    assert registry.call("GET", "/registry/peers").json() == []


def test_ci(start: Start):
    server, ports = start("ci.yaml")
    before = server.call("GET", "/goto/config").body
    assert [call(ports["8082"], "POST", "/mail", headers={"test": "one"}).status for _ in range(2)] == [503, 200]
    server.api("PUT", "/response/delay/set/1m")
    server.call("POST", "/goto/config?replace=y", before)
    assert server.call("GET", "/goto/config").body == before
    assert call(ports["8082"], "POST", "/mail").status == 503
    paid = call(ports["8081"], "POST", "/payments")
    assert (paid.status, paid.value("content-language")) == (200, "en")
    assert paid.took >= 0.02
    assert server.call("GET", "/healthz").status == 200


def test_flaky(start: Start):
    server, _ = start("flaky.yaml", "--feature", str(CONFIGS / "features" / "flaky.py"))
    assert [server.call("GET", "/").status for _ in range(3)] == [200, 200, 502]


def test_a_file_that_is_edited_while_it_is_served(start: Start, tmp_path: Path):
    server, ports = start("ci.yaml", "--watch")
    file = tmp_path / "ci.yaml"
    text = file.read_text()
    assert call(ports["8082"], "POST", "/mail").status == 503
    server.api("PUT", "/request/headers/track/add/by-api")
    file.write_text(text.replace("label: ci", "label: [").replace("delay: 20ms", "delay: 2x"))
    eventually(lambda: "not applied, the configuration stays as it is" in server.log)
    assert server.call("GET", "/label").text == "Label: ci\n"
    (tmp_path / "new").write_text(text.replace("label: payments", "label: bank"))
    (tmp_path / "new").rename(file)
    eventually(lambda: call(ports["8081"], "GET", "/label").text, lambda label: label == "Label: bank\n")
    # what the difference does not touch stays: the count that ran out, and what was set by API
    assert call(ports["8082"], "POST", "/mail").status == 200
    assert server.call("GET", "/request/headers/track").json() == ["test", "by-api"]

    def lines() -> list[str]:
        return [line for line in server.log.splitlines() if "applied" in line and line.startswith("goto: ")]

    eventually(lines, lambda said: len(said) >= 2)
    assert len(lines()) == 2


def test_paths_of_httpbin(start: Start):
    server, _ = start("httpbin.yaml")
    assert server.call("GET", "/status/418").status == 418
    assert server.call("GET", "/bytes/20").body == b"0123456789abcdef0123"
    assert server.call("GET", "/delay/0.05").took >= 0.05
    drip = server.call("GET", "/drip/10/0.05")
    assert (drip.body, drip.took >= 0.05) == (b"0123456789", True)
    assert server.call("GET", "/json").json()["slideshow"]["title"] == "Sample"
    assert server.call("GET", "/base64").text == "hello, world!\n"
    moved = server.call("GET", "/redirect-to?url=/here%3Fa=b")
    assert (moved.status, moved.value("location")) == (302, "/here?a=b")
    assert server.call("GET", "/cookies/set/a/b").value("set-cookie") == "a=b; Path=/"
    assert server.call("GET", "/redirect/3").value("location") == "/get"
    assert server.call("GET", "/stream/3").text.splitlines() == [f'{{"id": {n}}}' for n in range(3)]
    refused = server.call("GET", "/basic-auth/user/passwd")
    assert (refused.status, refused.value("www-authenticate")) == (401, 'Basic realm="Fake Realm"')
    known = server.call("GET", "/basic-auth/user/passwd", headers={"Authorization": "Basic dXNlcjpwYXNzd2Q="})
    assert (known.status, known.json()) == (200, {"authenticated": True, "user": "user"})


def test_chaos(start: Start, upstream: Upstream):
    server, _ = start("chaos.yaml", ports={"8081": upstream.port})
    server.api("PUT", "/response/rules/slow/disable")  # it is tested elsewhere that a delay is one
    plan = server.api("GET", "/response/rules/weather/plan?from=0&count=1000").json()
    assert 20 < sum(line["strikes"] for line in plan) < 80
    assert {line["outcome"] for line in plan if line["strikes"]} == {0, 1, 2, 3}
    server.api("PUT", "/response/rules/weather/disable")
    tries = [status_of(server, "/x?id=7", {"X-Test": "retries"}) for _ in range(3)]
    assert tries == [503, 0, 200]
    assert server.call("GET", "/healthz").value("goto-rule") is None


def status_of(server: Goto, path: str, headers: dict[str, str]) -> int:
    """The status of an answer, 0 where there is none."""
    try:
        return server.call("GET", path, headers=headers).status
    except (OSError, http.client.HTTPException):
        return 0
