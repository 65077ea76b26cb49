"""The `goto` command, from the first line of its own code to its exit status.

Signal handlers and standard output are set up first, and modules that take time to import only then, since a signal may come at
any moment.
"""

from __future__ import annotations

import sys

from goto.command import signals


def main() -> int:
    """Run the command of this process. Returns the exit status."""
    words = sys.argv[1:]
    signals.listen(serving=not words or words[0] == "serve" or words[0].startswith("-"))
    from goto.command import descriptors

    output = descriptors.prepare()
    if words[:1] == ["ctl"]:
        # its words are those of the API, and it answers at once
        from goto.command.ctl.command import ctl

        return output.finish(ctl(words[1:]))
    from goto.command.arguments import run

    try:
        status = run(words)
    except SystemExit as end:
        # argparse raises this after a help, and for wrong arguments
        status = end.code if isinstance(end.code, int) else 0
    return output.finish(status)
