"""The base images that the Dockerfile names, made by debootstrap of what this machine runs, so that none has to be pulled."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from image.engine import Engine, run

PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
COMPILER = ("gcc", "libc6-dev", "python3-dev", "python3-pip")
APT = ("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")


def make(engine: Engine) -> str:
    """Make `python:VERSION`, which has pip and a compiler, and `python:VERSION-slim`; which version of Python it is, as 3.11."""
    slim, full = engine.folder / "slim", engine.folder / "full"
    _once(slim, _slim)
    _once(full, lambda folder: _full(slim, folder))
    version = re.findall(r"3\.\d+", run("chroot", slim, "/usr/bin/python3", "--version"))[0]
    for folder, name in ((slim, f"python:{version}-slim"), (full, f"python:{version}")):
        if not engine.exists(f"localhost/{name}"):
            container = engine.buildah("from", "scratch")
            engine.buildah("add", "-q", container, folder, "/")
            engine.buildah("config", "--env", f"PATH={PATH}", "--cmd", "python3", container)
            engine.buildah("commit", "-q", "--rm", container, f"localhost/{name}")
    return str(version)


def _once(folder: Path, fill: Callable[[Path], None]) -> None:
    """Have a folder filled, unless it has been; one that was left half full is made anew."""
    done = folder.with_suffix(".done")
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        fill(folder)
        done.touch()


def _slim(folder: Path) -> None:
    codename = re.findall(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)[0]
    # the mirror of this machine, else the one that debootstrap knows
    known = run(
        "apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {codename}"
    ).splitlines()
    packages = "ca-certificates,python3,python3-venv"
    run(*APT, "debootstrap", "--variant=minbase", f"--include={packages}", codename, folder, *known[:1])
    for rest in ("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*_*"):
        for file in folder.glob(rest):
            file.unlink()
    # like the images that the Dockerfile is written for: no byte code of the standard library, and `python` is Python
    for file in folder.glob("usr/lib/python3*/**/__pycache__/*.pyc"):
        file.unlink()
    for name in ("python", "python3"):
        (folder / "usr/local/bin" / name).symlink_to("/usr/bin/python3")


def _full(slim: Path, folder: Path) -> None:
    run("cp", "-a", slim, folder)
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    run("chroot", folder, *APT, "apt-get", "update", "-q")
    run("chroot", folder, *APT, "apt-get", "install", "-y", "-q", "--no-install-recommends", *COMPILER)
    (folder / "usr/local/bin/pip").symlink_to("/usr/bin/pip3")


def pip_of_this_machine() -> list[str]:
    """Options of buildah by which pip finds packages as it does here while RUN runs: its settings, the files that they name, and
    the certificates that are trusted. None of it is in the image."""
    pip = [sys.executable, "-m", "pip", "config"]
    mounted = {Path(found) for found in re.findall(r"^\s*(/.*), exists: True$", run(*pip, "debug"), re.M)}
    mounted |= {Path(found) for found in re.findall(r"(?<![\w/:.])/[\w./-]+", run(*pip, "list"))}
    mounted |= {Path("/etc/ssl/certs"), Path("/usr/share/ca-certificates"), Path("/usr/local/share/ca-certificates")}
    return [part for path in sorted(mounted) if path.exists() for part in ("-v", f"{path}:{path}:ro")]
