"""What a process needs of its system."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from support import ROOT

from goto.command.runtime import run


def test_the_exit_status_is_what_the_coroutine_returns() -> None:
    async def main() -> int:
        await asyncio.sleep(0)
        return 7

    assert run(main()) == 7


def test_a_low_limit_of_descriptors_is_raised_as_far_as_the_system_allows() -> None:
    script = (
        "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (64, 300));"
        "from goto.command.runtime import allow_files;"
        "allow_files(50); print(r.getrlimit(r.RLIMIT_NOFILE)[0]);"
        "allow_files(10_000); print(r.getrlimit(r.RLIMIT_NOFILE)[0]);"
        "allow_files(1); print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["150", "300", "300"]
