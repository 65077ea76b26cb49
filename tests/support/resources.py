"""What a process takes of the machine."""

from __future__ import annotations

import contextlib
import os


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def peak(pid: int) -> int:
    """The most bytes that were resident since `forget_peak`."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def forget_peak(pid: int) -> int:
    """Let the peak be what is resident now; that."""
    with open(f"/proc/{pid}/clear_refs", "w") as references:
        references.write("5")
    return peak(pid)


def sockets(pid: int) -> int:
    """Sockets a process has open."""
    count = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:")
    return count
