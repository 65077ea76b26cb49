"""What it was measured on and with."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from support.nginx import find_nginx

from goto.instance.build import COMPILED


def machine() -> str:
    """One line: processor, cores, versions of what takes part."""
    nginx, wrk = find_nginx(), shutil.which("wrk")
    parts = [
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        f"{platform.python_implementation()} {platform.python_version()}, goto {'compiled' if COMPILED else 'not compiled'}",
        *(_package(name) for name in ("aiohttp", "uvloop", "mitmproxy")),
        f"nginx {_said([nginx, '-v'], 'nginx/([0-9.]+)')}" if nginx else "",
        f"wrk {_said([wrk, '-v'], 'wrk (?:debian/)?([0-9.]+)')}" if wrk else "",
        # hey cannot say it itself
        f"hey {_said(['dpkg-query', '-W', 'hey'], '([0-9.]+)')}" if shutil.which("hey") else "",
    ]
    return ", ".join(part for part in parts if part)


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1].strip() if found else platform.machine()


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


def _said(command: list[str], pattern: str) -> str:
    """A version by what a program says of itself."""
    try:
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        return "of unknown version"
    found = re.search(pattern, ran.stdout)
    return found[1] if found else "of unknown version"
