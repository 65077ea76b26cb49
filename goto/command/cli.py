"""The `goto` command, from the first line of its own code to its exit status.

What it needs of the process comes first, and what takes time to import only then: a signal may come at any moment.
"""

from __future__ import annotations

import sys

from goto.command import signals


def main() -> int:
    """Run the command that this process was started as; its exit status."""
    words = sys.argv[1:]
    signals.listen(serving=not words or words[0] == "serve" or words[0].startswith("-"))
    from goto.command import descriptors

    output = descriptors.prepare()
    from goto.command.arguments import run

    try:
        status = run(words)
    except SystemExit as end:
        # argparse ends so, for its help and for what it cannot read
        status = end.code if isinstance(end.code, int) else 0
    return output.finish(status)
