"""One connection to an origin: whatever comes over it, and however it is cut into reads."""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.flow import Field, Origin
from goto.upstream.batch import Batch
from goto.upstream.connection import Connection
from goto.upstream.errors import Broken, TooSlow, UpstreamError
from goto.upstream.receiver import Receiver

T = TypeVar("T")

ORIGIN = Origin("http", "up", 80)
OK = b"HTTP/1.1 200 OK\r\n"


class Wire(asyncio.Transport):
    """A transport whose reads the test makes: no socket lets one choose them."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = ""
        self.reading = True

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self.ended = self.ended or "close"

    def abort(self) -> None:
        self.ended = "abort"

    def is_closing(self) -> bool:
        return bool(self.ended)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0


class Heard(Receiver):
    """A receiver that writes down what it hears."""

    def __init__(self) -> None:
        self.status = 0
        self.reason = b""
        self.fields: list[Field] = []
        self.length: int | None = None
        self.body = b""
        self.over: list[str | UpstreamError] = []
        self.interims: list[int] = []
        self.trailers: list[Field] = []

    def on_interim(self, status: int, reason: bytes, fields: list[Field]) -> None:
        assert not self.status
        self.interims.append(status)

    def on_trailers(self, fields: list[Field]) -> None:
        assert not self.over
        self.trailers = fields

    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        assert not self.status, "a second head"
        self.status, self.reason, self.fields, self.length = status, reason, list(fields), length

    def on_data(self, data: bytes) -> None:
        assert self.status
        assert not self.over
        self.body += data

    def on_flush(self) -> None:
        assert not self.over

    def on_fin(self) -> None:
        self.over.append("fin")

    def on_end(self) -> None:
        self.over.append("end")

    def on_error(self, error: UpstreamError) -> None:
        self.over.append(error)

    @property
    def how(self) -> str:
        (over,) = self.over
        return over if isinstance(over, str) else f"{type(over).__name__}: {over}"


class Bench:
    """A connection with a request under way."""

    def __init__(self, *, head: bool = False, timeout: float = 30) -> None:
        self.idle: list[Connection] = []
        self.lost: list[Connection] = []
        loop = asyncio.get_running_loop()
        self.connection = Connection(ORIGIN, loop, Batch(), self.idle.append, self.lost.append)
        self.wire = Wire()
        self.connection.connection_made(self.wire)
        self.heard = Heard()
        self.connection.start(self.heard, b"request", timeout, head=head)

    def again(self, *, head: bool = False) -> Heard:
        self.heard = Heard()
        self.connection.start(self.heard, b"another", 30, head=head)
        return self.heard

    def reads(self, *pieces: bytes) -> Bench:
        for piece in pieces:
            if not self.wire.ended:
                self.connection.data_received(piece)
        return self

    def closes(self, exc: Exception | None = None) -> Bench:
        if exc is None and not self.wire.ended:
            self.connection.eof_received()
        self.connection.connection_lost(exc)
        return self


def bench(act: Callable[[Bench], None], **how: Any) -> Bench:
    async def run() -> Bench:
        made = Bench(**how)
        act(made)
        return made

    return asyncio.run(run())


# (the answer's bytes, the body, the announced length, whether the connection is kept)
WHOLE = {
    "length": (OK + b"Content-Length: 5\r\n\r\nhello", b"hello", 5, True),
    "empty": (OK + b"Content-Length: 0\r\n\r\n", b"", 0, True),
    "chunked": (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", b"hello", None, True),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n", b"hello", None, True),
    "close": (OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello", b"hello", 5, False),
    "1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", 5, False),
    "1.0 kept": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", b"hello", 5, True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", 0, True),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", b"", 99, True),
    "interim": (
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
        b"ok",
        2,
        True,
    ),
    "two": (OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 4\r\n\r\nevil", b"ok", 2, False),
    "more than its length": (OK + b"Content-Length: 2\r\n\r\nokay", b"ok", 2, False),
    "after a 204": (b"HTTP/1.1 204 No Content\r\n\r\nevil", b"", 0, False),
}


@pytest.mark.parametrize("name", WHOLE)
def test_answers_that_end_by_themselves(name: str) -> None:
    data, body, length, kept = WHOLE[name]
    done = bench(lambda made: made.reads(data))
    assert (done.heard.how, done.heard.body, done.heard.length) == ("end", body, length)
    assert done.idle == ([done.connection] if kept else [])
    assert done.wire.ended == ("" if kept else "close")
    assert b"X" not in dict(done.heard.fields)


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.integers(1, 90), max_size=12))
def test_it_does_not_matter_where_reads_cut_an_answer(name: str, cuts: list[int]) -> None:
    data, body, length, kept = WHOLE[name]
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    done = bench(lambda made: made.reads(*pieces))
    assert (done.heard.how, done.heard.body, done.heard.length) == ("end", body, length)
    assert done.heard.status == int(name[-3:] if name[-3:].isdigit() else 200)
    # what comes past the end in a later read ends the connection too
    assert bool(done.wire.ended) is not kept


UNTIL_CLOSE = {
    "1.1": OK + b"X: 1\r\n\r\nhello",
    "1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "keep-alive without a length": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello",
}


@pytest.mark.parametrize("name", UNTIL_CLOSE)
@pytest.mark.parametrize("cut", range(12, 45, 3))
def test_answers_that_last_until_the_connection_ends(name: str, cut: int) -> None:
    data = UNTIL_CLOSE[name]
    done = bench(lambda made: made.reads(*filter(None, (data[:cut], data[cut:]))).closes())
    assert (done.heard.how, done.heard.body, done.heard.length, done.idle) == ("end", b"hello", None, [])


def test_an_answer_with_an_identity_coding_lasts_until_the_connection_ends() -> None:
    done = bench(lambda made: made.reads(OK + b"Transfer-Encoding: identity\r\n\r\nhello").closes())
    assert (done.heard.how, done.heard.body) == ("end", b"hello")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "Broken: closed the connection without an answer"),
        (b"HTTP/1.1 20", "Broken: closed the connection in the middle of its answer"),
        (OK + b"Content-Length: 9\r\n\r\nhello", "Broken: closed the connection in the middle of its answer"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Broken: closed the connection in the middle of its answer"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", "Broken: closed the connection in the middle of its answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "Broken: closed the connection in the middle of its answer"),
    ],
)
def test_answers_cut_short(data: bytes, why: str) -> None:
    for exc in (None, ConnectionResetError()):
        done = bench(lambda made: made.reads(*filter(None, [data])).closes(exc))  # noqa: B023  # called at once
        assert (done.heard.how, done.idle) == (why, [])
        assert done.lost == [done.connection]


def test_a_reset_is_no_end_of_an_answer_until_close() -> None:
    done = bench(lambda made: made.reads(OK + b"\r\nhello").closes(ConnectionResetError()))
    assert done.heard.how.startswith("Broken: ")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"X\r\n\r\n",
    ],
)
def test_what_is_no_http(data: bytes) -> None:
    done = bench(lambda made: made.reads(data))
    assert done.heard.how.startswith('NoHttp: answered with what is no HTTP: "')
    assert (done.wire.ended, done.idle) == ("abort", [])


@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X: y", b"Content-Length: 0"])
def test_the_answer_to_head_has_no_body(framing: bytes) -> None:
    def act(made: Bench) -> None:
        made.reads(OK + framing + b"\r\n\r\n")
        assert (made.heard.how, made.heard.body) == ("end", b"")
        assert made.heard.length == (int(framing[-1:]) if framing.startswith(b"Content") else None)
        if made.idle:  # the next answer is not taken for that body
            heard = made.again()
            made.reads(OK + b"Content-Length: 2\r\n\r\nok")
            assert (heard.how, heard.body) == ("end", b"ok")

    assert bench(act, head=True).idle or framing == b"X: y"


def test_a_body_after_the_answer_to_head_ends_the_connection() -> None:
    done = bench(lambda made: made.reads(OK + b"Content-Length: 5\r\n\r\nhello"), head=True)
    assert (done.heard.how, done.heard.body, done.idle, done.wire.ended) == ("end", b"", [], "close")


def test_one_answer_after_the_other() -> None:
    def act(made: Bench) -> None:
        for name in ("length", "chunked", "204", "304", "interim", "empty"):
            data, body, length, _ = WHOLE[name]
            heard = made.again() if made.idle else made.heard
            made.reads(data[:20], data[20:])
            assert (heard.how, heard.body, heard.length) == ("end", body, length), name
        assert made.connection.reused

    bench(act)


def test_bytes_nobody_asked_for_end_an_idle_connection() -> None:
    done = bench(lambda made: made.reads(WHOLE["length"][0], OK + b"Content-Length: 4\r\n\r\nevil"))
    assert (done.heard.how, done.heard.body, done.wire.ended) == ("end", b"hello", "abort")


def test_an_answer_before_the_request_is_wholly_sent_ends_the_connection() -> None:
    async def run() -> None:
        made = Bench()
        made.reads(WHOLE["empty"][0])
        heard = Heard()
        made.connection.start(heard, b"part", 30, whole=False)
        made.reads(WHOLE["length"][0])
        assert (heard.how, heard.body) == ("end", b"hello")
        assert made.wire.ended == "abort"  # an origin that reads no more would keep one that is closed for ever
        assert len(made.idle) == 1

    asyncio.run(run())


def test_after_an_upgrade_bytes_are_the_other_protocols() -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    done = bench(lambda made: made.reads(head + b"HTTP/1.1", b" 200\r\n\r\n", b"\xff"))
    assert (done.heard.status, done.heard.over, done.heard.body) == (101, [], b"HTTP/1.1 200\r\n\r\n\xff")
    assert done.connection.eof_received(), "the other direction stays"
    assert (done.heard.how, done.wire.ended, done.idle) == ("fin", "", [])


@pytest.mark.parametrize("reason", [b"O\x00K", b"O\x7fK", b"O\x1bK"])
def test_a_reason_that_is_none_is_left_out(reason: bytes) -> None:
    done = bench(lambda made: made.reads(b"HTTP/1.1 200 " + reason + b"\r\nContent-Length: 2\r\n\r\nok"))
    assert (done.heard.status, done.heard.reason, done.heard.body) == (200, b"", b"ok")


def test_names_values_and_reason_come_as_they_are() -> None:
    data = b"HTTP/1.1 299 Odd \xe9\r\nX-A: \xff\r\nx-a:  b  \r\nE:\r\nContent-Length: 0\r\n\r\n"
    done = bench(lambda made: made.reads(data))
    assert done.heard.reason == b"Odd \xe9"
    assert [(name, value.strip()) for name, value in done.heard.fields] == [
        (b"X-A", b"\xff"),
        (b"x-a", b"b"),
        (b"E", b""),
        (b"Content-Length", b"0"),
    ]


def test_abort_is_the_last_that_is_heard() -> None:
    def act(made: Bench) -> None:
        made.reads(OK)
        made.connection.abort()
        made.connection.connection_lost(None)

    done = bench(act)
    assert (done.wire.ended, done.heard.over, done.lost) == ("abort", [], [done.connection])


class Unhurried(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to what is due next: no wait takes time, and no machine is too busy for a test."""

    def __init__(self) -> None:
        super().__init__(Jumping(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now


class Jumping(selectors.DefaultSelector):
    def __init__(self, loop: Unhurried) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        self._loop.now += timeout or 0.0
        return super().select(None if timeout is None else 0)


def unhurried(test: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Unhurried) as runner:
        return runner.run(test)


def slow(*pieces: bytes, every: float, timeout: float) -> str:
    """How an answer ends whose pieces come so many seconds apart."""

    async def run() -> str:
        made = Bench(timeout=timeout)
        for piece in pieces:
            made.reads(piece)
            await asyncio.sleep(every)
            if made.heard.over:
                break
        for _ in range(200):
            if made.heard.over:
                break
            await asyncio.sleep(0.05)
        return made.heard.how

    return unhurried(run())


def test_no_head_in_time() -> None:
    assert slow(every=0.01, timeout=0.1) == "TooSlow: no answer within 100ms"
    assert slow(OK, every=0.01, timeout=0.1) == "TooSlow: no answer within 100ms"


def test_no_more_of_a_body_in_time() -> None:
    assert slow(OK + b"Content-Length: 9\r\n\r\nhello", every=0.01, timeout=0.1) == "TooSlow: no more of its answer within 100ms"


def test_a_body_may_take_longer_than_the_timeout_while_it_comes() -> None:
    assert slow(OK + b"Content-Length: 8\r\n\r\n", *[b"x"] * 8, every=0.05, timeout=0.3) == "end"


@pytest.mark.parametrize(
    "pieces",
    [
        [bytes((byte,)) for byte in OK + b"Content-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 103 Early Hints\r\n\r\n"] * 30 + [OK + b"Content-Length: 0\r\n\r\n"],
    ],
)
def test_the_time_for_a_head_is_not_started_anew_by_parts_of_it(pieces: list[bytes]) -> None:
    assert slow(*pieces, every=0.02, timeout=0.2) == "TooSlow: no answer within 200ms"


def test_time_does_not_run_while_its_own_side_holds_back() -> None:
    async def run() -> None:
        made = Bench(timeout=0.05)
        made.reads(OK + b"Content-Length: 9\r\n\r\nhello")
        made.connection.pause()
        assert not made.wire.reading
        await asyncio.sleep(0.3)
        assert made.heard.over == []
        made.connection.resume()
        assert made.wire.reading
        made.reads(b"last")
        assert made.heard.how == "end"

    unhurried(run())


def test_a_pause_that_ends_gives_the_whole_time_again() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        made = Bench(timeout=1.0)
        made.reads(OK + b"Content-Length: 9\r\n\r\nhello")
        made.connection.pause()
        await asyncio.sleep(0.6)
        made.connection.resume()
        resumed = loop.time()
        while not made.heard.over:
            await asyncio.sleep(0.01)
        assert isinstance(made.heard.over[0], TooSlow)
        assert loop.time() - resumed >= 0.95

    unhurried(run())


def test_resume_on_a_connection_that_ended_is_harmless() -> None:
    def act(made: Bench) -> None:
        made.connection.pause()
        made.closes(ConnectionResetError())
        made.connection.resume()
        made.connection.write(b"x")
        made.connection.abort()

    assert isinstance(bench(act).heard.over[0], Broken)


def test_what_is_written_is_congested_until_writing_goes_on_or_has_ended() -> None:
    async def run() -> None:
        for end in (lambda made: made.connection.resume_writing(), lambda made: made.closes(ConnectionResetError())):
            made = Bench()
            drained: list[bool] = []
            made.connection.on_drained = lambda made=made, drained=drained: drained.append(made.connection.congested)
            assert not made.connection.congested
            made.connection.pause_writing()
            assert (made.connection.congested, drained) == (True, [])
            end(made)
            assert drained == [False]

    asyncio.run(run())


# ---------------------------------------------------------------- answers that come back (docs/edges.md)
INTERIM = st.tuples(
    st.integers(102, 199),
    st.sampled_from([b"", b"Link: x\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n"]),
).map(lambda made: (made[0], b"HTTP/1.1 %d X\r\n%b\r\n" % made))


@given(st.lists(INTERIM, max_size=4), st.sampled_from(["length", "chunked", "204"]), st.lists(st.integers(1, 200), max_size=12))
def test_interim_answers_have_no_body_and_are_told_at_once(interims: list[tuple[int, bytes]], name: str, cuts: list[int]) -> None:
    final, body, length, _ = WHOLE[name]
    data = b"".join(head for _, head in interims) + final
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    done = bench(lambda made: made.reads(*(data[start:end] for start, end in itertools.pairwise(edges))))
    assert (done.heard.how, done.heard.body, done.heard.length) == ("end", body, length)
    assert done.heard.interims == [status for status, _ in interims]


@given(st.integers(100, 199).filter(lambda status: status != 101), st.sampled_from([b"5\r\nhello\r\n0\r\n\r\n", b"hello"]))
def test_what_stands_behind_an_interim_head_and_is_no_head_is_never_a_body(status: int, body: bytes) -> None:
    data = b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n%b" % (status, body) + WHOLE["length"][0]
    done = bench(lambda made: made.reads(data))
    assert done.heard.how.startswith("NoHttp: ")
    assert (done.heard.status, done.heard.body, done.wire.ended) == (0, b"", "abort")


@given(st.lists(st.integers(1, 60), max_size=8), st.sampled_from([b"Served by Big Iron:", b" folded", b"no colon", b"A: \x00"]))
def test_the_line_at_fault_is_told_however_it_is_cut(cuts: list[int], line: bytes) -> None:
    data = OK + b"A: b\r\n" + line + b"\r\nContent-Length: 2\r\n\r\nok"
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    done = bench(lambda made: made.reads(*(data[start:end] for start, end in itertools.pairwise(edges))))
    shown = line.decode().replace("\x00", "\\u0000")
    assert done.heard.how == f'NoHttp: answered with what is no HTTP: "{shown}"'
    (error,) = done.heard.over
    assert isinstance(error, UpstreamError)
    assert error.same == "answered with what is no HTTP"


def test_a_long_line_at_fault_is_cut() -> None:
    done = bench(lambda made: made.reads(OK + b"\xff" * 200 + b"\r\n"))
    assert done.heard.how == 'NoHttp: answered with what is no HTTP: "' + "\\xff" * 20 + '…"'


def test_what_cannot_begin_a_head_is_told_where_the_connection_ends_or_stands_still() -> None:
    assert bench(lambda made: made.reads(b"\x15\x03", b"\x01").closes()).heard.how.endswith('"\\u0015\\u0003\\u0001"')
    assert slow(b"220 mail", every=0, timeout=30) == 'NoHttp: answered with what is no HTTP: "220 mail"'


def test_trailers_are_told_before_the_end() -> None:
    data = OK + b"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"
    done = bench(lambda made: made.reads(data))
    assert (done.heard.how, done.heard.trailers) == ("end", [(b"X", b"y")])


@pytest.mark.parametrize("name", ["length", "chunked", "204", "close"])
@pytest.mark.parametrize("ended", [None, "fin", "reset"])
def test_an_answer_that_comes_before_the_request_is_written_is_its_answer(name: str, ended: str | None) -> None:
    async def run() -> None:
        data, body, length, _ = WHOLE[name]
        connection = Connection(ORIGIN, asyncio.get_running_loop(), Batch(), lambda _: None, lambda _: None)
        wire = Wire()
        connection.connection_made(wire)
        for piece in (data[:10], data[10:]):
            connection.data_received(piece)
        if ended == "fin":
            connection.eof_received()
        if ended is not None:
            connection.connection_lost(None if ended == "fin" else ConnectionResetError())
        heard = Heard()
        connection.start(heard, b"request", 30)
        assert not heard.status  # never before `start` returns
        await asyncio.sleep(0)
        assert (heard.how, heard.body, heard.length) == ("end", body, length)
        assert ended is not None or wire.ended  # it is not kept

    asyncio.run(run())


def test_without_close_notify_a_body_that_only_the_end_ends_is_broken() -> None:
    def act(made: Bench) -> None:
        made.reads(OK + b"\r\nhello")
        made.connection.on_fin()

    done = bench(act)
    assert (done.heard.how, done.heard.body) == ("Broken: closed the connection in the middle of its answer", b"hello")


def test_the_end_is_told_behind_what_is_held_back() -> None:
    async def run() -> None:
        made = Bench()
        made.reads(OK + b"\r\nhello")
        made.connection.pause()
        made.connection.on_fin()
        assert not made.heard.over
        made.connection.resume()
        made.reads(b" world")
        made.connection.eof_received()  # the close_notify was among what TLS held
        for _ in range(3):
            await asyncio.sleep(0)
        assert (made.heard.how, made.heard.body) == ("end", b"hello world")

    asyncio.run(run())
