"""The access log: its two forms, its batches."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
from collections.abc import Callable
from typing import Any

import pytest

from goto.traffic import accesslog
from goto.traffic.accesslog import HELD_LINES, AccessLog, Format, address_of
from goto.words import Name, Status


def written(note: Callable[[AccessLog], Any], **how: Any) -> bytes:
    """What a log wrote after its flush."""
    reader, writer = os.pipe()

    async def run() -> None:
        log = AccessLog(writer, **how)
        note(log)
        log.flush()

    try:
        asyncio.run(run())
    finally:
        os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        return stream.read()


def one(log: AccessLog, target: str = "/a?b", status: int = 200, went: str = "local") -> None:
    log.exchange(8080, "[::1]:9", "GET", target, status, 0.0123, went)


STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_text() -> None:
    line = written(one).decode()
    assert re.fullmatch(STAMP + r" 8080 \[::1\]:9 GET /a\?b 200 12\.3ms local\n", line)
    assert re.fullmatch(
        STAMP + r" 8080 \[::1\]:9 GET / - 12\.3ms t client-gone\n",
        written(lambda log: one(log, "/", 0, "t client-gone")).decode(),
    )


def test_json() -> None:
    entry = json.loads(written(one, form="json"))
    assert re.fullmatch(STAMP, entry.pop("time"))
    assert entry == {
        "listener": 8080,
        "client": "[::1]:9",
        "method": "GET",
        "target": "/a?b",
        "status": 200,
        "ms": 12.3,
        "went": "local",
    }


def test_json_has_marks_as_a_list_and_rules_by_name() -> None:
    marks = ["forced:503", "rule:flaky%20one!", "rule:b"]

    def note(log: AccessLog) -> None:
        log.exchange(1, "-", "GET", "/", Status(503), 0.0, Name("t"), marks)

    entry = json.loads(written(note, form="json"))
    assert (entry["status"], entry["went"]) == (503, "t")
    assert (entry["marks"], entry["rules"]) == (marks, ["flaky one", "b"])


@pytest.mark.parametrize("status", [0, 200])
def test_what_goto_ended_says_so_and_has_the_status_0_where_none_was_sent(status: int) -> None:
    def note(log: AccessLog) -> None:
        log.exchange(1, "-", "GET", "/", status, 0.0, "local rule:r", ["rule:r"], aborted=True)

    assert written(note).decode().split()[5:] == [str(status), "0.0ms", "local", "rule:r", "aborted"]
    entry = json.loads(written(note, form="json"))
    assert (entry["status"], entry["went"]) == (status, "local rule:r aborted")


HOSTILE = ["/a\x9b2J", "/a\x85forged", "/\u2028x", "/\u2029x", "/\u202etxt", "/\u2066", "/\u200f", "/\x7f", "/\x1b[2J", "/a\nb"]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("text", HOSTILE)
def test_an_exchange_is_one_line_whatever_is_in_it(form: Any, text: str) -> None:
    line = written(lambda log: one(log, text, went=text[1:]), form=form).decode()
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    if form == "json":
        assert json.loads(line)["target"] == text
    else:
        assert "\\u" in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_bytes_have_the_form_that_they_have_everywhere(form: Any) -> None:
    line = written(lambda log: one(log, '/\udcff\\xff\\n"é'), form=form).decode()
    assert (json.loads(line)["target"] if form == "json" else line.split()[4]) == r'/\xff\x5cxff\n"é'


def test_quiet_writes_nothing() -> None:
    assert written(one, enabled=False) == b""


def test_lines_are_written_together_soon_and_at_once_when_there_are_many() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    async def run() -> None:
        log = AccessLog(writer)
        one(log)
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)
        loop = asyncio.get_running_loop()
        readable = loop.create_future()
        loop.add_reader(reader, lambda: readable.done() or readable.set_result(None))
        await asyncio.wait_for(readable, 20)
        loop.remove_reader(reader)
        assert os.read(reader, 1000).endswith(b" local\n")

    asyncio.run(run())
    os.close(writer)
    os.close(reader)


def test_many_lines_are_not_held(tmp_path: Any) -> None:
    with open(tmp_path / "log", "wb", buffering=0) as file:

        async def run() -> None:
            log = AccessLog(file.fileno())
            for _ in range(HELD_LINES + 1):
                one(log)
            assert (tmp_path / "log").read_bytes().count(b"\n") >= HELD_LINES

        asyncio.run(run())


def test_a_reader_that_has_gone_ends_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)

    async def run() -> None:
        log = AccessLog(writer)
        one(log)
        log.flush()
        one(log)
        log.flush()

    asyncio.run(run())
    os.close(writer)


def test_lines_for_a_reader_that_has_left_are_counted() -> None:
    reader, writer = os.pipe()
    os.close(reader)

    async def run() -> None:
        log = AccessLog(writer)
        for count in (1, 2):
            one(log)
            log.flush()
            assert log.lost == count

    asyncio.run(run())
    os.close(writer)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_what_a_full_disk_refuses_is_held_and_counted_until_it_is_taken(tmp_path: Any) -> None:
    fd, file = os.open("/dev/full", os.O_WRONLY), os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)

    async def run() -> None:
        log = AccessLog(fd)
        one(log, "/1")
        log.flush()
        one(log, "/2")
        assert log.lost == 2
        os.dup2(file, fd)  # there is room again
        log.flush()
        log.flush()
        assert log.lost == 0

    asyncio.run(run())
    os.close(fd)
    os.close(file)
    assert [line.split()[4] for line in (tmp_path / "log").read_text().splitlines()] == ["/1", "/2"]


def test_what_is_held_is_written_once_it_is_taken_without_another_line(tmp_path: Any) -> None:
    reader, writer = os.pipe()

    async def run() -> bytes:
        log = AccessLog(writer)
        for _ in range(3):
            one(log, "/" + "x" * 60_000)  # more than a pipe takes
        log.say("goto: the end")
        one(log, "/last")
        got = b""
        async with asyncio.timeout(20):
            while b"/last" not in got:
                await asyncio.sleep(0.01)
                if select.select([reader], [], [], 0)[0]:
                    got += os.read(reader, 1 << 20)
        return got

    got = asyncio.run(run())
    os.close(writer)
    os.close(reader)
    assert [line.split()[-1] for line in got.splitlines()] == [b"local", b"local", b"local", b"end", b"local"]


@pytest.mark.parametrize(("form", "shown"), [("text", r"/\u20ac"), ("json", r'"target":"/\u20ac\ud83d\ude00"')])
def test_an_output_that_is_not_utf8_has_escapes(form: Format, shown: str, tmp_path: Any) -> None:
    with open(tmp_path / "log", "wb", buffering=0) as file:

        async def run() -> None:
            log = AccessLog(file.fileno(), form, encoding="latin-1")
            one(log, "/€😀")
            log.flush()

        asyncio.run(run())
    assert shown in (tmp_path / "log").read_bytes().decode("ascii")


def test_long_lines_that_nobody_reads_are_given_up_by_their_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accesslog, "HELD_CHARACTERS", 100_000)
    reader, writer = os.pipe()

    async def run() -> bytes:
        log = AccessLog(writer)
        for _ in range(3):
            one(log, "/" + "x" * 60_000)
        async with asyncio.timeout(20):
            while not log._rest:  # a pipe takes less than this
                await asyncio.sleep(0.01)
            for _ in range(3):
                one(log, "/" + "y" * 60_000)
            while log._lines:
                await asyncio.sleep(0.01)
        one(log, "/last")
        got = b""
        while b"/last" not in got:
            await asyncio.sleep(0)
            log._write(0)
            got += os.read(reader, 1 << 20)
        return got

    got = asyncio.run(run())
    os.close(writer)
    os.close(reader)
    assert (got.count(b"GET /x"), got.count(b"GET /y")) == (3, 0)
    assert b"goto: 3 lines of this log were lost" in got


@pytest.mark.parametrize(
    ("peername", "address"), [(("127.0.0.1", 80), "127.0.0.1:80"), (("::1", 80, 0, 0), "[::1]:80"), (None, "-"), ("", "-")]
)
def test_the_address_of_a_client(peername: object, address: str) -> None:
    assert address_of(peername) == address
