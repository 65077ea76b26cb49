"""buildah and podman, with a store of their own."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYSTEM = (Path("/usr/sbin"), Path("/sbin"))
"""Where commands for root are, which may not be on the path of whoever became it."""
TOOLS = ("buildah", "podman", "runc", "debootstrap", "apt-get")
STEP_SECONDS = 1800
"""For a step that loads packages; never a measure of how fast it is."""


def missing() -> str | None:
    """Why an image can be neither built nor run here, if it cannot."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, SYSTEM)])
    absent = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    if platform.system() != "Linux":
        return "containers need Linux"
    if os.geteuid() != 0:
        return "the base is made by debootstrap, which needs root"
    return f"not installed: {', '.join(absent)}" if absent else None


def run(*command: str | Path, check: bool = True) -> str:
    """What a command writes, without blanks around it. An AssertionError with all of it when it fails and may not."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=STEP_SECONDS)
    assert not check or done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout.strip()


@dataclass(frozen=True)
class Engine:
    """Both share a store below a folder, apart from what else is on this machine."""

    folder: Path

    @property
    def _store(self) -> list[str | Path]:
        return ["--root", self.folder / "store", "--runroot", self.folder / "run", "--storage-driver", "overlay"]

    @property
    def _podman(self) -> list[str | Path]:
        # neither systemd nor cgroups of its own need to be here
        return ["podman", *self._store, "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]

    def buildah(self, *args: str | Path) -> str:
        """Run a command of buildah; what it says."""
        return run("nice", "buildah", *self._store, *args)

    def podman(self, *args: str, check: bool = True) -> str:
        """Run a command of podman; what it says."""
        return run(*self._podman, *args, check=check)

    def exists(self, image: str) -> bool:
        """Whether there is such an image."""
        return subprocess.run([*self._podman, "image", "exists", image], timeout=STEP_SECONDS).returncode == 0

    def start(self, name: str, image: str, *args: str, options: tuple[str, ...] = ()) -> Container:
        """Run a container in the background: `options` are podman's, `args` are what stands behind the image."""
        self.podman("run", "-d", "--name", name, *_limits(), *options, image, *args)
        return Container(self, name)

    def once(self, image: str, *args: str, options: tuple[str, ...] = ()) -> str:
        """What a container says that runs to its end."""
        return self.podman("run", "--rm", *_limits(), "--no-healthcheck", *options, image, *args)

    def size(self, image: str) -> float:
        """In MiB, all layers."""
        return int(self.podman("image", "inspect", image, "--format", "{{.Size}}")) / 2**20

    def versions(self) -> str:
        """What it was built and run with."""
        said = (run("buildah", "--version"), run("podman", "--version"), run("runc", "--version"))
        return ", ".join(" ".join(re.findall(r"^(\w+) version ([\d.]+)", text)[0]) for text in said)


@dataclass(frozen=True)
class Container:
    """One that runs in the background."""

    engine: Engine
    name: str

    def exec(self, *command: str, check: bool = True) -> str:
        """What a command says that is run in it."""
        return self.engine.podman("exec", self.name, *command, check=check)

    def stop(self, seconds: int = 15) -> int:
        """End it by its signal, or after these seconds by SIGKILL; its exit status."""
        self.engine.podman("stop", "-t", str(seconds), self.name)
        return int(self.engine.podman("inspect", self.name, "--format", "{{.State.ExitCode}}"))

    def restart(self) -> None:
        """Start it again, after it was stopped."""
        self.engine.podman("start", self.name)

    def logs(self) -> str:
        """What it wrote."""
        return self.engine.podman("logs", self.name, check=False)

    def remove(self) -> None:
        """Kill it where it still runs, and forget it."""
        self.engine.podman("rm", "-f", "-t", "0", self.name, check=False)


def _limits() -> list[str]:
    """Those of this process: podman asks for more by default, which needs a right that root may lack."""
    limits = []
    for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        most = min(resource.getrlimit(kind)[1] % 2**64, 4096)
        limits += ["--ulimit", f"{name}={most}:{most}"]
    return limits
