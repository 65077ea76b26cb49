"""Routes that this goto does not know."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT
from support.ctl import Run
from support.goto_process import Goto
from support.scripted import Scripted, answering

from goto.command.ctl.foreign import cached_at


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto], tmp_path_factory: pytest.TempPathFactory) -> Goto:
    """A goto with a feature of a user."""
    file: Path = tmp_path_factory.mktemp("feature") / "mine.py"
    file.write_text(
        '"""Mine."""\n'
        "import msgspec\n"
        "from goto.feature import Feature\n"
        "from goto.routes import get, post\n"
        "class Wish(msgspec.Struct):\n"
        '    """A wish."""\n'
        "    name: str\n"
        "    often: int = 1\n"
        "class Mine(Feature):\n"
        '    """Mine."""\n'
        '    @get("/mine/wish/{name}")\n'
        "    def show(self, name: str, loud: str = '') -> str:\n"
        '        """Show a wish."""\n'
        "        return f'wish {name} {loud}'.strip()\n"
        '    @post("/mine/wish/add")\n'
        "    def add(self, wish: Wish) -> str:\n"
        '        """Add a wish."""\n'
        "        return f'added {wish.name} {wish.often}'\n"
    )
    assert (ROOT / "goto").is_dir()
    return goto("foreign", "--feature", str(file))


def test_they_are_looked_up(run: Run, process: Goto):
    assert run("mine", "wish", "peace").out == "wish peace\n"
    assert run("mine", "wish", "peace", "--loud", "yes").out == "wish peace yes\n"
    assert run("mine", "wish", "add", "--name", "peace", "--often", "3").out == "added peace 3\n"
    assert run("mine", "wich", "peace") == (2, "", "goto: unknown word wich; did you mean wish?\n")
    assert run("mine", "wish", "peace", "--lod", "1") == (2, "", "goto: unknown option --lod; did you mean --loud?\n")


def test_the_document_is_kept_by_its_entity_tag(run: Run, process: Goto):
    run("mine", "wish", "peace")
    file = cached_at(process.base)
    kept = json.loads(file.read_text())
    assert kept["tag"]
    kept["ways"] = [way if way[1] != "/mine/wish/{name}" else ["GET", "/mine/nish/{name}", *way[2:]] for way in kept["ways"]]
    file.write_text(json.dumps(kept))
    # taken from what is kept, though there is no such route
    said = "goto: no route GET /mine/nish/peace; did you mean /mine/wish/{name}?\n"
    assert run("mine", "nish", "peace") == (3, "", said)
    file.write_text("{")
    assert run("mine", "wish", "peace").out == "wish peace\n"


def test_an_instance_that_does_not_tell(run: Run):
    with Scripted(answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) as other:
        assert run("--url", f"http://127.0.0.1:{other.port}", "mine").error == "goto: unknown word mine\n"
    assert run("--url", "http://127.0.0.1:1", "mine") == (2, "", "goto: unknown word mine\n")
