"""The plug-in of pytest: a goto for each test.

    def test_retries(goto):
        goto.fail(503, times=2, to="/orders")
        assert Client(goto.url).order(1).ok

One instance serves a whole run, and each test has a listener of its own. What a test expects is checked while it is called, so
that it fails as its own assertions do. All but pytest is imported by the fixtures: a run that uses none does not pay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from goto.testing.awaited import AsyncGoto
    from goto.testing.failures import ApiFailure
    from goto.testing.instances import Instance
    from goto.testing.plain import Goto

_unmet: pytest.StashKey[Exception] = pytest.StashKey()
"""What was expected of goto by a test that has not failed by itself."""

_used: pytest.StashKey[list[Goto]] = pytest.StashKey()
"""The listeners of a test."""

OPTIONS = {
    "goto_url": "use the goto that runs at this URL, standalone or in mitmproxy",
    "goto_token": "its admin token",
    "goto_har": "write a HAR of each test that failed into this folder",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("goto")
    for name, what in OPTIONS.items():
        group.addoption("--" + name.replace("_", "-"), metavar="DIR" if name == "goto_har" else name[5:].upper(), help=what)
        parser.addini(name, what)
    what = "start goto in a process of its own instead of a thread"
    group.addoption("--goto-process", action="store_true", default=None, help=what)
    parser.addini("goto_process", what, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    what = 'goto(config="x.yaml", journal={"bodies": "1MiB"}): set up the listener of a test'
    config.addinivalue_line("markers", what)


def _option(config: pytest.Config, name: str) -> Any:
    """What the command line says, else pytest.ini."""
    given = config.getoption(name)
    return config.getini(name) if given is None else given


# ---------------------------------------------------------------- fixtures
@pytest.fixture(scope="session")
def goto_instance(pytestconfig: pytest.Config) -> Iterator[Instance]:
    """The instance of this run. `goto_instance.listener(…)` makes listeners for fixtures of wider scope."""
    from goto.testing.instances import Instance

    url, token = _option(pytestconfig, "goto_url"), _option(pytestconfig, "goto_token")
    instance = Instance(url or None, token or None, process=_option(pytestconfig, "goto_process"))
    yield instance
    instance.stop()


@pytest.fixture
def goto_listener(goto_instance: Instance, request: pytest.FixtureRequest) -> Iterator[Callable[..., Goto]]:
    """`goto_listener(label="b", https=True, host="::1")` makes another listener for this test."""
    used = request.node.stash.setdefault(_used, [])
    made: list[Goto] = []

    def listener(label: str = "", *, https: bool = False, host: str | None = None) -> Goto:
        goto = goto_instance.listener(label, https=https, host=host)
        made.append(goto)
        used.append(goto)
        return goto

    yield listener
    for goto in made:
        goto_instance.remove(goto)


@pytest.fixture
def goto_server(goto_instance: Instance, request: pytest.FixtureRequest) -> Iterator[Goto]:
    """A goto with a listener of its own: its port, its rules, its counts. It is removed when the test is over."""
    marker = request.node.get_closest_marker("goto")
    journal = marker.kwargs.get("journal") if marker is not None else None
    config = marker.kwargs.get("config") if marker is not None else None
    name = ""
    if config is not None:
        name = str(Path(request.node.path.parent, config))
        config = Path(name).read_bytes()
    if journal is not None:
        goto_instance.keep(journal)
    try:
        goto = goto_instance.listener(config=config, name=name)
        request.node.stash.setdefault(_used, []).append(goto)
        yield goto
        goto_instance.remove(goto)
    finally:
        if journal is not None:
            goto_instance.keep_as_usual()


@pytest.fixture
def goto(goto_server: Goto) -> Goto:
    """The same as `goto_server`."""
    return goto_server


@pytest.fixture
def agoto(goto_instance: Instance, goto_server: Goto, request: pytest.FixtureRequest) -> AsyncGoto:
    """The same as `goto`, awaited. What it expects is checked with what `goto` does."""
    awaited = goto_instance.awaited(goto_server)
    awaited._expected = goto_server._expected
    awaited._numbers = goto_server._numbers
    return awaited


# ---------------------------------------------------------------- failing
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """Check what was expected, once the test itself is done. A test that has failed keeps its own exception, with a note."""
    outcome = yield
    used = item.stash.get(_used, None)
    if not used:
        return
    error = outcome.excinfo[1] if outcome.excinfo is not None else None
    if isinstance(error, pytest.skip.Exception | pytest.xfail.Exception) or not isinstance(error, Exception | None):
        return
    missed = _missed(used)
    if missed is None:
        return
    if error is not None:
        error.add_note(f"what was expected of goto, and is not so:\n{missed.text}")
    else:
        item.stash[_unmet] = missed
        outcome.force_exception(missed)


def _missed(used: list[Goto]) -> ApiFailure | None:
    """What was expected and is not so, of all listeners of a test, or why that cannot be told."""
    from goto.testing.failures import ApiFailure, NotHeld

    missed: list[ApiFailure] = []
    for goto in used:
        try:
            goto.check()
        except ApiFailure as failure:
            missed.append(failure)
    if len(missed) < 2:
        return missed[0] if missed else None
    return NotHeld("\n\n".join(failure.text for failure in missed), missed[0].status, missed[0].answer)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """A test that has failed shows what went through goto."""
    outcome = yield
    used = item.stash.get(_used, None)
    report = outcome.get_result()
    if not used or call.when != "call" or not report.failed:
        return
    from goto.testing.failures import ApiFailure

    if call.excinfo is not None and call.excinfo.value is item.stash.get(_unmet, None):
        report.longrepr = call.excinfo.getrepr(style="value")  # the lines of this file say nothing
    folder = _option(item.config, "goto_har")
    for number, goto in enumerate(used):
        try:
            report.sections.append(("goto", goto.report()))
            if folder:
                goto.har(_har_file(Path(folder), item.nodeid, number))
        except ApiFailure as failure:  # it may be what the test was about
            report.sections.append(("goto", failure.text))


def _har_file(folder: Path, test: str, number: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", test).strip("-")
    return folder / f"{name}{f'-{number + 1}' if number else ''}.har"
