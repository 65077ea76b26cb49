"""The body of a request on its way to an upstream, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.flow import Origin
from goto.upstream.batch import Batch
from goto.upstream.connection import Connection
from goto.upstream.receiver import Receiver
from goto.upstream.sink import nothing
from goto.upstream.upload import EARLY_BYTES, ONE_WRITE, Upload


class Wire(asyncio.Transport):
    """Takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed


class Deaf(Receiver):
    """Hears of no answer."""

    def on_head(self, *_: object) -> None: ...
    def on_data(self, data: bytes) -> None: ...
    def on_end(self) -> None: ...
    def on_error(self, error: Exception) -> None: ...


class Sent:
    """A connection to which the head of a request was written."""

    def __init__(self) -> None:
        self.batch = Batch()
        self.connection = Connection(Origin("http", "up", 80), asyncio.get_running_loop(), self.batch, nothing, nothing)
        self.wire = Wire()
        self.connection.connection_made(self.wire)
        self.connection.start(Deaf(), b"head ", 30, whole=False)

    @property
    def written(self) -> bytes:
        self.batch.flush()
        return self.wire.written


def running(act: Callable[[Sent], None]) -> None:
    async def main() -> None:
        act(Sent())

    asyncio.run(main())


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.integers(0, 5), st.booleans())
def test_all_goes_out_in_order_and_framed_whenever_the_connection_is_there(
    pieces: list[bytes], early: int, chunked: bool
) -> None:
    body = b"".join(pieces)

    def act(sent: Sent) -> None:
        upload = Upload(None if chunked else len(body))
        for piece in pieces[:early]:
            upload.more(piece)
        if early > len(pieces):
            upload.end()
        upload.begin(sent.connection)
        for piece in pieces[early:]:
            upload.more(piece)
        if early <= len(pieces):
            upload.end()
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        assert sent.written == b"head " + (framed if chunked else body)
        assert not sent.connection.sending

    running(act)


def test_what_comes_before_the_connection_is_held_and_makes_its_client_wait() -> None:
    def act(sent: Sent) -> None:
        upload = Upload(None)
        drained: list[bool] = []
        upload.on_drained = lambda: drained.append(upload.congested)
        upload.more(b"x" * (EARLY_BYTES - 1))
        assert not upload.congested
        upload.more(b"x")
        assert (upload.congested, drained) == (True, [])
        upload.begin(sent.connection)
        assert drained == [False]

    running(act)


def test_an_upstream_that_takes_no_more_makes_its_client_wait_until_it_does_or_has_ended() -> None:
    def act(sent: Sent) -> None:
        upload = Upload(None)
        upload.begin(sent.connection)
        sent.connection.pause_writing()
        upload.more(b"x")
        assert upload.congested
        drained: list[bool] = []
        upload.on_drained = lambda: drained.append(upload.congested)
        sent.connection.resume_writing()
        assert drained == [False]
        sent.connection.pause_writing()
        upload.more(b"x")
        upload.stop()
        assert drained == [False, False]
        upload.more(b"is dropped")
        upload.end()
        assert b"dropped" not in sent.written
        assert sent.connection.sending

    running(act)


@pytest.mark.parametrize("size", [ONE_WRITE - 1, ONE_WRITE, 3 * ONE_WRITE + 1])
def test_a_body_that_is_here_is_poured_as_fast_as_it_goes_on(size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    def act(sent: Sent) -> None:
        upload = Upload(size)
        upload.begin(sent.connection)
        sent.connection.pause_writing()
        upload.pour(body)
        assert len(sent.written) == len(b"head ") + min(size, ONE_WRITE)
        while sent.connection.congested:
            sent.connection.resume_writing()
        assert sent.written == b"head " + body
        assert not sent.connection.sending

    running(act)


def test_a_body_that_breaks_is_told() -> None:
    upload = Upload(None)
    upload.broken(ValueError("nobody listens"))
    told: list[Exception] = []
    upload.on_broken = told.append
    error = ValueError("gone")
    upload.broken(error)
    upload.stop()
    upload.broken(error)
    assert told == [error]
