"""From start to end: the start line, signals, exchanges in flight."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from support import ROOT
from support.client import Client, get
from support.goto_process import Goto
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually

from goto import __version__

ENDING = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


def test_the_start_line_says_where_who_and_how() -> None:
    with Goto("edge 1") as process:
        line, *_ = eventually(lambda: process.log.splitlines())
    url = f"http://localhost:{process.port}"
    assert line == f"goto {__version__} serves {url} as edge 1; its API: curl {url}/goto/help; its page there: /goto/ui"


def started(*words: str) -> tuple[str, int]:
    """The start line of a goto with these options, and its exit status after SIGTERM."""
    process = subprocess.Popen([sys.executable, "-m", "goto", *words], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    line = process.stdout.readline()
    process.terminate()
    process.communicate(timeout=PATIENCE)
    return line, process.returncode


def test_ports_that_the_system_chooses_are_said() -> None:
    line, status = started("--port", "0", "--admin-port", "0", "--host", "127.0.0.1")
    url = r"http://127\.0\.0\.1:(\d+)"
    found = re.fullmatch(
        rf"goto \S+ serves {url} as (\d+); its API: curl {url}/goto/help, and on port (\d+); its page there: /goto/ui\n", line
    )
    assert found, line
    assert found[1] == found[2] == found[3] != found[4]
    assert status == 0


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_address_of_ipv6_has_its_brackets(host: str) -> None:
    line, _ = started("--port", "0", "--host", host)
    url = r"http://\[::1\]:\d+"
    assert re.search(rf" serves {url} as .*curl {url}/goto/help; its page there: /goto/ui$", line)


LINK_LOCAL = """
ip link set lo up && ip -6 addr add fe80::1/64 dev lo || exit 77
$GOTO --port 29001 --host fe80::1%lo --quiet & serving=$!
for try in $(seq 100); do $GOTO health 'http://[fe80::1%25lo]:29001' 2>/dev/null && break; sleep 0.1; done
$GOTO health '[fe80::1%lo]:29001'
$GOTO send --json 'http://[fe80::1%lo]:29001/goto/health'
kill $serving; wait $serving; echo "$?"
"""


@pytest.mark.skipif(not shutil.which("unshare") or not shutil.which("ip"), reason="needs unshare and ip for a network of its own")
def test_a_link_local_address_by_its_interface() -> None:
    """Link-local addresses of this machine are none of a test's: it has a network of its own."""
    env = {**os.environ, "GOTO": f"{sys.executable} -m goto"}
    words = ["unshare", "-rn", "sh", "-c", LINK_LOCAL]
    done = subprocess.run(words, env=env, cwd=ROOT, capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(done.stderr)
    first, second, results, status = done.stdout.splitlines()
    assert first.endswith("is healthy")
    assert second == first
    assert '"countsByStatusCodes":{"200":1}' in results
    assert status == "0"


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_an_idle_process_with_0(number: signal.Signals) -> None:
    process = Goto("idle")
    with Client(process.port) as idle, Client(process.port) as kept:
        kept.send(get("/"))
        kept.answer()
        process.stop(number)  # asserts exit status 0
        assert (idle.rest(), kept.rest()) == (b"", b"")


@pytest.mark.parametrize("number", ENDING)
def test_exchanges_in_flight_finish_and_nothing_new_is_accepted(number: signal.Signals, upstream: Upstream) -> None:
    with held() as event:
        upstream.on("/held", Reply(hold=event))
        process = Goto("in-flight")
        process.api("POST", "/request/proxy/targets/add", {"name": "t", "url": upstream.base, "match": {"uris": ["/held"]}})
        process.api("PUT", "/request/timeout/track/headers/x")
        with Client(process.port) as client:
            client.send(get("/held") + get("/status/202"))
            upstream.take(1)
            process.process.send_signal(number)
            eventually(lambda: _refused(process.port))
            event.set()
            answer = client.answer()
            assert (answer.status, answer.body, answer.value("connection")) == (200, b"hello\n", "close")
            assert client.rest() == b""  # the request behind it is not answered
        ends(process)


def ends(process: Goto) -> str:
    """Wait until it has ended after the signal it got, with 0; its log."""
    process.process.wait(PATIENCE)
    return process.stop()


def _refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("number", ENDING)
def test_a_second_signal_ends_it_at_once(number: signal.Signals, upstream: Upstream) -> None:
    with held() as event:
        upstream.on("/held", Reply(hold=event))
        process = Goto("twice")
        process.api("POST", "/request/proxy/targets/add", {"name": "t", "url": upstream.base, "match": {"uris": ["/held"]}})
        with Client(process.port) as client:
            client.send(get("/held"))
            upstream.take(1)
            process.process.send_signal(number)
            eventually(lambda: _refused(process.port))
            assert process.running
            process.process.send_signal(number)
            assert process.process.wait(PATIENCE) == 0
        process.kill()


def test_an_upload_in_flight_finishes() -> None:
    process = Goto("upload")
    with Client(process.port) as client:
        client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        eventually(lambda: process.call("GET", "/goto/health").status == 200)
        process.process.send_signal(signal.SIGTERM)
        eventually(lambda: _refused(process.port))
        client.send(b"world")
        answer = client.answer()
        assert (answer.json()["RequestBody"], answer.value("connection")) == ("helloworld", "close")
    ends(process)


def test_lines_held_are_written_at_the_end() -> None:
    process = Goto("last")
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(process.call("GET", "/last")))
    thread.start()
    thread.join()
    assert " GET /last 200 " in process.stop()


IN_TASK = """
import asyncio

from goto.feature import Feature
from goto.flow import Flow


class InTask(Feature):
    active = True

    def response(self, flow: Flow) -> None:
        flow.response.headers.fields.append((b"In-Task", b"no" if asyncio.current_task() is None else b"yes"))
"""


def test_no_request_needs_a_task(tmp_path: Path, upstream: Upstream) -> None:
    """With or without a body, alone or not, held or not, of whichever version."""
    feature = tmp_path / "in_task.py"
    feature.write_text(IN_TASK)
    chunks = get("/x", "Transfer-Encoding: chunked", method="POST") + b"1\r\na\r\n0\r\n\r\n"
    old = b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    requests = [get("/x"), get("/x", method="POST", body=b"hello"), chunks, old, get("/up"), get("/up", method="POST", body=b"a")]
    with Goto("way", "--feature", str(feature)) as process:
        process.api("POST", "/request/proxy/targets/add", {"name": "t", "url": upstream.base, "match": {"uris": ["/up"]}})
        for setting in ("/label/clear", "/request/timeout/track/all", "/response/delay/set/1ms"):
            process.api("PUT", setting)
            with Client(process.port) as client:
                client.send(b"".join(requests))
                seen = [client.answer() for _ in requests]
            assert [(answer.status, answer.value("in-task")) for answer in seen] == [(200, "no")] * len(requests)


def test_what_had_an_effect_once_is_accepted_and_warned_of() -> None:
    with Goto("old", "--no-fast-path", expect_errors=True) as process:
        assert process.call("GET", "/x").status == 200
        assert "--no-fast-path has no effect any more" in process.log
