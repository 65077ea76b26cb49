"""Every command of README, docs/ and configs/ is run, page by page, and does what is shown beside it.

Where a command is to fail, the page says so behind it: `# exit status 2`. `# → text` is a line that it must print. A block of
JSON behind one of commands is what one of them answers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from support import ROOT
from support.calls import call
from support.documents import problems
from support.forked import Forked
from support.pages import Block, blocks, pages
from support.ports import free_port
from support.terminal import Ran, Terminal, fits, has_line
from support.waiting import PATIENCE

NOT_RUN = 15
"""Blocks that are not run, with the reason above them. It may fall."""

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
SHELL = ("sh", "console")
STARTS = re.compile(r"^(?!.*--port (?!8080))(?:goto|mitmdump)(?=$|\s+(?:-(?!-help|-version|h\b)|serve|#|&))", re.M)
"""A command that serves on the port of all examples."""
NEAR = 4
"""Lines between a block of commands and one of JSON that says what they answer."""

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("curl") is None, reason="needs bash and curl (Debian, Ubuntu: curl)"
)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands_of(config: Path) -> Block:
    """What the first lines of an example say how to try it."""
    lines = config.read_text().split("\n\n")[0].splitlines()
    commands = [line[4:] if line.startswith("#   ") else "" for line in lines if line.startswith("#")]
    return Block(config, 1, "sh", "\n".join(commands) + "\n")


def script(block: Block) -> str:
    """What is run of a block, each line where it stands in the page."""
    if block.language == "sh":
        return block.text
    return "\n".join(line[2:] if line[:2] in ("$ ", "> ") else "" for line in block.text.splitlines()) + "\n"


def differences(ran: Ran, following: Block | None) -> Iterator[str]:
    """What a block did otherwise than its page says."""
    lines = ran.block.text.splitlines()
    expected = {
        number: int(found[1]) for number, line in enumerate(lines, 1) if (found := re.search(r"# exit status (\d+)", line))
    }
    seen = {next((end for end in sorted(expected) if end >= line), line): status for line, status in ran.failed}
    for line in sorted(seen.keys() | expected.keys()):
        if seen.get(line, 0) != expected.get(line, 0):
            yield f"{ran.where(line)}: exit status {seen.get(line, 0)}: {ran.errors}"
    for number, line in enumerate(lines, 1):
        shown = re.search(r"# → (.*)$", line)
        if shown and not has_line(shown[1], ran.of_line(number)):
            yield f"{ran.where(number)}: printed {ran.of_line(number)!r}"
    if ran.block.language == "console":
        yield from _shown_otherwise(ran, lines)
    near = following and following.line - ran.block.line - len(lines) <= NEAR
    if following and near and following.language == "json" and not _answered(following.text, ran):
        yield f"{following.where}: not among what was answered:\n{ran.output}"


def _shown_otherwise(ran: Ran, lines: list[str]) -> Iterator[str]:
    commands = [number for number, line in enumerate(lines, 1) if line.startswith("$ ")]
    for begin, end in zip(commands, [*commands[1:], len(lines) + 1], strict=True):
        shown = "\n".join(line for line in lines[begin : end - 1] if not line.startswith("> "))
        printed = "".join(text for line, text in ran.outputs if begin <= line < end)
        if shown and not fits(shown, printed):
            yield f"{ran.where(begin)}: printed\n{printed}"


def _answered(shown: str, ran: Ran) -> bool:
    if "…" in shown:
        return any(fits(re.sub(r"\s", "", shown), re.sub(r"\s", "", text)) for _, text in ran.outputs)
    answers = []
    for _, text in ran.outputs:
        try:
            answers.append(json.loads(text))
        except ValueError:
            continue
    return json.loads(shown) in answers


def run(terminal: Terminal, page: list[Block]) -> None:
    """Run the blocks of a page, and write the files that it shows."""
    for block in page:
        if found := re.match(r"# ([\w.-]+\.(?:yaml|json|txt|py))\n", block.text):
            terminal.write(found[1], block.text)
    shell = [block for block in page if block.language in SHELL and not block.not_run]
    if not terminal.mitmdump:
        shell = [block for block in shell if "mitmdump" not in block.text]
    if not shell:
        return
    text = "\n".join(map(script, shell))
    asked = re.search(r"localhost:8080\b", text)
    if asked and not STARTS.search(text, 0, asked.start()):
        terminal.serve()
    said = []
    for ran in terminal.run([(block, script(block)) for block in shell]):
        index = page.index(ran.block)
        said += differences(ran, page[index + 1] if index + 1 < len(page) else None)
    assert not said, "\n\n".join([*said, terminal.logs()[-1000:]])


@pytest.fixture(scope="module")
def goto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What runs goto: pages start it a hundred times."""
    with Forked(tmp_path_factory.mktemp("goto")) as forked:
        yield forked.command


