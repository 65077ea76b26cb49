"""The arguments of the `goto` command, and which command they are given to."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from goto import __version__
from goto.instance.build import COMPILED
from goto.words.unseen import escaped

_EXAMPLES = """examples:
  goto                                    serve on port 8080
  goto --port 9000 --label edge           serve on port 9000, label edge
  goto --label web --registry http://reg:8080   register there as web, and take what it hands to web
  goto --config goto.yaml --watch         configured by a file, and again when it changes
  goto check goto.yaml                    exit status 0 if that file can be served
  mitmdump -s "$(goto addon)" --mode reverse:http://127.0.0.1:9000   in front of a service, in mitmproxy
  goto --log-format json                  one JSON object per exchange on standard output
  goto send -n 10000 -c 32 http://127.0.0.1:9000/   send requests and measure the answers
  goto health http://127.0.0.1:9000       exit status 0 if an instance is healthy
  curl localhost:8080/goto/help           the API of a running instance
"""

_SEND_EXAMPLES = """examples:
  goto send http://127.0.0.1:9000/                                     one request
  goto send -n 10000 -c 32 --fail-if 'p99>200ms' --fail-if 'status!=2xx' http://127.0.0.1:9000/
  goto send -n 6000 -c 64 --rate 500 --json http://127.0.0.1:9000/     500 requests a second, results as JSON
  goto send -d '{"a": 1}' -H 'Content-Type: application/json' http://127.0.0.1:9000/
"""


ABOUT = ("-h", "--help", "--version")
"""What is asked of goto itself; all other options without a command are those of `serve`."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, and exit status 2."""
        self.exit(2, f"goto: {escaped(message)} (see {self.prog} --help)\n")


def run(words: Sequence[str]) -> int:
    """Run a command; its exit status. Raises SystemExit for what cannot be read, and behind a help or the version."""
    if not words or (words[0].startswith("-") and words[0] not in ABOUT):
        options, unknown = _parser(serve="goto").parse_known_args(["serve", *words])
    else:
        options, unknown = _parser().parse_known_args(words)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    status: int = options.run(options)
    return status


