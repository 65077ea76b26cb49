"""The Dockerfile: as it is written, and as it runs.

No container engine is needed: its instructions are carried out in a folder that stands for the file system of the image, with
a fresh virtual environment in the place of the base image's Python. What an engine alone does (pulling, layers) is not tested.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import ROOT
from support.calls import call
from support.ports import free_port
from support.waiting import PATIENCE, eventually

from goto import __version__
from goto.command import arguments
from goto.command.health import SECONDS

DOCKERFILE = ROOT / "Dockerfile"
STEP_SECONDS = 900
"""For a step that loads packages; never a measure of how fast it is."""


@dataclass
class Instruction:
    word: str
    text: str

    @property
    def flags(self) -> dict[str, str]:
        given = self.text.removesuffix(self.rest)
        return dict(re.findall(r"--([a-z-]+)=(\S+)", given))

    @property
    def rest(self) -> str:
        """Without the flags."""
        return re.sub(r"^(--[a-z-]+=\S+\s+)*", "", self.text)

    @property
    def argv(self) -> list[str]:
        """The command, which must be in the exec form: a shell would not pass signals on."""
        value: list[str] = json.loads(self.rest.removeprefix("CMD "))
        return value


def parse(text: str) -> list[list[Instruction]]:
    """The stages of a Dockerfile; the first list holds what stands before the first of them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    stages: list[list[Instruction]] = [[]]
    for line in re.sub(r"\\\n", "", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append(Instruction(word, rest.strip()))
    return stages


BEFORE, BUILD, FINAL = parse(DOCKERFILE.read_text())
"""There are two stages: this fails for any other number."""


def of(stage: list[Instruction], word: str) -> list[Instruction]:
    return [instruction for instruction in stage if instruction.word == word]


def only(stage: list[Instruction], word: str) -> Instruction:
    (found,) = of(stage, word)
    return found


# ---------------------------------------------------------------- as it is written
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


# ---------------------------------------------------------------- what goes into the build
class Context:
    """What an engine sends to the build: the checkout without what .dockerignore keeps out. It says `*` and then what stays."""

    lines = tuple(line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#"))
    allowed = frozenset(line[1:] for line in lines if line.startswith("!"))
    dropped = frozenset(line.removeprefix("**/") for line in lines if line.startswith("**/"))

    @classmethod
    def copy(cls, source: str, destination: Path) -> None:
        assert source in cls.allowed, f"{source} is copied, and .dockerignore keeps it out"
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, destination, ignore=shutil.ignore_patterns(*cls.dropped), dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, destination)


def test_only_what_is_copied_goes_into_the_build():
    assert Context.lines[0] == "*"
    assert len(Context.lines) == 1 + len(Context.allowed) + len(Context.dropped), "a line of a kind that is not known here"
    copied = {source for copy in of(BUILD, "COPY") for source in copy.text.split()[:-1]}
    assert Context.allowed == copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


# ---------------------------------------------------------------- as it runs
@dataclass
class Image:
    """A folder that stands for the file system of both stages; the second one gets only what it copies."""

    root: Path
    python: str
    """Makes the environment that stands for the Python of the base image."""
    uid: int
    """Whom the final stage runs as: the user it names, where this process may become it."""
    env: dict[str, str] = field(default_factory=dict)
    workdir: Path = Path("/")
    said: str = ""
    """What the steps wrote."""

    def there(self, path: str) -> Path:
        """Where a path of the image is: absolute ones under `root`, others in the working directory."""
        return self.root / path.lstrip("/") if path.startswith("/") else self.workdir / path

    def rewritten(self, text: str) -> str:
        """With the absolute paths of the Dockerfile, and its user, as they are here."""
        text = re.sub(r"(?<![\w./-])/(?=(?:build|opt|home)\b)", f"{self.root}/", text)
        user = only(FINAL, "USER").text.split(":")[0]
        return re.sub(rf"\b{user}\b", str(self.uid), text)

    def build(self, extras: str = "") -> None:
        """Carry out both stages. With extras, what would be installed is settled, but not installed."""
        base = self.root / "base"
        if not base.exists():
            subprocess.run([self.python, "-m", "venv", base], check=True, timeout=STEP_SECONDS)
        for stage in (BUILD, FINAL):
            # the standard library is that of this machine, and its byte code stays as it is
            self.env = {"PATH": f"{base}/bin:/usr/bin:/bin", "PYTHONPYCACHEPREFIX": f"{self.root}/pycache"}
            self.workdir = self.root
            for instruction in stage:
                getattr(self, f"_{instruction.word.lower()}", self._nothing)(instruction, extras)

    def without_first_stage(self) -> None:
        """What the second stage does not copy is not there either; what it copies is in the same place."""
        shutil.rmtree(self.root / "build")
        shutil.rmtree(self.root / "base")

    def _nothing(self, instruction: Instruction, extras: str) -> None:
        known = ("FROM", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD", "LABEL")
        assert instruction.word in known, instruction

    def _arg(self, instruction: Instruction, extras: str) -> None:
        name, _, default = instruction.text.partition("=")
        assert default == {"EXTRAS": '""', "COMPILE": "yes", "VERSION": __version__, "REVISION": '""', "CREATED": '""'}[name]
        # whether it can be compiled is a matter of the machine, see tests/instance/test_build.py
        self.env[name] = extras if name == "EXTRAS" else "no"

    def _env(self, instruction: Instruction, extras: str) -> None:
        for assignment in instruction.text.split():
            name, _, value = assignment.partition("=")
            self.env[name] = self.rewritten(value).replace("$PATH", self.env["PATH"])

    def _workdir(self, instruction: Instruction, extras: str) -> None:
        self.workdir = self.there(instruction.text)
        self.workdir.mkdir(parents=True, exist_ok=True)

    def _copy(self, instruction: Instruction, extras: str) -> None:
        *sources, destination = instruction.rest.split()
        if "from" in instruction.flags:
            assert only(BUILD, "FROM").text.endswith(f" AS {instruction.flags['from']}")
            assert sources == [destination], "an environment only runs in the place it was made in"
            assert self.there(destination).exists()
            return
        for source in sources:
            Context.copy(source, self.there(destination))

    def _run(self, instruction: Instruction, extras: str) -> None:
        command = self.rewritten(instruction.text)
        if extras and ("pip wheel" in command or command.startswith("python -m compileall")):
            return  # it is there already, the same for all extras
        if extras:
            command = re.split(r"\s+&& python -m compileall", command)[0]
            command = command.replace(" install --no-cache-dir", " install --dry-run --no-cache-dir")
        # the settings of this machine say where packages come from; those of a virtual environment do not belong here
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))} | self.env
        argv = ["/bin/sh", "-c", command]
        done = subprocess.run(argv, cwd=self.workdir, env=env, capture_output=True, text=True, timeout=STEP_SECONDS)
        if done.returncode and re.search(
            r"NewConnectionError|NameResolutionError|ConnectTimeoutError", done.stdout + done.stderr
        ):
            pytest.skip("packages cannot be loaded here: no connection to a package index")
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        self.said += done.stdout

    @property
    def how(self) -> dict[str, Any]:
        """For subprocess: as the user of the final stage, with its environment, in its working directory."""
        become: dict[str, Any] = {} if self.uid == os.geteuid() else {"user": self.uid, "group": self.uid, "extra_groups": []}
        return {"env": {**self.env, **POD}, "cwd": self.workdir, **become}

    def path_of(self, command: str) -> str:
        found = shutil.which(command, path=self.env["PATH"])
        assert found is not None
        assert Path(found).is_relative_to(self.root), f"{command} is not the image's own"
        return found


