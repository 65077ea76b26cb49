"""What the exit statuses of the commands say, for their help and the docs."""

from __future__ import annotations

STATUSES: tuple[tuple[str, str, str], ...] = (
    ("goto", "0", "it is done"),
    ("goto", "2", "bad use: an option, a file or a URL that is not possible, as one line says; a port that is in use"),
    ("goto", "130, 143, 129", "ended by SIGINT, SIGTERM, SIGHUP; serving ends with 0 then"),
    ("goto send", "1", "a condition of --fail-if holds"),
    ("goto send", "3", "no request was answered whole, and no condition says more"),
    ("goto health", "1", "the instance is not healthy, or does not answer"),
    ("goto ctl", "1", "it is not so: verify, expect, goto health, goto ready"),
    ("goto ctl", "3", "refused: 4xx"),
    ("goto ctl", "4", "not reached, or 5xx"),
)
"""A command, its exit status, and when it ends with that. Those of `goto` are of all commands."""


def help_of(command: str) -> str:
    """The statuses of a command, as its help shows them."""
    lines = [f"  {status:<14}{when}" for name, status, when in STATUSES if name in ("goto", command)]
    return "\n".join(["exit status:", *lines, ""])
