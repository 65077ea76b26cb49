"""`--fail-if`: what it takes, and what it then says."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.counting import count_answer, count_failure

from goto.client.counts import Counts
from goto.command.send.conditions import Condition
from goto.upstream.errors import Broken, TooSlow


def counted(statuses: list[int], latency: float = 0.1) -> Counts:
    counts = Counts()
    for number, status in enumerate(statuses):
        if status:
            count_answer(counts, status, sent=number, now=number + latency)
        else:
            count_failure(counts, Broken("closed"), sent=number, now=number + latency)
    counts.fold()
    return counts


FOUR = [200, 201, 404, 0]


@pytest.mark.parametrize(
    ("text", "statuses", "reason"),
    [
        ("p99>200ms", [200], ""),
        ("p99>50ms", [200], "p99 = 100."),
        ("p99.9 >= 0.1s", [200], "p99.9 = 100."),
        ("p50<1s", [200], "p50 = 100."),
        ("max<=99ms", [200], ""),
        ("mean>99ms", [200], "mean = 100."),
        ("p1>0", [200], "p1 = "),
        ("p99>200ms", [0, 0], "there was no answer"),
        ("p75>200ms", FOUR, ""),
        ("p76>200ms", FOUR, "1 request of 4 failed without a latency"),
        ("max>200ms", FOUR, "1 request of 4 failed without a latency"),
        ("mean>200ms", FOUR, ""),
        ("errors>0", FOUR, "errors = 1"),
        ("errors>1", FOUR, ""),
        ("errors>=25%", FOUR, "errors = 25%"),
        ("errors>25%", FOUR, ""),
        ("errors>0%", [], ""),
        ("requests!=4", FOUR, ""),
        ("requests==4", FOUR, "requests = 4"),
        ("requests=4", FOUR, "requests = 4"),
        ("rps<100", FOUR, "rps = 1.0"),
        ("rps<1", [0, 0, 0], "rps = 0.0"),
        ("rps>100", FOUR, ""),
        ("status!=2xx", FOUR, "true for 2 of 4"),
        ("status!=2xx", [200, 204], ""),
        ("status==404", FOUR, "true for 1 of 4"),
        ("status = 5xx", FOUR, ""),
        ("status!=200", [200], ""),
        ("status==0", FOUR, "true for 1 of 4"),
        ("status!=0xx", FOUR, None),
    ],
)
def test_a_condition_holds_or_not(text: str, statuses: list[int], reason: str | None):
    if reason is None:
        with pytest.raises(ValueError, match="status"):
            Condition.parse(text)
        return
    said = Condition.parse(text).check(counted(statuses))
    assert said.startswith(reason)
    assert bool(said) == bool(reason)


def test_checks_are_errors_and_are_counted_alone():
    counts = counted(FOUR)
    count_answer(counts, failed=["body~ok", "status=200"])
    counts.fold()
    found = {
        text: Condition.parse(text).check(counts) for text in ("errors==2", "checks==1", "checks>=20%", "checks>1", "status==0")
    }
    assert [bool(said) for said in found.values()] == [True, True, True, False, True]


def test_what_was_given_up_is_in_the_percentiles():
    counts = counted([200] * 5)
    for _ in range(5):
        count_failure(counts, TooSlow("no answer"), sent=1.0, now=3.0)
    counts.fold()
    assert not Condition.parse("p50>1s").check(counts)
    assert Condition.parse("p51>1s").check(counts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p99",
        "p99>",
        ">200ms",
        "p99>200",
        "p99>x",
        "p99>-1s",
        "p99==1s",
        "p0>1s",
        "p101>1s",
        "p>1s",
        "latency>1s",
        "status>200",
        "status!=2x",
        "status!=abc",
        "errors>x",
        "errors>-1",
        "errors>1ms",
        "errors>1e3",
        "rps>1%",
        "rps==5",
        "requests>1%",
        "p99>1s p50>1s",
        "P99>1s",
    ],
)
def test_what_is_no_condition_is_refused_with_the_reason(text: str):
    with pytest.raises(ValueError, match=r".") as error:
        Condition.parse(text)
    assert "\n" not in str(error.value)


words = st.sampled_from(["p99", "p50.5", "max", "mean", "errors", "rps", "requests", "status", "p", "x", " "])
signs = st.sampled_from([">", "<", ">=", "<=", "==", "!=", "=", "", "<>"])
values = st.sampled_from(["200ms", "0", "1.5s", "2xx", "404", "10%", "5", "", "%", "nan", "1_0", "٣"])


@given(words, signs, values)
def test_every_text_is_a_condition_that_can_be_checked_or_refused(what: str, sign: str, value: str):
    with contextlib.suppress(ValueError):
        condition = Condition.parse(what + sign + value)
        assert isinstance(condition.check(counted(FOUR)), str)
        assert isinstance(condition.check(Counts()), str)


@given(st.text(max_size=12))
def test_any_text_at_all(text: str):
    with contextlib.suppress(ValueError):
        Condition.parse(text)


@given(st.lists(st.sampled_from([200, 302, 503, 0])), st.integers(0, 12))
def test_opposite_signs_never_agree(statuses: list[int], limit: int):
    counts = counted(statuses)
    for more, less in ((">", "<="), (">=", "<"), ("==", "!=")):
        said = [bool(Condition.parse(f"errors{sign}{limit}").check(counts)) for sign in (more, less)]
        assert sorted(said) == [False, True]
