"""A shell on a terminal, typed at as a person does."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

SECONDS = 10.0
"""For what a shell is to show."""

_ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>])")

START = {
    "bash": ("bash --norc --noprofile -i", "PS1='${ready}> '; bind 'set enable-bracketed-paste off'"),
    "zsh": ("zsh -f -i", "autoload -Uz compinit; compinit -D; setopt prompt_subst; unsetopt prompt_sp; PS1='${ready}> '"),
    "fish": ("fish --no-config -i", "function fish_prompt; echo \"$ready\"'> '; end; set -g fish_autosuggestion_enabled 0"),
}
"""How each is started, and what it is told first. A prompt is made of a variable, so that no echo of this looks like one."""


class Shell:
    """A shell that runs until it is left."""

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        self.shown = ""
        self.fd, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        command, first = START[name]
        takes = "import os, sys; os.login_tty(0); os.execvp(sys.argv[1], sys.argv[1:])"
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "TERM": "xterm", "ready": "ready", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", takes, *command.split()], stdin=theirs, cwd=folder, env={**os.environ, **home, **env}
        )
        os.close(theirs)
        self.type(first + "\n")
        self.read("ready> ")

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def read(self, until: str) -> str:
        """What is shown until this text, without escapes; what was typed ahead is not looked at again."""
        last = time.monotonic() + SECONDS
        while True:
            plain = _ESCAPES.sub("", self.shown)
            if until in plain:
                self.shown = plain.partition(until)[2]
                return plain.partition(until)[0]
            assert time.monotonic() < last, f"{until!r} is not shown: {plain!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                data = os.read(self.fd, 65536).decode("utf-8", "replace")
                if "\x1b[c" in data or "\x1b[0c" in data:
                    self.type("\x1b[?62c")  # fish asks what the terminal is
                self.shown += data

    def run(self, line: str) -> str:
        """Run a command; what it shows until the next prompt."""
        self.type(line + "\n")
        return self.read("ready> ")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.fd)
