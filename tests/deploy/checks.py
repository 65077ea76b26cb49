"""`make dockerfile-test`: the instructions of the Dockerfile are carried out, and what they make runs.

No container engine is needed: a folder stands for the file system of the image, and a fresh virtual environment for the base
image's Python. What an engine alone does (pulling, layers) is in `make image-test`.

Not among the tests of `make test`: it makes two environments, builds goto and loads packages.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import ROOT
from support.calls import call
from support.dockerfile import BUILD, FINAL, Context, Instruction, only
from support.ports import free_port
from support.waiting import PATIENCE, eventually

from goto import __version__

STEP_SECONDS = 900
"""For a step that loads packages; never a measure of how fast it is."""


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
