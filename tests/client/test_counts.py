"""Counting one target's answers and failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.counting import count_answer, count_failure

from goto.client.counts import HEADERS_LIMIT, KINDS_LIMIT, TEXTS_LIMIT, Counts, NotConnected, Stopped
from goto.counting import bounded
from goto.flow import Field
from goto.upstream.errors import Broken, TooSlow, Unreachable, UpstreamError

TRACKED = {b"set-cookie": "set-cookie", b"x": "x"}
ERRORS: list[UpstreamError] = [
    Unreachable("no way"),
    TooSlow("no answer"),
    Broken("closed"),
    Stopped("stopped"),
    UpstreamError("?"),
]


def answer(counts: Counts, status: int = 200, reason: bytes = b"OK", fields: Sequence[Field] = (), **times: Any) -> None:
    count_answer(counts, status, reason, fields, TRACKED, **times)


def shown(counts: Counts) -> dict[str, Any]:
    counts.fold()
    names = (
        "texts",
        "codes",
        "headers",
        "values",
        "errors",
        "checks",
        "connections",
        "resent",
        "bytes_sent",
        "bytes_received",
        "start",
        "end",
    )
    return (
        {name: getattr(counts, name) for name in names}
        | {"raw": counts.raw.counts, "corrected": counts.corrected.counts}
        | {phase: latencies.counts for phase, latencies in counts.phases.items()}
    )


def test_status_lines_have_code_and_reason_as_they_came():
    counts = Counts()
    answer(counts, 418, b"I'm a teapot")
    answer(counts, 418, b"I'm a teapot")
    answer(counts, 299, b"")
    counts.fold()
    assert counts.texts == {"418 I'm a teapot": 2, "299": 1}
    assert counts.codes == {418: 2, 299: 1}
    assert counts.requests == 3
    assert (counts.bytes_sent, counts.bytes_received) == (30, 9)


def test_a_repeated_header_counts_once_an_answer_and_each_of_its_values():
    counts = Counts()
    for _ in range(2):
        answer(counts, fields=[(b"Set-Cookie", b"a=1"), (b"SET-cookie", b"b=2"), (b"set-cookie", b"a=1"), (b"other", b"1")])
    answer(counts, fields=[(b"X", b"\xff")])
    assert counts.headers == {"set-cookie": 2, "x": 1}
    assert counts.values == {"set-cookie": {"a=1": 2, "b=2": 2}, "x": {r"\xff": 1}}


def test_errors_count_under_0_with_their_text_and_by_kind():
    counts = Counts()
    for error in [*ERRORS, NotConnected("too late"), Broken("closed")]:
        count_failure(counts, error, size=5)
    assert counts.codes == {0: 7}
    assert counts.texts == {"no way": 1, "no answer": 1, "closed": 2, "stopped": 1, "?": 1, "too late": 1}
    assert counts.errors == {"connect": 1, "timeout": 1, "broken": 2, "stopped": 1, "other": 1, "connectTimeout": 1}
    counts.fold()
    # time-outs and stops took at least as long as they were waited for
    assert (len(counts.raw), counts.without_latency, counts.raw.max) == (3, 4, pytest.approx(1000, rel=0.01))


def test_corrected_latencies_count_from_when_a_request_was_due():
    counts = Counts()
    answer(counts, sent=2.0, due=1.0, now=2.001)
    answer(counts, sent=2.0, due=None, now=2.001)
    counts.fold()
    assert sorted(counts.raw.counts) == [1000]
    assert sorted(counts.corrected.counts) == [1000, 1_000_960]


def test_the_rate_is_over_the_time_between_the_first_request_and_the_last_answer():
    counts = Counts()
    assert counts.per_second == 0
    answer(counts, sent=10.0, now=10.5)
    answer(counts, sent=11.0, now=12.0)
    counts.fold()
    assert counts.per_second == pytest.approx(1.0)


def test_texts_and_values_are_bounded():
    counts = Counts()
    for number in range(bounded.VALUES_LIMIT + 10):
        answer(counts, 200, b"OK %d" % number, [(b"x", b"%d" % number)])
    counts.fold()
    assert len(counts.texts) == TEXTS_LIMIT + 1
    assert len(counts.values["x"]) == bounded.VALUES_LIMIT + 1
    assert sum(counts.texts.values()) == sum(counts.values["x"].values()) == counts.requests == counts.codes[200]


def test_headers_tracked_over_time_are_bounded_and_so_is_what_others_send():
    counts, merged = Counts(), Counts()
    for number in range(HEADERS_LIMIT + 10):
        name = f"h{number}"
        count_answer(counts, fields=[(name.encode(), b"v")], tracked={name.encode(): name})
    foreign = Counts()
    foreign.headers = {f"f{number}": 1 for number in range(HEADERS_LIMIT + 10)}
    foreign.values = {name: {"v": 1} for name in foreign.headers}
    foreign.errors = {f"kind {number}": 1 for number in range(KINDS_LIMIT + 10)}
    merged.merge(foreign)
    for some in (counts, merged):
        assert len(some.headers) == len(some.values) == HEADERS_LIMIT + 1
        assert some.headers[bounded.OTHER] == some.values[bounded.OTHER]["v"] == 10
    assert (len(merged.errors), merged.errors[bounded.OTHER]) == (KINDS_LIMIT + 1, 10)


def test_cleared_it_is_new_but_for_who_uses_it():
    counts = Counts()
    counts.users = 2
    answer(counts)
    counts.clear()
    assert shown(counts) == shown(Counts())
    assert counts.users == 2


events = st.lists(
    st.tuples(
        st.sampled_from([200, 404, 0]),
        st.floats(1, 100, allow_nan=False),
        st.floats(0, 5, allow_nan=False),
        st.lists(st.tuples(st.sampled_from([b"x", b"Set-Cookie"]), st.sampled_from([b"1", b"2"])), max_size=3),
        st.sampled_from(ERRORS),
        st.booleans(),
    ),
    max_size=12,
)


def count_into(counts: Counts, happened: list[Any]) -> None:
    for status, sent, took, fields, error, late in happened:
        counts.resent += late
        if status:
            answer(counts, status, b"So", fields, sent=sent, due=sent - 1 if late else None, now=sent + took)
        else:
            count_failure(counts, error, sent=sent, now=sent + took, size=7, body=1)


@given(events, events, events)
def test_merging_is_counting_all(one: list[Any], two: list[Any], three: list[Any]):
    merged, together = Counts(), Counts()
    for part in (one, two, three):
        counts = Counts()
        count_into(counts, part)
        merged.merge(counts)
    count_into(together, one + two + three)
    # moments come in order in life, not here
    got, expected = ({**shown(counts), "start": counts.start is None, "end": counts.end is None} for counts in (merged, together))
    assert got == expected


def test_merged_it_lasted_from_the_first_start_to_the_last_end():
    merged = Counts()
    for sent, now in ((5.0, 6.0), (2.0, 3.0), (8.0, 9.0)):
        counts = Counts()
        answer(counts, sent=sent, now=now)
        merged.merge(counts)
        merged.merge(Counts())
    assert merged.start is not None
    assert merged.end is not None
    assert merged.end - merged.start == pytest.approx(7.0)
    assert merged.per_second == pytest.approx(3 / 7)


EVENTS = st.tuples(
    st.sampled_from(["answer", "answer", "answer", "fails check", "failure", "connected", "again", "late", "fold", "clear"]),
    st.integers(0, 1),
    st.floats(0.0, 0.3),
    st.integers(0, 4),
)


@given(events=st.lists(EVENTS, max_size=80))
def test_what_counts_in_parts_counts_as_a_whole(events: list[tuple[str, int, float, int]]):
    whole, at_once = Counts(recorded=True), Counts(recorded=True)
    parts = [Counts(recorded=True), Counts(recorded=True)]
    own = [Counts(recorded=True), Counts(recorded=True)]  # what each part counts by itself
    for part in parts:
        part.whole = whole
        part.use()
    at_once.use()
    now = 100.0
    for counts in (*parts, at_once, *own):
        counts.begin(now)
    for what, place, later, kind in events:
        now += later
        for counts in (parts[place], at_once, own[place]):
            times = {"due": now - 0.02 * kind, "sent": now - 0.01 * kind, "now": now, "size": 7, "body": kind}
            if what in ("answer", "fails check"):
                fields = [(b"X", b"%d" % kind)]
                failed = [f"check {kind}"] if what == "fails check" else None
                counts.answer(200 + kind, b"OK", fields, TRACKED, first=now - 0.005 * kind, failed=failed, **times)
            elif what == "failure":
                counts.failure(ERRORS[kind], **times)
            elif what == "connected":
                counts.connected((0.0, later, 0.001 * kind))
            elif what == "again":
                counts.sent_again()
            elif what == "late":
                counts.late()
            elif what == "fold":
                counts.fold()
        if what == "clear":
            for part in parts:
                part.flush()
            whole.clear()
            at_once.clear()
    for part in parts:
        part.release()

    def all_of(counts: Counts) -> dict[str, Any]:
        found = shown(counts)
        assert counts.recorder is not None
        phases = {phase: latencies.counts for phase, latencies in counts.phases.items()}
        return {
            **found,
            "checks": counts.checks,
            "connections": counts.connections,
            "phases": phases,
            "series": counts.recorder.show(),
        }

    assert all_of(whole) == all_of(at_once)
    assert [all_of(part) for part in parts] == [all_of(counts) for counts in own]
    assert whole.users == 0
