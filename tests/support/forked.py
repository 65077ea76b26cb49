"""`goto` for tests that run it often: each command is a fork of one process that has imported goto, and need not import it.

    with Forked(folder) as forked:
        subprocess.run([*forked.command, "health"])

A command has the arguments, the folder, the environment and the standard streams of who runs it, gets its signals, and ends with
the exit status of goto. `forked_command.py` is its end of it. What an interpreter does before goto's own first line is that of
`python -m goto`, which most tests start.
"""

from __future__ import annotations

import gc
import importlib
import marshal
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

from support import ROOT
from support.waiting import eventually

LATE = ("goto.hosts.mitm", "goto.testing", "goto.duration", "goto.__main__", "goto.addons")
"""What is not imported ahead: it is for other programs than `goto`."""


class Forked:
    """The process that has imported goto. It ends with the context."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "forked"
        command = [sys.executable, "-m", "support.forked", str(self._socket)]
        paths = [str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=folder, env=env)
        eventually(self._serves)

    def _serves(self) -> bool:
        assert self._process.poll() is None, "goto could not be imported"
        return self._socket.exists()

    @property
    def command(self) -> list[str]:
        """What runs `goto`; its arguments stand behind it."""
        return [sys.executable, "-I", "-S", str(ROOT / "tests/support/forked_command.py"), str(self._socket)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # it ends as its standard input does


# ---------------------------------------------------------------- the process
def _import_all() -> None:
    goto = importlib.import_module("goto")
    for module in pkgutil.walk_packages(goto.__path__, "goto."):
        if not module.name.startswith(LATE):
            importlib.import_module(module.name)
    gc.freeze()  # what is there is shared by all


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def _become(connection: socket.socket) -> None:
    """Go on as the command that is asked for, in a child of this process; the caller is left behind, and waits for it."""
    size, descriptors, _, _ = socket.recv_fds(connection, 4, 3)
    words, folder, env = marshal.loads(_read(connection, int.from_bytes(size, "big")))
    child = os.fork()
    if child:
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(child.to_bytes(4, "big"))
        _, status = os.waitpid(child, 0)
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
        os._exit(0)
    connection.close()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["goto", *words]


def _commands(path: str) -> None:
    """Fork for each command. Returns in each of them; the process itself ends here with its standard input."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for commands
        while listening in select.select([listening, 0], [], [])[0]:
            connection, _ = listening.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listening.close()
                _become(connection)
                return
            connection.close()
    os._exit(0)


if __name__ == "__main__":
    _import_all()
    _commands(sys.argv[1])
    from goto.command.cli import main

    raise SystemExit(main())
