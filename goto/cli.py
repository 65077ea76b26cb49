"""The `goto` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from goto import __version__

_EXAMPLES = """examples:
  goto                                    serve on port 8080
  goto --port 9000 --label edge           serve on port 9000, label edge
  goto --label web --registry http://reg:8080   register there as web, and take what it hands to web
  goto --log-format json                  one JSON object per exchange on standard output
  goto health http://127.0.0.1:9000       exit status 0 if an instance is healthy
  curl localhost:8080/goto/help           the API of a running instance
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, and exit status 2."""
        self.exit(2, f"goto: {message} (see goto --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "serve")
    options = _parser().parse_args(words)
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="goto",
        description="An HTTP test server, an intercepting proxy and a load-sending client in one, driven by a REST API.",
        epilog=_EXAMPLES,
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"goto {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    what = "serve; what goto does without a command"
    serve = commands.add_parser("serve", help=what, epilog=_EXAMPLES, formatter_class=raw)
    serve.add_argument("--port", type=_port, default=8080, help="port of the first listener (default: 8080)")
    serve.add_argument("--host", metavar="ADDRESS", help="interface to listen on (default: all)")
    serve.add_argument("--label", type=_label, help="label of the first listener (default: its port)")
    serve.add_argument("--registry", metavar="URL", type=_registry, help="register the first listener with that instance")
    what = "where the registry reaches the first listener (default: own address and port)"
    serve.add_argument("--address", metavar="HOST:PORT", type=_address, help=what)
    serve.add_argument("--log-format", choices=("text", "json"), default="text", help="form of the access log (default: text)")
    serve.add_argument("--quiet", action="store_true", help="write neither start line nor access log")
    serve.set_defaults(run=_serve)

    health = commands.add_parser("health", help="ask an instance whether it is healthy; exit status 0 if so")
    health.add_argument("url", nargs="?", default="http://127.0.0.1:8080", help="default: http://127.0.0.1:8080")
    health.set_defaults(run=_health)
    return parser


def _port(text: str) -> int:
    from goto.words import Port

    try:
        return Port.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _label(text: str) -> str:
    from goto.words import Label

    try:
        return Label.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _registry(text: str) -> str:
    from goto.registry.worker import RegistryUrl

    try:
        return RegistryUrl.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _address(text: str) -> str:
    from goto.registry.address import Address

    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _serve(options: argparse.Namespace) -> int:
    from goto.serve import serve

    return serve(options)


def _health(options: argparse.Namespace) -> int:
    from goto.health import health

    return health(options.url)
