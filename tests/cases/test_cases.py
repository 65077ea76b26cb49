"""The shared cases: those of a few seconds always, the others with `ALL_CASES=1`, as `make test-all` has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.cases import cases_here, names, programs, run_case

NOT_YET = {
    "S01": "interim answers pass",
    "S13": "loops",
    "S28": "headers that replace",
}
"""What is still to be built. A case that passes comes off the list: it fails as long as it is on it."""

AT_ODDS = {
    "C06": "asks that the time for a head bounds a whole answer, which maxTime does",
    "C20": "asks for six figures in 20 columns, where columns are left out",
    "C17": "reads the results of a request with two Host, which is refused",
    "C22": "asks for proxies of the environment, which are never used",
    "C29": "asks for `1 requests`",
    "C33": "asks that a request which is sent again counts twice",
    "K03": "asks that SIGUSR1 does not end goto",
    "K07": "asks that peers are forgotten after 100 s, not after 5 m",
    "K09": "takes what is below `/goto` for traffic",
    "K10": "asks that `--port 0` is refused, and that it is not",
    **dict.fromkeys(("S29", "S30"), "reads a body where there is one in base64"),
    "S21": "asks that goto never says 100 for an upstream that is silent, not even after a second",
    "S33": "starts goto with a label that is refused",
}
"""What goto does on purpose, and the case asks otherwise."""

UNSTEADY = {
    "C32": "ends goto while Python itself still starts, which is a traceback of Python's",
    **dict.fromkeys(("C16", "K12"), "bounds seconds, which a busy machine exceeds"),
}
"""They pass, if not always."""

SLOW = frozenset(
    [
        *("C06", "C07", "C15", "C20", "C33", "K01", "K03", "K07", "K09", "K10", "K12", "K14", "K22", "K23"),
        *("M2", "S01", "S03", "S07", "S13", "S17", "S20", "S33", "S36", "X1"),
    ]
)
"""Those that take longer than ten seconds."""

pytestmark = cases_here


def cases() -> list[object]:
    found = []
    for name in names():
        marks = []
        if name in SLOW and not os.environ.get("ALL_CASES"):
            marks.append(pytest.mark.skip(reason="slow: make test-all runs it"))
        if reason := NOT_YET.get(name) or AT_ODDS.get(name):
            marks.append(pytest.mark.xfail(reason=reason, strict=True))
        elif name in UNSTEADY:
            marks.append(pytest.mark.xfail(reason=UNSTEADY[name], strict=False))
        found.append(pytest.param(name, marks=marks))
    return found


@pytest.mark.parametrize("name", cases())
def test_case(name: str, tmp_path: Path) -> None:
    run_case(name, programs(tmp_path))


def test_every_name_is_that_of_a_case() -> None:
    assert not {*NOT_YET, *AT_ODDS, *UNSTEADY, *SLOW} - set(names())
    assert not NOT_YET.keys() & AT_ODDS.keys()
