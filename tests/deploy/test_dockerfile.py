"""The Dockerfile as it is written, and the page that tells of it. `make dockerfile-test` tries what it makes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
from support import ROOT
from support.dockerfile import BEFORE, BUILD, DOCKERFILE, FINAL, Context, of, only
from support.waiting import PATIENCE

from goto import __version__
from goto.command import arguments
from goto.command.health import SECONDS


def test_images_have_a_version_and_the_final_one_is_slim():
    (arg,) = BEFORE
    name, _, version = arg.text.partition("=")
    assert arg.word == "ARG"
    build, final = (only(stage, "FROM").text.replace(f"${{{name}}}", version).split()[0] for stage in (BUILD, FINAL))
    for image in (build, final):
        assert re.fullmatch(r"python:3\.\d+(-slim)?", image), image
    assert final == f"{build}-slim", "the environment is only good for the Python it was made with"


def test_its_python_is_one_that_goto_runs_on():
    minor = int(BEFORE[0].text.partition("=3.")[2])
    required = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert required is not None
    assert minor >= int(required[1])


def test_it_does_not_run_as_root():
    uid, gid = only(FINAL, "USER").text.split(":")
    assert int(uid) >= 10000, "a number, and none that the host is likely to have"
    assert int(gid) >= 10000
    words = [instruction.word for instruction in FINAL]
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_the_final_stage_installs_nothing():
    for run in of(FINAL, "RUN"):
        assert re.search(r"\b(pip|apt-get|apt|gcc|make|curl|wget)\b", run.text) is None, run.text


def test_it_is_asked_how_it_is_and_told_to_end():
    health = only(FINAL, "HEALTHCHECK")
    assert health.argv == ["goto", "health"]
    assert float(health.flags["timeout"].removesuffix("s")) > SECONDS, "goto says itself that there was no answer"
    assert only(FINAL, "STOPSIGNAL").text == "SIGTERM"
    assert only(FINAL, "EXPOSE").text == "8080"
    assert only(FINAL, "ENTRYPOINT").argv == ["goto"]
    assert only(FINAL, "CMD").argv == ["--port", "8080"]


def test_its_labels_are_those_of_this_version():
    """What a build without arguments says: what only a checkout knows is empty."""
    args = dict(arg.text.split("=") for arg in of(FINAL, "ARG"))
    assert args == {"VERSION": __version__, "REVISION": '""', "CREATED": '""'}
    labels = dict(pair.partition("=")[::2] for pair in shlex.split(only(FINAL, "LABEL").text))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()} == {
        "title": "goto",
        "description": project["description"],
        "licenses": project["license"],
        "version": "$VERSION",
        "revision": "$REVISION",
        "created": "$CREATED",
    }
    assert [word.word for word in FINAL[-4:]] == ["ARG", "ARG", "ARG", "LABEL"], "above, a commit would change every layer"


def hadolint() -> str:
    """The one of the development environment, or of the machine."""
    beside = shutil.which("hadolint", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("hadolint")
    if found is None:
        pytest.skip("hadolint is not installed (there is no build of it for this machine)")
    return found


def lint(*args: str | Path, text: str | None = None) -> str:
    done = subprocess.run([hadolint(), "--no-color", *args], input=text, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode == 0) == (done.stdout == ""), done
    return done.stdout


def test_hadolint_has_nothing_to_say():
    assert lint(DOCKERFILE) == ""


def test_hadolint_is_awake():
    assert "DL3006" in lint("-", text="FROM python\n")


def test_only_what_is_copied_goes_into_the_build():
    assert Context.lines[0] == "*"
    assert len(Context.lines) == 1 + len(Context.allowed) + len(Context.dropped), "a line of a kind that is not known here"
    copied = {source for copy in of(BUILD, "COPY") for source in copy.text.split()[:-1]}
    assert Context.allowed == copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


# ---------------------------------------------------------------- as docs/container.md tells it
PAGE = (ROOT / "docs" / "container.md").read_text()


def given() -> list[list[str]]:
    """The arguments of goto in each `docker run` of the page that starts it."""
    lines = [shlex.split(line, comments=True) for line in re.findall(r"^docker run .*[^\\]$", PAGE, re.M)]
    return [line[line.index("goto") + 1 :] for line in lines]


def test_examples_are_found():
    assert ["--label", "edge"] in given()
    assert len(given()) >= 5


@pytest.mark.parametrize("args", given(), ids=" ".join)
def test_goto_takes_the_arguments_of_the_examples(args: list[str]):
    arguments._parser().parse_args(["serve", *args])


def test_the_page_and_the_dockerfile_agree():
    assert f"`{only(FINAL, 'USER').text}`" in PAGE
    assert (
        f"every {only(FINAL, 'HEALTHCHECK').flags['interval'].replace('s', ' s')}, on port {only(FINAL, 'EXPOSE').text}" in PAGE
    )
    assert f"{BEFORE[0].text.partition('=')[2]} if not given" in PAGE
    uids = set(re.findall(r"[ug]id=(\d+)", PAGE))
    assert uids == set(only(FINAL, "USER").text.split(":"))