POD = {"POD_NAME": "goto-worker-0", "NAMESPACE": "testing", "POD_IP": "192.0.2.7"}


def whom() -> tuple[str, int]:
    """A Python, and the user to run it as: that of the Dockerfile, if it may be used and there is a Python it may run."""
    own: str = getattr(sys, "_base_executable", sys.executable)
    wanted = int(only(FINAL, "USER").text.split(":")[0])
    question = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
    for python in (own, "/usr/bin/python3") if os.geteuid() == 0 else ():
        with contextlib.suppress(OSError):
            if subprocess.run([python, "-c", question], user=wanted, group=wanted, cwd="/", capture_output=True).returncode == 0:
                return python, wanted
    return own, os.geteuid()


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """What the Dockerfile makes, in a folder that other users may look into, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="goto-image-") as folder:
        Path(folder).chmod(0o755)
        image = Image(Path(folder).resolve(), *whom())
        image.build()
        yield image


def serves(port: int, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.communicate()
    with contextlib.suppress(OSError):
        return call(port, "GET", "/goto/ready", timeout=1).status == 200
    return False


def test_its_extra_brings_mitmproxy(image: Image):
    """What pip would install is settled, and nothing is installed."""
    assert "mitmproxy-1" not in image.said
    image.build("mitmproxy")
    assert re.search(r"^Would install .*\bmitmproxy-1\d\.", image.said, re.M), image.said


def test_what_it_builds_runs(image: Image):
    image.without_first_stage()
    root = image.root
    installed = [path.name for path in (root / "opt" / "goto").glob("lib/python3*/site-packages/*")]
    assert f"goto_http-{__version__}.dist-info" in installed
    assert [name for name in installed if name.startswith(("pip-", "hatchling", "mitmproxy"))] == []

    if image.uid != os.geteuid():
        # mitmproxy writes there, and nobody changes the program
        may = f'test -w "$HOME" && test ! -w {root}/opt/goto/bin/goto'
        assert subprocess.run(["/bin/sh", "-c", may], **image.how).returncode == 0

    port = free_port()
    command = [*only(FINAL, "ENTRYPOINT").argv, *only(FINAL, "CMD").argv]
    assert command[-1] == only(FINAL, "EXPOSE").text
    command = [image.path_of(command[0]), *command[1:-1], str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **image.how)
    try:
        eventually(lambda: serves(port, process))
        if Path("/proc/self").exists():
            assert Path(f"/proc/{process.pid}").stat().st_uid == image.uid
        assert call(port, "GET", "/hello").values("Goto-Host") == ["goto-worker-0.testing@192.0.2.7"]

        healthy = only(FINAL, "HEALTHCHECK").argv
        ask = [image.path_of(healthy[0]), *healthy[1:]]
        # the port of this test in the place of the default one, which somebody else may have here
        done = subprocess.run([*ask, f"http://127.0.0.1:{port}"], capture_output=True, text=True, timeout=PATIENCE, **image.how)
        assert done.returncode == 0, done
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    done = subprocess.run([*ask, f"http://127.0.0.1:{port}"], capture_output=True, text=True, timeout=PATIENCE, **image.how)
    assert done.returncode == 1, done

    addon = subprocess.run([image.path_of("goto"), "addon"], capture_output=True, text=True, timeout=PATIENCE, **image.how)
    assert addon.returncode == 0, addon
    path = Path(addon.stdout.strip())
    assert path.is_relative_to(root)
    assert path.read_text() == (ROOT / "addons" / "goto_addon.py").read_text()


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


@pytest.mark.parametrize("page", ["docs/container.md", "deploy/kubernetes/README.md", "SECURITY.md"])
def test_links_lead_somewhere(page: str):
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    assert targets
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []
