"""Features that users bring along."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from support import ROOT
from support.goto_process import Goto, run_goto
from support.lab import Lab, in_lab
from support.ports import free_port

from goto.features import FEATURES
from goto.features.forced_status import ForcedStatus
from goto.features.response_headers import ResponseHeaders
from goto.instance import plugins
from goto.instance.plugins import PluginError, load, with_plugins

FLAKY = str(ROOT / "configs" / "features" / "flaky.py")

HEAD = """
from goto.feature import Feature
from goto.routes import get, put
from goto.settings import setting
"""


def write(folder: Path, text: str, name: str = "mine.py") -> str:
    (folder / name).write_text(HEAD + text)
    return str(folder / name)


def test_they_stand_before_the_forced_status():
    features = with_plugins([FLAKY])
    names = [feature.name for feature in features]
    assert names.index("flaky") == names.index(ForcedStatus.name) - 1 == names.index(ResponseHeaders.name) + 1
    assert [feature for feature in features if feature.name != "flaky"] == list(FEATURES)
    assert with_plugins() == FEATURES


def test_a_file_is_loaded_once():
    assert load(FLAKY) == load(FLAKY)
    assert with_plugins([FLAKY, FLAKY]) == with_plugins([FLAKY])


def test_several_in_one_file_and_what_is_none(tmp_path: Path):
    text = "class A(Feature): ...\nclass _Base(Feature): ...\nclass B(_Base): ...\nfrom goto.features.delay import Delay\n"
    assert [feature.__name__ for feature in load(write(tmp_path, text))] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def x(:\n", "mine.py:5: invalid syntax"),
        ("import nothing_of_that_name\n", "mine.py:5: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("x = 1\ny = 1 / 0\n", "mine.py:6: ZeroDivisionError: division by zero"),
        ("x = 1\n", "mine.py: there is no Feature in it"),
        ("class Delay(Feature): ...\n", "Delay: there is a feature delay already"),
        ("class A(Feature):\n    def __init__(self, x): ...\n", "A: TypeError: "),
        (
            "class A(Feature):\n    @get('/response/delay')\n    def show(self) -> str: ...\n",
            "A: GET /response/delay is Delay's /response/delay already",
        ),
        (
            "class A(Feature):\n    @put('/response/delay/set/{x}')\n    def show(self, x: str) -> str: ...\n",
            "A: PUT /response/delay/set/{x} is Delay's /response/delay/set/{delay} already",
        ),
        ("class A(Feature):\n    @get('/{x}')\n    def show(self, x: str) -> str: ...\n", "A: the route /{x} has to begin with"),
        ("class A(Feature):\n    @get('/')\n    def show(self) -> str: ...\n", "A: the route / has to begin with"),
        ("class A(Feature):\n    @get('/status/mine')\n    def show(self) -> str: ...\n", "A: the route /status/mine would take"),
        (
            "class A(Feature):\n    @setting('response.delay')\n    def x(self) -> int | None: ...\n"
            "    @x.setter\n    def y(self, x: int | None) -> None: ...\n",
            "the key response.delay of A is Delay's already",
        ),
        ("class A(Feature):\n    @setting('a.b')\n    def x(self) -> int | None: ...\n", "the setting a.b has no setter"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, message: str):
    file = write(tmp_path, text)
    with pytest.raises(PluginError) as caught:
        with_plugins([file])
    said = str(caught.value).replace(f"{tmp_path}/", "")
    if "no setter" not in message:  # Python 3.11 wraps this error
        assert said.startswith(message)
    assert "\n" not in said


def test_of_two_plugins_too(tmp_path: Path):
    files = [write(tmp_path, "class A(Feature): ...\n", name) for name in ("a.py", "b.py")]
    with pytest.raises(PluginError, match="A: there is a feature a already"):
        with_plugins(files)


def test_no_such_file():
    with pytest.raises(PluginError, match=r"none\.py: no such file"):
        load("none.py")


def test_installed_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    write(tmp_path, "class Mine(Feature): ...\nother = 5\n", "goto_test_plugin.py")
    monkeypatch.syspath_prepend(tmp_path)

    def entries(*values: str) -> None:
        found = [EntryPoint(f"e{number}", value, plugins.GROUP) for number, value in enumerate(values)]
        monkeypatch.setattr(plugins, "entry_points", lambda group: found)

    entries("goto_test_plugin:Mine")
    assert [feature.name for feature in with_plugins() if feature not in FEATURES] == ["mine"]
    entries("goto_test_plugin", "goto_test_plugin:Mine")
    assert len(with_plugins()) == len(FEATURES) + 1
    for value, message in (
        ("goto_test_plugin:other", "e0 (goto_test_plugin:other): neither a Feature nor a module with one"),
        ("goto_test_none", "e0 (goto_test_none): ModuleNotFoundError: No module named 'goto_test_none'"),
    ):
        entries(value)
        with pytest.raises(PluginError, match=re.escape(message)):
            with_plugins()


def test_each_listener_has_its_own_with_its_routes_and_its_key():
    async def test(lab: Lab) -> None:
        await lab.api("/listeners/add", '{"port": 81}')
        await lab.api("/response/flaky/set/2")
        await lab.post("listeners: [{port: 81, features: {flaky: {every: 5, status: 502}}}]")
        assert lab.state() == {
            "features": {"flaky": {"every": 2}},
            "listeners": [{"port": 81, "protocol": "http", "open": False, "features": {"flaky": {"every": 5, "status": 502}}}],
        }
        answer = await lab.post("features: {flaky: {evry: 0}}")
        assert answer.body.decode().splitlines() == [
            "body:1:20: features.flaky.evry: unknown key; did you mean every?",
        ]
        assert "Let every n-th exchange fail" in (await lab.call("GET", "/goto/help")).body.decode()

    in_lab(test, features=with_plugins([FLAKY]))


def test_in_a_process(goto: Callable[..., Goto]):
    server = goto("plain", "--feature", FLAKY, "--config", str(ROOT / "configs" / "flaky.yaml"))
    assert [server.call("GET", "/").status for _ in range(6)] == [200, 200, 502, 200, 200, 502]
    assert server.call("GET", "/response/flaky").text == "Every 3. exchange fails with 502\n"
    assert "/response/flaky/set/{every}" in server.call("GET", "/goto/help").text
    server.api("PUT", "/response/flaky/set/0")
    assert [server.call("GET", "/").status for _ in range(3)] == [200, 200, 200]
    counts = server.call("GET", "/response/status/counts").json()
    assert counts["countsByReportedStatus"] == {"200": 7, "502": 2}


def test_a_bad_one_ends_the_start(tmp_path: Path):
    file = write(tmp_path, "x = 1\n")
    status, out, err = run_goto("--port", str(free_port()), "--feature", file)
    assert (status, out, err) == (2, "", f"goto: {file}: there is no Feature in it\n")
