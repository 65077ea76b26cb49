"""Flags: what they do, what is said of bad ones, and the exit status."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
from support import ROOT
from support.goto_process import Goto
from support.ports import free_port
from support.waiting import eventually

from goto import __version__
from goto.command.arguments import run as main
from goto.instance.build import COMPILED

Out = pytest.CaptureFixture[str]


def ended(*words: str, capsys: Out) -> tuple[object, str, str]:
    """Exit status, output and errors of a command that ends by itself."""
    with pytest.raises(SystemExit) as status:
        main(words)
    out, error = capsys.readouterr()
    return status.value.code, out, error


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--port", "abc"], "abc"),
        (["--host", "::1%lo"], "is not link-local"),
        (["--port", "65536"], "65536 is not a port"),
        (["--port", "-1"], "port"),
        (["--port"], "--port"),
        (["--nope"], "--nope"),
        (["serve", "--nope"], "--nope"),
        (["serve", "extra"], "extra"),
        (["nope"], "nope"),
        (["--label", ""], "label"),
        (["--label", "a\r\nb"], "label"),
        (["--log-format", "xml"], "xml"),
        (["health", "a", "b"], "b"),
    ],
)
def test_a_bad_flag_is_one_line_and_status_2(words: list[str], named: str, capsys: Out) -> None:
    status, out, error = ended(*words, capsys=capsys)
    assert (status, out) == (2, "")
    assert error.startswith("goto: ")
    assert named in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "helped"),
    [
        (["--nope"], "goto"),
        (["nope"], "goto"),
        (["serve", "--nope"], "goto serve"),
        (["serve", "extra"], "goto serve"),
        (["send", "--nope", "http://a/"], "goto send"),
        (["send"], "goto send"),
        (["send", "--rate", "x", "http://a/"], "goto send"),
        (["check"], "goto check"),
        (["health", "a", "b"], "goto health"),
    ],
)
def test_an_error_names_the_help_of_its_command(words: list[str], helped: str, capsys: Out) -> None:
    _, _, error = ended(*words, capsys=capsys)
    assert error.endswith(f" (see {helped} --help)\n")


def test_version(capsys: Out) -> None:
    assert ended("--version", capsys=capsys) == (0, f"goto {__version__}{' (compiled)' if COMPILED else ''}\n", "")


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["serve", "--help"]])
def test_help_shows_examples(words: list[str], capsys: Out) -> None:
    status, out, error = ended(*words, capsys=capsys)
    assert (status, error) == (0, "")
    assert "examples:" in out
    assert "goto --port 9000 --label edge" in out


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"]])
def test_help_of_goto_and_of_serve_names_each_flag_of_serving(words: list[str], capsys: Out) -> None:
    _, out, _ = ended(*words, capsys=capsys)
    for flag in ("--port", "--host", "--label", "--log-format", "--quiet"):
        assert flag in out


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "goto", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_taken_port_is_one_line_and_status_2() -> None:
    with socket.create_server(("0.0.0.0", free_port())) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"goto: cannot listen on port {port}: ")
    assert "0.0.0.0: Address already in use" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_interface_that_is_not_there_is_one_line_and_status_2() -> None:
    port = free_port()
    done = run("--port", str(port), "--host", "192.0.2.77")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"goto: cannot listen on port {port}: ")


def test_the_module_passes_the_status_on() -> None:
    assert run("health", f"http://127.0.0.1:{free_port()}").returncode == 1


def lines(process: Goto, count: int) -> list[str]:
    """The log once it has so many lines after the start line."""
    return eventually(lambda: process.log.splitlines(), lambda got: len(got) >= count + 1)[1:]


def test_text_log_lines(goto: Callable[..., Goto]) -> None:
    process = goto("text", "--host", "127.0.0.1")
    process.api("POST", "/request/proxy/targets/add", {"name": "t", "url": process.base + "/echo", "match": {"uris": ["/p"]}})
    for path in ("/status/418?a=b", "/label", "/p"):
        process.call("GET", path)
    process.raw(b"NONSENSE\r\n\r\n")
    got = lines(process, 6)
    stamp = rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {process.port}"
    client, took = r"127\.0\.0\.1:\d+", r"\d+\.\dms"
    wanted = [
        rf"{stamp} {client} POST /request/proxy/targets/add 200 {took} api",
        rf"{stamp} {client} GET /status/418\?a=b 418 {took} local",
        rf"{stamp} {client} GET /label 200 {took} api",
        rf"{stamp} {client} GET /echo/p 200 {took} local",
        rf"{stamp} {client} GET /p 200 {took} t",
        rf"{stamp} {client} - - 400 0\.0ms malformed",
    ]
    for line in wanted:
        assert sum(bool(re.fullmatch(line, one)) for one in got) == 1, (line, got)
    assert len(got) == 6


def test_json_log_lines(goto: Callable[..., Goto]) -> None:
    process = goto("json", "--host", "127.0.0.1", "--log-format", "json")
    process.call("POST", "/status/503", "hello")
    (line,) = lines(process, 1)
    entry = json.loads(line)
    assert {key: entry[key] for key in ("listener", "method", "target", "status", "went")} == {
        "listener": process.port,
        "method": "POST",
        "target": "/status/503",
        "status": 503,
        "went": "local",
    }
    assert entry["ms"] >= 0
    assert entry["client"].startswith("127.0.0.1:")
    assert set(entry) == {"time", "listener", "client", "method", "target", "status", "ms", "went"}


def test_quiet_says_nothing(goto: Callable[..., Goto]) -> None:
    process = goto("quiet", "--quiet")
    process.call("GET", "/")
    assert process.stop() == ""


def test_host_binds_one_interface(goto: Callable[..., Goto]) -> None:
    process = goto("host", "--host", "127.0.0.1")
    with socket.socket(socket.AF_INET6) as client:
        assert client.connect_ex(("::1", process.port)) != 0
    eventually(lambda: f"http://127.0.0.1:{process.port}" in process.log)


def test_without_host_it_binds_all_of_them(goto: Callable[..., Goto]) -> None:
    process = goto("all")
    with socket.socket(socket.AF_INET6) as client:
        if client.connect_ex(("::1", process.port)) != 0:
            with socket.socket(socket.AF_INET6) as probe, pytest.raises(OSError, match=r"."):
                probe.bind(("::1", 0))  # a machine without IPv6
            pytest.skip("no IPv6 here")
        client.sendall(b"GET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 204 ")
    eventually(lambda: f" {process.port} [::1]:" in process.log)