def _parser(serve: str = "goto serve") -> argparse.ArgumentParser:
    """`serve` is how serving was asked for: its errors name the help of that."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="goto",
        usage="goto [OPTION]...\n       goto COMMAND [ARGUMENT]...",
        description="An HTTP test server, an intercepting proxy and a load-sending client in one, driven by a REST API.",
        epilog=_EXAMPLES,
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"goto {__version__}{' (compiled)' if COMPILED else ''}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog="goto")

    what = "serve; what goto does without a command"
    serving = commands.add_parser("serve", prog=serve, help=what, epilog=_EXAMPLES, formatter_class=raw)
    serving.set_defaults(run=_serve, parser=serving)
    # goto's own help shows them too; they are read behind the command alone
    for options in (serving, parser.add_argument_group("options of serving")):
        _add_serving(options)

    _add_send(commands)

    check = commands.add_parser("check", help="check configuration files; exit status 0, or 2 with what is wrong")
    check.add_argument("files", nargs="+", metavar="FILE", help="a YAML file; several are merged in order")
    _add_feature(check)
    check.set_defaults(run=_check, parser=check)

    schema = commands.add_parser("schema", help="print the JSON Schema of configuration files, for editors")
    _add_feature(schema)
    schema.set_defaults(run=_schema, parser=schema)

    openapi = commands.add_parser("openapi", help="print the OpenAPI document of the API, as GET /goto/openapi.json answers it")
    _add_feature(openapi)
    openapi.set_defaults(run=_openapi, parser=openapi)

    addon = commands.add_parser("addon", help='print the path of the mitmproxy addon: mitmdump -s "$(goto addon)"')
    addon.set_defaults(run=_addon, parser=addon)

    health = commands.add_parser("health", help="ask an instance whether it is healthy; exit status 0 if so")
    health.add_argument("url", nargs="?", default="http://127.0.0.1:8080", help="default: http://127.0.0.1:8080")
    what = "do not check the certificate; that of 127.0.0.1, ::1 and localhost never is"
    health.add_argument("-k", "--insecure", action="store_true", help=what)
    health.set_defaults(run=_health, parser=health)
    return parser


def _add_serving(serve: argparse._ActionsContainer) -> None:
    port, label = _word("goto.words.numbers", "AnyPort"), _word("goto.words", "Label")
    what = "port of the first listener; 0 for one that is free (default: 8080)"
    serve.add_argument("--port", type=port, default=8080, help=what)
    interface = _word("goto.words.hosts", "Interface")
    serve.add_argument("--host", metavar="ADDRESS", type=interface, help="interface to listen on (default: all)")
    what = "what the first listener speaks (default: http)"
    serve.add_argument("--protocol", choices=("http", "https"), default="http", type=str.lower, help=what)
    what = "certificate of --protocol https, PEM (default: one made here, see /goto/ca.pem)"
    serve.add_argument("--cert", metavar="FILE", help=what)
    serve.add_argument("--key", metavar="FILE", help="key of --cert, PEM, without a password (default: in the file of --cert)")
    what = "host or address that a certificate made here is for too; may be given several times"
    name = _word("goto.tls.settings", "CertName")
    serve.add_argument("--cert-name", action="append", default=[], metavar="NAME", type=name, help=what)
    serve.add_argument("--label", type=label, help="label of the first listener (default: its port)")
    serve.add_argument(
        "--registry",
        metavar="URL",
        type=_word("goto.registry.worker", "RegistryUrl"),
        help="register the first listener with that instance",
    )
    what = "where the registry reaches the first listener (default: own address and port)"
    serve.add_argument("--address", metavar="HOST:PORT", type=_word("goto.registry.address", "Address"), help=what)
    what = "serve management calls on a port of their own too, 0 for one that is free; they act on the first listener"
    serve.add_argument("--admin-port", metavar="PORT", type=port, help=what)
    what = (
        "answer management calls only for these hosts (commas between them, or given several times); to others they are traffic"
    )
    serve.add_argument("--admin-host", metavar="NAME", action="append", default=[], help=what)
    what = "take management off the first listener: its paths are traffic there"
    serve.add_argument("--no-admin", action="store_true", help=what)
    token = _word("goto.words.token", "TokenOption")
    what = "what management calls have to show (Authorization: Bearer TOKEN); rather give it in GOTO_ADMIN_TOKEN"
    serve.add_argument("--admin-token", metavar="TOKEN|@FILE", type=token, help=what)
    what = "what workers and the registry show each other; rather give it in GOTO_REGISTRY_TOKEN"
    serve.add_argument("--registry-token", metavar="TOKEN|@FILE", type=token, help=what)
    what = "configure it by these YAML files, merged in order"
    serve.add_argument("--config", nargs="+", action="extend", default=[], metavar="FILE", help=what)
    serve.add_argument("--watch", action="store_true", help="apply the difference whenever a --config file changes")
    _add_feature(serve)
    what = "a limit like connections=5000 or head=32KiB; may be given several times (see docs/behaviour.md)"
    limit = _word("goto.traffic.limits", "ConfiguredLimits")
    serve.add_argument("--limit", type=limit, action="append", default=[], metavar="NAME=VALUE", help=what)
    what = "how long exchanges in flight may take to finish at the end (default: 10s)"
    serve.add_argument("--grace", type=_word("goto.words.duration", "Duration"), default="10s", metavar="DURATION", help=what)
    serve.add_argument("--log-format", choices=("text", "json"), default="text", help="form of the access log (default: text)")
    serve.add_argument("--quiet", action="store_true", help="write neither start line nor access log")
    # accepted for one version more; serve warns of it
    serve.add_argument("--no-fast-path", action="store_true", help=argparse.SUPPRESS)


def _add_feature(parser: argparse._ActionsContainer) -> None:
    what = "a Python file with features of your own; may be given several times"
    parser.add_argument("--feature", action="append", default=[], metavar="FILE", help=what)


def _add_send(commands: argparse._SubParsersAction[_Parser]) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    send = commands.add_parser("send", help="send requests and measure the answers", epilog=_SEND_EXAMPLES, formatter_class=raw)
    add = send.add_argument
    add("urls", nargs="+", metavar="URL", help="where to; each gets all that is asked for")
    number = _word("goto.words", "Number")
    add("-n", "--requests", type=number, metavar="N", help="requests in all (default: one a replica)")
    add("-c", "--replicas", type=number, default=1, metavar="N", help="connections that send in parallel (default: 1)")
    add("--rate", type=float, metavar="N", help="requests a second that become due, whether or not earlier ones are answered")
    add("--delay", metavar="DURATION", help="wait after each round of one request a replica, like 10ms")
    add("-m", "--method", help="(default: GET, with -d POST)")
    add("-H", "--header", action="append", default=[], metavar="'NAME: VALUE'", help="may be given several times")
    add("-d", "--data", metavar="BODY", help="body; @FILE for a file's text, @- for standard input's")
    add("--send-id", action="store_true", help="add a parameter x-request-id with a fresh id to each request")
    add("--timeout", metavar="DURATION", help="for an answer (default: 30s)")
    add("--connect-timeout", metavar="DURATION", help="for making a connection (default: 30s)")
    add("-k", "--insecure", action="store_true", help="do not check certificates")
    add("--cacert", metavar="FILE", help="certificates to trust instead of the system's, PEM")
    add("--cert", metavar="FILE", help="certificate to show the server, PEM; with its key, or see --key")
    add("--key", metavar="FILE", help="key of --cert, PEM, without a password")
    add("--json", action="store_true", help="write the results as GET /client/results does")
    what = "exit status 1 if so: p99>200ms, max>=1s, status!=2xx, errors>0, errors>1%%, rps<100; may be given several times"
    add(
        "--fail-if",
        action="append",
        default=[],
        type=_word("goto.command.send.conditions", "Condition"),
        metavar="CONDITION",
        help=what,
    )
    send.set_defaults(run=_send, parser=send)


def _word(module: str, name: str) -> Callable[[str], Any]:
    """Reads an argument by a word type, which is imported once there is such an argument."""

    def parse(text: str) -> Any:
        try:
            return getattr(import_module(module), name).parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def _serve(options: argparse.Namespace) -> int:
    from goto.command.serve import serve

    return serve(options)


def _send(options: argparse.Namespace) -> int:
    from goto.command.send.command import send

    return send(options)


def _check(options: argparse.Namespace) -> int:
    from goto.command.check import check

    return check(options.files, options.feature)


def _schema(options: argparse.Namespace) -> int:
    from goto.command.check import print_schema

    return print_schema(options.feature)


def _openapi(options: argparse.Namespace) -> int:
    from goto.command.check import print_openapi

    return print_openapi(options.feature)


def _addon(options: argparse.Namespace) -> int:
    from goto.command.addon import addon

    return addon()


def _health(options: argparse.Namespace) -> int:
    from goto.command.health import health

    return health(options.url, insecure=options.insecure)