@pytest.mark.parametrize("page", [page for page in pages() if any(b.language in SHELL for b in blocks(page))], ids=name_of)
def test_a_page(page: Path, goto: list[str], tmp_path: Path) -> None:
    with Terminal(tmp_path, goto) as terminal:
        run(terminal, list(blocks(page)))


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_the_first_lines_of_an_example(config: Path, goto: list[str], tmp_path: Path) -> None:
    block = commands_of(config)
    assert f"configs/{config.name}" in block.text, "it does not say how to run it"
    with Terminal(tmp_path, goto) as terminal:
        run(terminal, [block])


def test_what_is_not_run_is_counted() -> None:
    left_out = [block for page in pages() for block in blocks(page) if block.not_run]
    assert len(left_out) == NOT_RUN, "\n".join(f"{block.where}: {block.not_run}" for block in left_out)


SCHEMAS = Path(__file__).parent / "schemas"
"""Of the files of other programs that pages show, each named as it is in the first line of a block: `# prometheus.yml`."""
OTHERS = {file.stem for file in SCHEMAS.glob("*.json")}


def named(block: Block) -> str:
    found = re.match(r"# ([\w.-]+)\n", block.text)
    return found[1] if found else ""


def is_document(block: Block) -> bool:
    """Whether a block of YAML is a configuration of goto, whole or in part."""
    return block.language == "yaml" and named(block) not in OTHERS and "apiVersion: " not in block.text


DOCUMENTS = [block for page in pages() for block in blocks(page) if is_document(block) and not block.not_run]


@pytest.mark.parametrize("block", DOCUMENTS, ids=[block.where for block in DOCUMENTS])
def test_a_configuration_is_one(block: Block) -> None:
    assert problems(block.text) == [], block.where


OTHER_FILES = [block for page in pages() for block in blocks(page) if named(block) in OTHERS]


@pytest.mark.parametrize("block", OTHER_FILES, ids=[block.where for block in OTHER_FILES])
def test_a_file_of_another_program_is_one(block: Block) -> None:
    jsonschema.validate(yaml.safe_load(block.text), json.loads((SCHEMAS / f"{named(block)}.json").read_text()))


MANIFESTS = [block for page in pages() for block in blocks(page) if block.language == "yaml" and "apiVersion: " in block.text]


@pytest.mark.parametrize("block", MANIFESTS, ids=[block.where for block in MANIFESTS])
def test_a_manifest_is_one(block: Block) -> None:
    for manifest in yaml.safe_load_all(block.text):
        kubernetes_validate.validate(manifest, "1.33", strict=True)


# ---------------------------------------------------------------- that this notices what is wrong
def test_goto_is_run_where_it_is_called(goto: list[str], tmp_path: Path) -> None:
    """With its folder, its environment, its streams, its exit status and its signals, though it is a fork of another process."""
    (tmp_path / "mine.yaml").write_text("label: [")
    wrong = subprocess.run([*goto, "check", "mine.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert (wrong.returncode, wrong.stdout, wrong.stderr.partition(":")[0]) == (2, "", "mine.yaml")

    port = free_port()
    words, env = [*goto, "--host", "127.0.0.1", "--port", str(port)], {**os.environ, "POD_NAME": "mine"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env) as serving:
        assert serving.stdout is not None
        assert f":{port}" in serving.stdout.readline()
        assert call(port, "GET", "/").values("Goto-Host")[0].startswith("mine.")
        serving.terminate()
        assert serving.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("true\nfalse\n", "README.md:2: exit status 1"),
        ("true # exit status 1\n", "README.md:1: exit status 0"),
        ("echo one  # → two\n", "README.md:1: printed 'one\\n'"),
        ("for n in 1 2; do\n  curl localhost:8089/\ndone\n", "README.md:2: exit status 7: curl: (7)"),
    ],
)
def test_a_block_that_does_otherwise_is_named(text: str, said: str, tmp_path: Path) -> None:
    with Terminal(tmp_path) as terminal:
        (ran,) = terminal.run([(block := Block(ROOT / "README.md", 1, "sh", text), script(block))])
    assert any(one.startswith(said) for one in differences(ran, None)), list(differences(ran, None))


def test_what_is_shown_is_compared(tmp_path: Path) -> None:
    text = "\n".join(
        [
            "$ echo at 2026-01-01T00:00:00Z, 503",
            "at 2020-12-12T10:11:12Z, 503",
            r"$ printf 'a\nb\n' | cat > file; cat file",
            "a",
            "$ echo x y z",
            "x … z",
        ]
    )
    block = Block(ROOT / "README.md", 1, "console", text)
    with Terminal(tmp_path) as terminal:
        (ran,) = terminal.run([(block, script(block))])
    assert [one.partition(":\n")[0].partition(" ")[0] for one in differences(ran, None)] == ["README.md:3:"]
