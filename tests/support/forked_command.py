"""`goto`, carried out by the process of `forked.py`. Run by `python -I -S`, with modules that are there without a search."""

import _signal as signal
import _socket as socket
import marshal
import os
import sys

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def hand_on(process: int, number: int) -> None:
    """Send a signal on, unless the process has just ended."""
    try:  # noqa: SIM105  # contextlib takes as long to import as all else here
        os.kill(process, number)
    except ProcessLookupError:
        pass


def run(server: str, words: list[str]) -> int:
    """Have a command carried out, with all that is this process's own; its exit status."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # until it is known whom they are for
    asked = marshal.dumps((words, os.getcwd(), dict(os.environ)))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(server)
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    connection.sendmsg([len(asked).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    while asked:
        asked = asked[connection.send(asked) :]
    process = int.from_bytes(connection.recv(4), "big")
    for number in ENDING:
        signal.signal(number, lambda number, _: hand_on(process, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    status = int.from_bytes(connection.recv(4), "big", signed=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
