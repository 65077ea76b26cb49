"""The options of `goto send` as targets."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from goto.client.target import ClientTarget
from goto.command.arguments import _parser
from goto.command.send.options import targets_of
from goto.errors import BadInput
from goto.words.reading import read_struct

STAGES = [{"for": "30s", "rate": [1, 5]}, {"for": "1m", "rate": 5}]


def given(*words: str) -> list[ClientTarget]:
    return targets_of(_parser().parse_args(["send", *words]))


def fields(**more: Any) -> ClientTarget:
    return read_struct({"name": "http://x/", "method": "GET", "url": "http://x/", **more}, ClientTarget)[0]


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["--duration", "30s"], {"duration": "30s"}),
        (["-z", "30s", "--rate", "5"], {"duration": "30s", "rate": 5}),
        (["--no-keep-alive"], {"keepAlive": False}),
        (["-H", "Connection: Close", "-H", "x: 1"], {"keepAlive": False, "headers": [["x", "1"]]}),
        (["--requests-per-connection", "5"], {"requestsPerConnection": 5}),
        (["--variables", "-d", "{n}", "-m", "GET"], {"variables": True, "body": "{n}"}),
        (
            ["--stage", "30s:rate=1-5", "--stage", "1m:rate=5"],
            {"stages": [{"for": "30s", "rate": [1, 5]}, {"for": "1m", "rate": 5}]},
        ),
        (["--check", "status=2xx", "--check", "body~a,b"], {"checks": ["status=2xx", "body~a,b"]}),
        (["--connect-to", "[::1]:80"], {"connectTo": "[::1]:80"}),
        (["--proxy", "http://me@[::1]:80"], {"proxy": "http://me@[::1]:80"}),
        (["-x", "proxy:3128"], {"proxy": "http://proxy:3128"}),
        (["--max-time", "5s"], {"maxTime": "5s"}),
        (["--pick", "random"], {"pick": "random"}),
    ],
)
def test_what_can_be_given_by_fields_can_be_given_by_options(words: list[str], same: dict[str, Any]):
    assert given(*words, "http://x/") == [fields(**same)]


def test_urls_come_from_a_file(tmp_path: Path):
    file = tmp_path / "urls"
    file.write_bytes("# some\n\nhttp://x/a\r\n  x/é?b=1\n".encode())
    (target,) = given("--urls", str(file), "x")
    assert (target.url, target.urls) == ("http://x", ["http://x/a", "http://x/é?b=1"])


def test_a_body_of_a_file_is_its_bytes_and_has_variables_where_it_is_text(tmp_path: Path):
    file = tmp_path / "body"
    file.write_bytes(b"\xff{n}\r\n")
    for words in ([], ["--variables"]):
        (target,) = given(*words, "-d", f"@{file}", "http://x/")
        assert (target.method, target.body, target.body_base64) == ("POST", "", b64encode(b"\xff{n}\r\n").decode())
    file.write_bytes(b"{n}\r\n")
    (target,) = given("--variables", "-d", f"@{file}", "http://x/")
    assert (target.body, target.body_base64) == ("{n}\r\n", "")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--stage", "1s:rate=5", "--rate", "5"], "--stage: cannot be given together with rate"),
        (["--stage", "1s:rate=5", "-z", "5s"], "--duration: cannot be given together with stages"),
        (["--stage", "1s"], "--stage: '1s' is no stage: write it like"),
        (["--check", "foo"], "--check: 'foo' is no check: write it like status=2xx, "),
        (
            ["--requests-per-connection", "5", "--no-keep-alive"],
            "--requests-per-connection: cannot be given together with keepAlive",
        ),
        (["--connect-to", "x"], "--connect-to: 'x' is not a host with a port"),
        (["-x", "https://p"], "--proxy: 'https://p' is not an http proxy: write it like http://proxy:3128"),
        (["-x", "p", "--connect-to", "x:1"], "--proxy: cannot be given together with connectTo: both say where"),
        (["--timeout", "0"], "--timeout: '0' is no time to answer in: write more, or leave it out for 30s"),
        (["--max-time", "x"], "--max-time: 'x' is not a duration"),
        (["--urls", "/nowhere/at/all"], "--urls: /nowhere/at/all: No such file"),
        (["-H", "Host: a", "-H", "host: b"], "-H: Host is there twice"),
    ],
)
def test_errors_have_the_words_of_fields_and_name_the_option(words: list[str], reason: str):
    with pytest.raises(BadInput) as error:
        given(*words, "http://x/")
    assert error.value.message.startswith(reason)


def test_another_origin_is_refused(tmp_path: Path):
    file = tmp_path / "urls"
    file.write_text("http://x/a\nhttp://x:81/\n")
    with pytest.raises(BadInput, match="--urls: another origin than url: make it a target of its own"):
        given("--urls", str(file), "http://x/")
