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
from goto.features.rules.feature import Rules
from goto.instance import plugins
from goto.instance.plugins import PluginError, load, with_plugins

FLAKY = str(ROOT / "configs" / "features" / "flaky.py")

HEAD = """
from goto.feature import Feature, measure
from goto.routes import get, put
from goto.settings import setting
"""


def write(folder: Path, text: str, name: str = "mine.py") -> str:
    (folder / name).write_text(HEAD + text)
    return str(folder / name)


def test_they_stand_before_the_forced_status():
    features = with_plugins([FLAKY])
    names = [feature.name for feature in features]
    assert names.index("flaky") == names.index(ForcedStatus.name) - 1 == names.index(Rules.name) + 1
    assert [feature for feature in features if feature.name != "flaky"] == list(FEATURES)
    assert with_plugins() == FEATURES


def test_one_may_say_where_it_stands(tmp_path: Path):
    text = "".join(
        f"class {name}(Feature):\n    outside = {outside!r}\n"
        for name, outside in (("A", "b"), ("B", "bypass"), ("C", "local"), ("D", "forced_status"), ("E", "forced_status"))
    )
    names = [feature.name for feature in with_plugins([write(tmp_path, text)])]
    assert names[:3] == ["a", "b", "bypass"]
    assert names[names.index("c") + 1] == "local"
    assert names[names.index("d") :][:3] == ["d", "e", "forced_status"]
    assert [name for name in names if len(name) > 1] == [feature.name for feature in FEATURES]


def test_the_example_of_the_docs(goto: Callable[..., Goto]):
    """A place, a route for anybody and a metric, all said in the file of the feature."""
    server = goto("robots", "--feature", str(ROOT / "docs" / "examples" / "robots.py"), env={"GOTO_ADMIN_TOKEN": "s3cr3t"})
    admin = {"Authorization": "Bearer s3cr3t"}
    assert [server.call("GET", path).status for path in ("/robots.txt", "/", "/robots.txt")] == [200, 200, 200]
    counts = server.call("GET", "/response/status/counts/200", headers=admin).json()
    assert counts["responseCount"] == 1  # it stands outside of the counts
    assert server.call("GET", "/goto/robots").text == "Robots sent away: 2\n"
    assert server.call("PUT", "/goto/robots").status == 401
    assert server.call("GET", "/goto/robots", headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert server.call("GET", "/goto/metrics").status == 401
    metrics = server.call("GET", "/goto/metrics", headers=admin).text
    assert f'robots_sent_away_total{{listener="{server.port}"}} 2.0' in metrics
    assert "# HELP robots_sent_away_total Requests for robots.txt that were told to stay away.\n" in metrics


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
        ("x = 1\n", "mine.py: it defines no subclass of goto.feature.Feature"),
        ("class Delay(Feature): ...\n", "Delay: there is a feature delay already"),
        ("class A(Feature):\n    def __init__(self, x): ...\n", "A: TypeError: "),
        (
            "class A(Feature):\n    @get('/response/delay')\n    def show(self) -> str: ...\n",
            "A: GET /response/delay is served already, by Delay as /response/delay",
        ),
        (
            "class A(Feature):\n    @put('/response/delay/set/{x}')\n    def show(self, x: str) -> str: ...\n",
            "A: PUT /response/delay/set/{x} is served already, by Delay as /response/delay/set/{delay}",
        ),
        (
            "class A(Feature):\n    @get('/{x}')\n    def show(self, x: str) -> str: ...\n",
            "A: the route /{x} must begin with a slash",
        ),
        (
            "class A(Feature):\n    @get('/')\n    def show(self) -> str: ...\n",
            "A: the route / must begin with a slash",
        ),
        ("class A(Feature):\n    @get('/status/mine')\n    def show(self) -> str: ...\n", "A: the route /status/mine would take"),
        (
            "class A(Feature):\n    @setting('response.delay')\n    def x(self) -> int | None: ...\n"
            "    @x.setter\n    def y(self, x: int | None) -> None: ...\n",
            "the key response.delay of A is Delay's already",
        ),
        (
            "class A(Feature):\n    outside = 'forcedstatus'\n",
            "A: outside names 'forcedstatus', and there is no feature of that name: write one of bypass, journal, arrivals, ",
        ),
        (
            "class A(Feature):\n    @measure('goto_a', 'gauge')\n    def a(self):\n        'A.'\n",
            "A: the metric goto_a would be taken for goto's own: begin it with a_",
        ),
        (
            "class A(Feature):\n    @measure('a', 'gauge')\n    def a(self):\n        'A.'\n"
            "class B(Feature):\n    @measure('a', 'gauge')\n    def b(self):\n        'B.'\n",
            "B: there is a metric a of A already",
        ),
        (
            "class A(Feature):\n    @measure('a_total', 'counter')\n    def a(self):\n        'A.'\n",
            "mine.py:6: ValueError: a_total: the ending _total is added where it belongs: leave it out",
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
        ("goto_test_plugin:other", "e0 (goto_test_plugin:other): neither a subclass of goto.feature.Feature nor a module"),
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
    assert (status, out, err) == (2, "", f"goto: {file}: it defines no subclass of goto.feature.Feature\n")
