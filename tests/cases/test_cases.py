"""The shared cases: those of a few seconds always, the others with `ALL_CASES=1`, as `make test-all` has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.cases import cases_here, names, programs, run_case

AT_ODDS = {
    "C17": "reads the results of a request with two Host, which is refused",
    "C33": "asks that a request which is sent again counts twice",
}
"""What goto does on purpose, and the case asks otherwise."""

ASKS_OTHERWISE = {
    # --timeout is for a head, and between pieces of a body; --max-time bounds a whole answer. A timeout of 0 is the default one
    "C06": "--timeout (1s, a (body with a length|chunked body|body until the end),|0 is none)",
    # what does not fit is left out, and six figures do not fit 20 columns, nor all of them 30
    "C20": "a terminal of (30|20) columns: exit 0, figures never split",
    # proxies of the environment are not used, and there is no option for one
    "C22": "(http_proxy in the environment is used|--proxy|-x): ",
    # asks for `1 requests`
    "C29": "ended before the first answer: the table",
    # a circle of one goto ends behind 32 hops, so that it is 33 exchanges; one of two replicas is 208 with the two 508
    "S13": "(itself|two that point at each other).*: one clear answer, by a few exchanges: (508|208) in ",
    # behind a second of silence goto says 100 itself (RFC 9110, 10.1.1), or a client that waits for it would never send its body
    "S21": r"\(c\): an upstream that is silent: goto does not say 100 for it: 100 at \d{3,4} ms, then 200",
    # headers that are added stand beside those there are; `set` takes their place
    "S28": "(fast|no-fast-path), [A-Za-z-]+, (echo|target): one line",
    # a body that is no UTF-8 is in `BodyBase64`, and not in `Body`
    "S29": "^KeyError: 'Body'$",
    "S30": "^KeyError: 'RequestBody'$",
    # a label with a control character ends the start with 2; here nobody waits for that
    "S33": "^RuntimeError: goto ended with 2: goto: argument --label: control characters",
    # a peer is forgotten when it was silent for 5 m
    "K07": "100 s after they were lost .* they are peers no more: 3 still listed",
    # what is below /goto and no route is 404
    # ... and the start line says where the page is, which is a third URL in it
    "K09": r"(a proxy target at \[::1\]: \(404, b'/goto/health/p is no route|the start line are URLs: goto .*/goto/ui)",
    # the same case asks that port 0 is one that the system chooses
    "K10": "--port '0': one line, exit 2",
}
"""The checks of a case that ask for something else than goto does on purpose: they fail each time, and all others hold."""

BOUNDED = {
    # an interim answer that is here within the first millisecond is taken for none: `0 < 0`
    "S01": "delay 300 ms: the 103 comes, before the 200: 103 at 0, 200 at ",
    # before the first line of goto's own code Python starts: it meets SIGINT by a traceback, and as process 1 it hears no SIGTERM
    "C32": "",
    "K03": "Ctrl-C in the first third of a second: ends, no traceback|as process 1 of a container, SIGTERM in the first 600 ms",
    "C16": "",
    # a busy machine takes longer
    "K12": "(within 1[05] s|no health check waits|the same as JSON)",
}
"""The checks of a case that fail at times, by how fast or slow the machine is; empty for any of them."""

SLOW = frozenset(
    [
        *("C02", "C03", "C04", "C05", "C06", "C07", "C08", "C14", "C15", "C16", "C20", "C26", "C29", "C32", "C33"),
        *("K01", "K03", "K05", "K07", "K09", "K10", "K12", "K14", "K22", "K23"),
        *("M2", "S01", "S03", "S07", "S13", "S17", "S20", "S21", "S33", "S36", "X1"),
    ]
)
"""Those that take longer than seven seconds beside other tests."""

LONGEST = ("S20", "K07")
"""Those that take minutes: they begin first, beside the others."""

pytestmark = cases_here


def cases() -> list[object]:
    found = []
    for name in sorted(names(), key=lambda name: name not in LONGEST):
        marks = []
        if name in SLOW and not os.environ.get("ALL_CASES"):
            marks.append(pytest.mark.skip(reason="slow: make test-all runs it"))
        if reason := AT_ODDS.get(name):
            marks.append(pytest.mark.xfail(reason=reason, strict=True))
        elif BOUNDED.get(name) == "":
            marks.append(pytest.mark.xfail(reason="bounds seconds", strict=False))
        found.append(pytest.param(name, marks=marks))
    return found


@pytest.mark.parametrize("name", cases())
def test_case(name: str, tmp_path: Path) -> None:
    exempt = ASKS_OTHERWISE.get(name) or BOUNDED.get(name, "")
    exempted = run_case(name, programs(tmp_path), exempt)
    assert exempted or name not in ASKS_OTHERWISE, "goto does as the case asks: it comes off the list"


def test_every_name_is_that_of_a_case() -> None:
    assert not {*AT_ODDS, *ASKS_OTHERWISE, *BOUNDED, *SLOW} - set(names())
