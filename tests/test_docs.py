"""What the documentation says is so: every route is listed, and the examples do what is written beside them."""

from __future__ import annotations

import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from support import ROOT
from support.goto_process import Goto
from support.ports import free_port

from goto.flow import Response
from goto.instance.wiring import route_table
from goto.routes import ADMIN


def documented() -> set[tuple[str, str]]:
    """Methods and paths of the tables of docs/routes.md."""
    rows = re.findall(r"^\| ([A-Z, ]+) \| `(/[^`?]*)[^`]*` \|", (ROOT / "docs" / "routes.md").read_text(), re.M)
    return {(method, path) for methods, path in rows for method in methods.split(", ")}


def test_every_route_is_documented():
    served = {(method, route.path) for route in route_table().routes for method in route.methods}
    assert served - documented() == set()


def test_every_documented_route_is_served():
    served = {(method, re.sub(r"\{\w+\}", "{}", route.path)) for route in route_table().routes for method in route.methods}
    missing = {(method, path) for method, path in documented() if (method, re.sub(r"\{\w+\}", "{}", path)) not in served}
    assert missing == set()


UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def bounds() -> list[tuple[str, int]]:
    """The table of bounds: where a limit stands, and what the page says that it is."""
    page = (ROOT / "docs" / "performance.md").read_text().split("\n## Bounds\n")[1]
    rows = re.findall(r"^\| [^|]+ \| ([\d,]+) ?(\w*) \| `([\w.]+)` \| [^|]+ \|$", page, re.M)
    assert len(rows) == len(re.findall(r"^\| ", page, re.M)) - 1, "a row is not as the others are"
    return [(where, int(number.replace(",", "")) * UNITS[unit]) for number, unit, where in rows]


@pytest.mark.parametrize(("where", "limit"), bounds())
def test_bounds_are_as_documented(where: str, limit: int):
    assert pkgutil.resolve_name(where) == limit


def test_every_rule_of_access_is_in_the_table_of_security():
    table = (ROOT / "docs" / "security.md").read_text().split("## Who can do what")[1].split("## ")[0]
    open_ones = [route.path for route in route_table().routes if route.who != ADMIN]
    assert open_ones
    assert [path for path in open_ones if f"{path}`" not in table] == []


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("openssl") is None, reason="needs curl and openssl")
def test_the_first_example_of_security(goto: Callable[..., Goto]):
    text = (ROOT / "docs" / "security.md").read_text()
    (first, *_) = re.findall(r"```sh\n(.*?)```", text, re.S)
    start, ask = first.splitlines()
    token = subprocess.run(
        ["bash", "-c", re.findall(r"\$\((.*?)\)", start)[0]], capture_output=True, text=True, check=True
    ).stdout
    server = goto("secured", env={"GOTO_ADMIN_TOKEN": token})  # with its line end
    env = {**os.environ, "GOTO_ADMIN_TOKEN": token.strip()}
    script = ask.replace("localhost:8080", f"127.0.0.1:{server.port}").replace("curl ", "curl -sS ")
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True, env=env)
    assert "/goto/health" in ran.stdout


def test_the_words_of_goto_are_in_its_code():
    chapter = (ROOT / "CONTRIBUTING.md").read_text().split("\n## Words of goto's own\n")[1].split("\n## ")[0]
    words = re.findall(r"^\| (\w+) \| ", chapter, re.M)[1:]
    code = " ".join(file.read_text() for file in (ROOT / "goto").rglob("*.py"))
    assert len(words) >= 10
    assert [word for word in words if not re.search(rf"(?<![a-z]){word}", code, re.I)] == []


EXAMPLE_FILES = {"goto/features/gate.py", "tests/features/test_gate.py", "goto/a/b.py", "tests/a/test_b.py"}


def test_files_that_are_named_are_there():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        named = set(re.findall(r"(?<!/)\b((?:goto|tests|addons|configs|docs)/[\w/.-]+\.(?:py|md|yaml))\b", page.read_text()))
        missing = [
            file for file in named - EXAMPLE_FILES if not (ROOT / file).exists() and f"/etc/{file}" not in page.read_text()
        ]
        assert missing == [], page.name


def test_links_lead_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text()):
            file = page.parent / target if target else page
            assert file.exists(), f"{page.name}: {target}"
            if not anchor:
                continue
            headings = [
                re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", file.read_text(), re.M)
            ]
            assert anchor in headings, f"{page.name}: {target}#{anchor}"


def test_the_example_feature_of_contributing():
    """Its whole code, and the test it is given there."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)
    (feature,) = [block for block in blocks if block.startswith("# goto/features/gate.py") and "def show" in block]
    (test,) = [block for block in blocks if "def test_" in block]
    module = ModuleType("goto.features.gate")
    sys.modules[module.__name__] = module
    try:
        exec(compile(feature, "gate.py", "exec"), vars(module))
        names: dict[str, Any] = {}
        exec(compile(test, "test_gate.py", "exec"), names)
        (check,) = [value for name, value in names.items() if name.startswith("test_")]
        check()
    finally:
        del sys.modules[module.__name__]
    gate = module.Gate()
    gate.shut(module.CountedStatus.parse("503"))
    assert gate.show() == "Gate: 503"
    assert gate.active
    assert vars(module)["Response"] is Response


def scenarios() -> dict[str, list[tuple[str, str]]]:
    """The blocks of the README's worked examples, by heading."""
    chapter = (ROOT / "README.md").read_text().split("\n## Four things to do with it\n")[1].split("\n## ")[0]
    parts = re.split(r"^### (.*)$", chapter, flags=re.M)
    named = zip(["", *parts[1::2]], parts[::2], strict=True)
    return {name: re.findall(r"```(\w+)\n(.*?)```", text, re.S) for name, text in named}


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs curl and bash")
def test_the_worked_examples_of_the_readme(goto: Callable[..., Goto]):
    server = goto("8080")
    ports = {"8080": str(server.port), "8081": str(free_port()), "8082": str(free_port())}
    seen = ""
    for name, blocks in scenarios().items():
        output = ""
        for language, text in blocks:
            if language == "sh":
                text = re.sub("|".join(ports), lambda found: ports[found[0]], text)
                script = 'curl() { command curl -sS "$@"; echo; }\n' + text
                ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
                assert ran.returncode == 0, f"{name}: {ran.stderr}"
                assert re.fullmatch(r"(curl: \(28\).*\n)?", ran.stderr), f"{name}: {ran.stderr}"
                output += ran.stdout
            else:
                answers = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
                assert json.loads(text) in answers, f"{name}: {output}"
        if name == "See how a client takes a failing service":
            assert re.findall(r"^HTTP/1\.1 (\d+)", output, re.M) == ["200", "503", "503", "200"]
            hops = re.findall(r"^Via-Goto: (.*?)\r?$", output, re.M)
            assert sorted(hops) == ["8080"] * 4 + [f"service-{ports['8081']}"] * 2
        seen += output
    assert "ConnectionClosed" in seen
