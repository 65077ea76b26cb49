"""The shared cases: those of a few seconds always, the others with `ALL_CASES=1`, as `make test-all` has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.cases import cases_here, names, programs, run_case

ASKS_OTHERWISE = {
    # client.md: "`--timeout` stays the time for a head, and between pieces of a body"
    "C06": "--timeout 1s, a (body with a length|chunked body|body until the end), ",
    # edges.md: "One is `1 request`."
    "C16": "--rate 1e-9, then Ctrl-C: ends with the one: ",
    # edges.md: "Two `Host` are refused."; the case asks so too, and then reads results of two
    "C17": "the case itself: JSONDecodeError: ",
    # client.md: "then columns are left out, a number is never split"; the names of the six take 26 columns
    "C20": "a terminal of 20 columns: exit 0, figures never split: ",
    # client.md: "Proxies of the environment are not used."; the last check counts what came by the checks of --proxy
    "C22": "(http_proxy in the environment is used: |goto health goes direct, on purpose: rc=0 )",
    # edges.md: "One is `1 request`."
    "C29": "ended before the first answer: the table: ",
    # edges.md: "A request that is sent again on a new connection […] counts once"
    "C33": "counted as failed, or told as sent twice: ",
    # edges.md: `508` "if it came with 32 or more", and of two replicas a list of two, as a fan-out ever has
    "S13": "(itself|two that point at each other).*: one clear answer, by a few exchanges: (508|208) in ",
    # edges.md: "after 1 s without either goto says 100"
    "S21": r"\(c\): an upstream that is silent: goto does not say 100 for it: 100 at \d{3,4} ms, then 200",
    # edges.md: "`add` adds, as ever"
    "S28": "(fast|no-fast-path), [A-Za-z-]+, (echo|target): one line",
    # edges.md: "What is no UTF-8 stands in base64 as `BodyBase64` instead of `Body`"
    "S29": "^KeyError: 'Body'$",
    # edges.md: "as `RequestBodyBase64` instead of `RequestBody`"
    "S30": "^KeyError: 'RequestBody'$",
    # edges.md, names and labels with a control character: "as options […] exit status 2"; here the case ends, at its last check
    "S33": "^RuntimeError: goto ended with 2: goto: argument --label: control characters",
    # edges.md: a peer that "is silent for 5m" is forgotten
    "K07": "100 s after they were lost .* they are peers no more: 3 still listed",
    # edges.md, `/goto` and all below it: "what is no route is 404"
    "K09": r"a proxy target at \[::1\]: \(404, b'/goto/health/p is no route",
    # edges.md, port 0: "the system chooses"; the same case asks so too
    "K10": "--port '0': one line, exit 2: ",
}
"""The checks of a case to which a page says the opposite: they fail each time, and all others hold."""

BOUNDED = {
    # an interim answer that is here within the first millisecond is taken for none: `0 < 0`
    "S01": "delay 300 ms: the 103 comes, before the 200: 103 at 0, 200 at ",
    # a busy machine takes longer
    "K12": "(within 1[05] s|no health check waits|the same as JSON)",
}
"""The checks of a case that fail at times, by how fast or slow the machine is."""

HELD = frozenset(["C32", "K03"])
"""Those that send signals while Python starts, where goto has no say yet (edges.md: "from the first line of its own code on")."""

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
        found.append(pytest.param(name, marks=marks))
    return found


@pytest.mark.parametrize("name", cases())
def test_case(name: str, tmp_path: Path) -> None:
    exempt = ASKS_OTHERWISE.get(name) or BOUNDED.get(name, "")
    exempted = run_case(name, programs(tmp_path), exempt, held=name in HELD)
    assert exempted or name not in ASKS_OTHERWISE, "goto does as the case asks: it comes off the list"


def test_every_name_is_that_of_a_case() -> None:
    assert not {*ASKS_OTHERWISE, *BOUNDED, *HELD, *SLOW} - set(names())
