"""What passes of an exchange is copied as far as it is asked for, and counted whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goto.http.record import Copy, MadeCall, Record


@given(st.lists(st.binary(max_size=20)), st.integers(0, 60))
def test_a_copy_has_the_first_bytes_and_the_size_of_all(pieces: list[bytes], most: int) -> None:
    copy, kept = Copy(), [0]
    copy.most = most
    copy.tell(lambda size: kept.append(size))
    for piece in pieces:
        copy.more(piece)
    whole = b"".join(pieces)
    assert (copy.data, copy.size, copy.cut) == (whole[:most], len(whole), len(whole) > most)
    assert sum(kept) == len(copy.data)


def test_a_copy_is_over_once() -> None:
    copy, told = Copy(), []
    copy.on_over = lambda: told.append(copy.ended)
    copy.end()
    copy.stop()
    copy.end()
    assert told == [True]
    broken = Copy()
    broken.stop()
    broken.end()
    assert (broken.over, broken.ended) == (True, False)


def test_less_may_be_kept() -> None:
    copy = Copy()
    copy.most = 10
    copy.more(b"abc")
    copy.more(b"def")
    copy.keep(20)
    assert (copy.data, copy.cut) == (b"abcdef", False)
    copy.keep(4)
    assert (copy.data, copy.cut, copy.size) == (b"abcd", True, 6)


def test_a_head_is_known_once() -> None:
    record, told = Record(0.0), []
    record.on_head = lambda: told.append(record.status)
    record.answered(503, "Busy", [(b"Via-Goto", b"a")])
    record.answered(200, None, [])
    assert told == [503]
    assert (record.status, record.reason, record.fields) == (503, "Busy", [(b"Via-Goto", b"a")])
    assert record.head is not None


def test_the_time_of_the_upstream_is_that_of_calls_that_were_answered() -> None:
    record = Record(0.0)
    assert record.upstream is None
    failed = record.calling("t", "http://h/")
    failed.failed("refused")
    assert record.upstream is None
    record.calling("u", "http://h/").answered(200)
    assert record.upstream is not None
    assert [call.target for call in record.calls] == ["t", "u"]


def test_what_a_call_says_of_its_connection() -> None:
    call = MadeCall("t", "http://h/")
    call.reached(("10.0.0.1", 80, 0, 0))
    call.reached(None)
    call.connected(0.5, 0.2)
    assert (call.address, call.connect, call.tls) == ("10.0.0.1", 0.5, 0.2)
    call.answered(200)
    seconds = call.seconds
    call.failed("broke off")
    assert (call.status, call.error, call.seconds) == (200, "broke off", seconds)
