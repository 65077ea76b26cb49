"""The plug-in of pytest, in runs of its own."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from support import ROOT
from support.goto_process import Goto
from support.upstream import Upstream

import goto

pytest_plugins = ["pytester"]

# a run within this process forgets what it has imported: half of goto would be there twice in the next one
for found in pkgutil.walk_packages(goto.__path__, "goto."):
    if "mitm" not in found.name and not found.name.endswith("__main__"):
        importlib.import_module(found.name)

PLUGIN = "goto.testing.plugin"
INSTALLED = any(found.name == "goto" for found in entry_points(group="pytest11"))

ASK = """
import http.client

def ask(goto, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", goto.port, timeout=20)
    connection.request(method, path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status
"""


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Callable[..., Goto]:
    """The fixture `goto` of these tests, which is not the one of the plug-in."""
    start: Callable[..., Goto] = request.getfixturevalue("goto")
    return start


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """`run(source, *words)`: run a file of tests, in this process."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(source: str, *words: str) -> pytest.RunResult:
        pytester.makepyfile(helper=ASK)
        pytester.makepyfile(test_it="from helper import ask\nimport pytest, threading, asyncio\n" + source)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", PLUGIN, *words)

    return run


def shown(result: pytest.RunResult, test: str) -> str:
    """What a run says of a test that failed, without what differs from run to run."""
    text = "\n".join(result.outlines)
    found = re.search(rf"^_+ {test} _+\n(.*?)(?=^_{{3,}} |^={{3,}} |^-+ Captured)", text, re.M | re.S)
    assert found, text
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", found[1])
    text = re.sub(r"127\.0\.0\.1:\d+ ", "CLIENT ", text)
    text = re.sub(r"\d+\.\d+ms", "MS", text)
    text = re.sub(r"\d{2}:\d{2}:\d{2}\.\d{3}", "TIME", text)
    return re.sub(r"\b[1-6]\d{4}\b", "PORT", text).strip()


# ---------------------------------------------------------------- a listener for each test
def test_a_listener_for_each_test(run: Callable[..., pytest.RunResult]):
    run("""
ports = []

def test_exactly_the_next_two(goto, goto_server):
    assert goto is goto_server
    ports.append(goto.port)
    goto.fail(503, times=2, to="/orders")
    assert [ask(goto, "/orders") for _ in range(3)] == [503, 503, 200]
    assert [seen.status for seen in goto.seen("/orders")] == [503, 503, 200]

def test_nothing_is_left(goto):
    assert goto.port not in ports
    assert goto.calls.response.rules() == {}
    assert goto.seen() == []

def test_more_of_them(goto, goto_listener):
    other = goto_listener(label="b")
    other.fail(503)
    assert (ask(goto, "/"), ask(other, "/")) == (200, 503)
    assert other.calls.label() == "Label: b"

@pytest.fixture(scope="module")
def shared(goto_instance):
    goto = goto_instance.listener("shared")
    yield goto
    goto_instance.remove(goto)

def test_of_wider_scope(shared):
    assert ask(shared, "/a") == 200

def test_of_wider_scope_again(shared):
    assert [seen.uri for seen in shared.seen()] == ["/a"]
""").assert_outcomes(passed=5)


def test_a_straggler_of_one_test_is_counted_0_in_the_next(run: Callable[..., pytest.RunResult]):
    run("""
stop = threading.Event()
stragglers = []

def straggle(goto):
    while not stop.is_set():
        try:
            ask(goto, "/straggler")
        except OSError:
            pass

def test_leaves_a_thread_that_goes_on_sending(goto):
    thread = threading.Thread(target=straggle, args=[goto])
    thread.start()
    stragglers.append(thread)
    goto.wait_for("/straggler", times=3)

def test_is_not_reached_by_it(goto):
    for _ in range(50):
        assert ask(goto, "/mine") == 200
    assert goto.seen("/straggler") == []
    assert len(goto.seen()) == 50
    assert goto.calls.response.status.counts()["countsByResponseStatus"] == {"200": 50}
    stop.set()
    stragglers[0].join()
""").assert_outcomes(passed=2)


def test_https(pytester: pytest.Pytester):
    pytest.importorskip("trustme")
    # in a process of its own, since what makes certificates can be imported only once
    pytester.makepyfile("""
import ssl, urllib.request

def test_it(goto_listener):
    goto = goto_listener(https=True, host="localhost")
    context = ssl.create_default_context(cafile=goto.ca)
    with urllib.request.urlopen(goto.url_for("/a"), context=context) as answer:
        assert answer.status == 200
    assert [seen.uri for seen in goto.seen()] == ["/a"]
""")
    pytester.runpytest_subprocess("-p", "no:cacheprovider", *([] if INSTALLED else ["-p", PLUGIN])).assert_outcomes(passed=1)


def test_marks_set_up_the_listener(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester):
    pytester.makefile(".yaml", x="response: {status: 418}\n")
    run(
        """
@pytest.mark.goto(config="x.yaml", journal={"bodies": "1MiB"})
def test_it(goto):
    assert ask(goto, "/") == 418
    assert goto.calls.goto.config()["journal"] == {"bodies": "1048576"}

def test_after_it(goto):
    assert ask(goto, "/") == 200
    assert goto.calls.goto.config()["journal"] == {}

@pytest.mark.goto(config="y.yaml")
def test_without_the_file(goto):
    pass
""",
        "--strict-markers",
    ).assert_outcomes(passed=2, errors=1)


# ---------------------------------------------------------------- failing
FAILING = """
def test_expectation(goto):
    goto.expect("/orders", times=2, method="POST")
    goto.fail(503, to="/order/{id}")
    ask(goto, "/orders")

def test_assertion(goto):
    goto.expect("/orders")
    assert ask(goto, "/order") == 503

def test_two_listeners(goto, goto_listener):
    goto_listener().expect_nothing("/a")
    ask(goto, "/a")
    goto.expect("/b")

def test_met(goto):
    goto.expect("/a", times=1)
    ask(goto, "/a")

def test_skipped(goto):
    goto.expect("/a")
    pytest.skip("for now")

@pytest.mark.xfail
def test_expected_to_fail(goto):
    goto.expect("/a")
"""

EXPECTATION = """\
wanted exactly 2, saw 0 within 0s:  POST /orders  listener PORT
nearest    #1  GET /orders  200   methods: wanted POST, was GET
------------------------------------- goto -------------------------------------
http://CLIENT the last exchanges
#1 TIME PORT CLIENT GET /orders 200 MS completed
rules
r1  active  matched 0  struck 0  unable 0
nearest to r1
nearest    #1  GET /orders  200   uris: wanted /order/{id}, was /orders"""

ASSERTION = """\
E       what was expected of goto, and is not so:
E       wanted at least 1, saw 0 within 0s:  /orders  listener PORT
E       nearest    #2  GET /order  200   uris: wanted /orders, was /order"""


def test_what_is_not_met_fails_the_test_in_the_call_phase(run: Callable[..., pytest.RunResult]):
    result = run(FAILING)
    result.assert_outcomes(passed=1, failed=3, skipped=1, xfailed=1, errors=0)
    assert shown(result, "test_expectation").replace("http://127.0.0.1:PORT:", "http://CLIENT") == EXPECTATION
    assertion = shown(result, "test_assertion")
    assert "assert 200 == 503" in assertion
    assert ASSERTION in assertion
    assert shown(result, "test_two_listeners").startswith("wanted at least 1, saw 0 within 0s:  /b  listener PORT")
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_expectation - goto.testing.failures.NotHeld: wanted *"])


def test_what_cannot_be_told_fails_the_test_too(run: Callable[..., pytest.RunResult]):
    result = run("""
def test_it(goto):
    goto.expect("/a")
    goto.calls.goto.journal.expectations.clear()
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["unknown expectation: *"])


def test_what_is_masked_stays_so(run: Callable[..., pytest.RunResult]):
    result = run("""
def test_it(goto):
    import urllib.request
    request = urllib.request.Request(goto.url_for("/a"), headers={"Authorization": "Bearer sesame"})
    urllib.request.urlopen(request)
    goto.expect("/b")
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*GET /a 200*"])
    result.stdout.no_fnmatch_line("*sesame*")


def test_a_har_of_each_test_that_failed(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester):
    run(FAILING, "--goto-har", "hars").assert_outcomes(passed=1, failed=3, skipped=1, xfailed=1)
    there = sorted(file.name for file in (pytester.path / "hars").iterdir())
    assert there == [
        "test_it.py-test_assertion.har",
        "test_it.py-test_expectation.har",
        "test_it.py-test_two_listeners-2.har",
        "test_it.py-test_two_listeners.har",
    ]
    assert (
        '"/orders"' in (pytester.path / "hars" / there[1]).read_text()
        or "/orders" in (pytester.path / "hars" / there[1]).read_text()
    )


# ---------------------------------------------------------------- async tests
def test_awaited(run: Callable[..., pytest.RunResult]):
    result = run("""
async def asked(goto):
    return await asyncio.to_thread(ask, goto, "/a")

def test_agoto(agoto):
    async def test():
        await agoto.fail(503, times=1)
        await agoto.expect("/a", times=2)
        assert [await asked(agoto) for _ in range(2)] == [503, 200]
        await agoto.check()
        await agoto.expect("/a", times=0)
        assert len(await agoto.wait_for("/a", times=2)) == 2
    asyncio.run(test())

def test_agoto_and_goto_are_one(agoto, goto):
    async def test():
        assert agoto.url == goto.url
        goto.fail(503)
        await agoto.expect("/b")
        assert await asked(agoto) == 503
    asyncio.run(test())

def test_goto_says_that_it_would_block(goto):
    async def test():
        goto.fail(503)
        goto.wait_for("/a")
    asyncio.run(test())
""")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*RuntimeError: goto.wait_for would block the event loop*await agoto.wait_for(…)"])
    result.stdout.fnmatch_lines(["wanted at least 1, saw 0 within 0s:  /b*"])


# ---------------------------------------------------------------- instances
TWO = """
def test_one(goto):
    goto.fail(503, times=1, to="/a")
    assert [ask(goto, "/a"), ask(goto, "/a")] == [503, 200]
    assert [seen.status for seen in goto.seen("/a")] == [503, 200]

def test_two(goto):
    goto.expect("/a", times=1)
    assert ask(goto, "/a") == 200
"""


def test_in_a_process(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester):
    run(TWO, "--goto-process").assert_outcomes(passed=2)
    pytester.makeini("[pytest]\ngoto_process = yes\n")
    run("def test_it(goto_instance):\n    assert type(goto_instance._own).__name__ == 'InProcess'\n").assert_outcomes(passed=1)


def test_with_one_that_runs(run: Callable[..., pytest.RunResult], running: Callable[..., Goto], pytester: pytest.Pytester):
    process = running("plugin", env={"GOTO_ADMIN_TOKEN": "secret"})
    run(TWO, "--goto-url", process.base, "--goto-token", "secret").assert_outcomes(passed=2)
    assert list(process.call("GET", "/listeners", headers={"Authorization": "Bearer secret"}).json()) == [str(process.port)]
    pytester.makeini(f"[pytest]\ngoto_url = {process.base}\ngoto_token = secret\n")
    run(TWO).assert_outcomes(passed=2)
    wrong = run(TWO, "--goto-token", "another")
    wrong.assert_outcomes(errors=2)
    wrong.stdout.fnmatch_lines(["*Unauthorized: *token*"])


def test_with_one_in_mitmproxy(run: Callable[..., pytest.RunResult], upstream: Upstream):
    mitm = pytest.importorskip("support.mitm_process", reason="mitmproxy is not installed in this Python")
    with mitm.Mitmdump(f"reverse:{upstream.base}") as process:
        run(TWO, "--goto-url", process.base).assert_outcomes(passed=2)
        assert list(process.call("GET", "/listeners").json()) == [str(process.port)]


def test_workers_have_an_instance_each(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("xdist")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(helper=ASK)
    tests = "\n".join(TWO.replace("test_one", f"test_one_{n}").replace("test_two", f"test_two_{n}") for n in range(4))
    pytester.makepyfile(test_it="from helper import ask\n" + tests)
    pytester.runpytest_subprocess("-p", "xdist.plugin", "-p", PLUGIN, "-n", "4").assert_outcomes(passed=8)


# ---------------------------------------------------------------- who does not use it
def test_a_run_that_does_not_use_it_imports_nothing():
    code = "import sys, pytest; before = set(sys.modules); import goto.testing.plugin; print(*sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(ran.stdout.split()) <= {"__future__", "goto", "goto.testing", "goto.testing.plugin"}


def test_the_entry_point():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["project"]["entry-points"]["pytest11"] == {"goto": PLUGIN}


def test_the_options_are_in_the_help(run: Callable[..., pytest.RunResult]):
    result = run("", "--help")
    result.stdout.fnmatch_lines(["goto:", "*--goto-url=URL*", "*--goto-token=TOKEN*", "*--goto-har=DIR*", "*--goto-process*"])
    assert Path(ROOT, "goto", "testing", "plugin.py").exists()
