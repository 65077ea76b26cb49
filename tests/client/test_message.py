"""The bytes of a target's requests."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from goto.client.message import PreparedRequest, request_target
from goto.client.target import ClientTarget
from goto.http.numbered_id import fresh_run, numbered_id

ID = rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://x", "/"),
        ("http://x:1/", "/"),
        ("http://x?a=1", "/?a=1"),
        ("http://x/?", "/?"),
        ("http://x/a//b/../%2F;c?x=/y?z", "/a//b/../%2F;c?x=/y?z"),
        ("http://[::1]:80/a", "/a"),
    ],
)
def test_the_request_target_stays_as_it_was_written(url: str, path: str):
    assert request_target(url) == path


def test_a_request_as_it_goes_out(target: Callable[..., ClientTarget]):
    headers = [["foo", "bar"], ["foo", "bäz"], ["User-Agent", "me"]]
    message = PreparedRequest(target(method="POST", url="http://x:81/p?a=1", headers=headers, body="ü"))
    sent = message.next()
    assert sent == (
        "POST /p?a=1 HTTP/1.1\r\nHost: x:81\r\nfoo: bar\r\nfoo: bäz\r\nUser-Agent: me\r\nContent-Length: 2\r\n\r\nü".encode()
    )
    assert message.next() is sent


def test_the_targets_own_host_takes_the_place_of_the_urls(target: Callable[..., ClientTarget]):
    sent = PreparedRequest(target(headers=[["hOST", "other"]])).next()
    assert re.findall(rb"(?i)host: [^\r]*", sent) == [b"hOST: other"]


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://x", rb"GET /\?x-request-id=%b HTTP/1.1"),
        ("http://x/a?", rb"GET /a\?x-request-id=%b HTTP/1.1"),
        ("http://x/a?b=1", rb"GET /a\?b=1&x-request-id=%b HTTP/1.1"),
    ],
)
def test_every_request_has_an_id_of_its_own(target: Callable[..., ClientTarget], url: str, line: bytes):
    message = PreparedRequest(target(url=url, sendId=True))
    lines = [message.next().partition(b"\r\n")[0] for _ in range(1000)]
    assert len(set(lines)) == 1000
    assert all(re.fullmatch(line.replace(b"%b", ID), one) for one in lines)
    other = PreparedRequest(target(url=url, sendId=True)).next().partition(b"\r\n")[0]
    assert other not in lines


@pytest.mark.parametrize("url", ["http://x/?x-request-id=7", "http://x/?a&x%2Drequest-id=7"])
def test_an_id_that_is_there_stays(target: Callable[..., ClientTarget], url: str):
    message = PreparedRequest(target(url=url, sendId=True))
    assert message.next() == message.next()
    assert message.next().count(b"request-id") == 1


def test_a_long_body_is_sent_after_and_never_copied(target: Callable[..., ClientTarget]):
    message = PreparedRequest(target(method="PUT", body="x" * 100_000, sendId=True))
    sent = message.next()
    assert b"Content-Length: 100000" in sent
    assert len(sent) < 1000
    assert message.body == b"x" * 100_000


@pytest.mark.parametrize(
    ("method", "body", "repeatable", "bare"),
    [
        ("GET", "", True, False),
        ("HEAD", "", True, True),
        ("OPTIONS", "", True, False),
        ("GET", "x", False, False),
        ("POST", "", False, False),
        ("DELETE", "", False, False),
        ("get", "", False, False),
    ],
)
def test_what_may_be_repeated(target: Callable[..., ClientTarget], method: str, body: str, repeatable: bool, bare: bool):
    message = PreparedRequest(target(method=method, body=body))
    assert (message.repeatable, message.bare) == (repeatable, bare)


def test_ids_of_a_run_say_their_number(target: Callable[..., ClientTarget]):
    run = fresh_run()
    message = PreparedRequest(target(url="http://x/a?b=1", reconcile=True), run)
    for number in range(100):
        line = message.next().partition(b"\r\n")[0].decode()
        assert line == f"GET /a?b=1&x-request-id={numbered_id(run, number)} HTTP/1.1"
        assert message.number == number


def test_ids_count_on_past_what_they_have_in_common(target: Callable[..., ClientTarget]):
    message = PreparedRequest(target(sendId=True))
    sent = [re.findall(ID, message.next(closing=number % 10 == 9)) for number in range(600)]
    assert {len(ids) for ids in sent} == {1}
    assert [int(ids[0][-12:], 16) for ids in sent] == list(range(1, 601))
    assert len({ids[0][:-12] for ids in sent}) == 1
