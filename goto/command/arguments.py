"""The arguments of the `goto` command: which command they name, and its options."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from goto import __version__
from goto.command.statuses import help_of
from goto.instance.build import COMPILED
from goto.words.unseen import escaped

_EXAMPLES = """examples:
  goto                                    serve on port 8080
  goto --port 9000 --label edge           serve on port 9000, with the label edge
  goto --label web --registry http://reg:8080   register there as web, and get the targets for web
  goto --config goto.yaml --watch         configure by a file, and apply what changes in it
  goto check goto.yaml                    exit status 0 if that file can be served
  mitmdump -s "$(goto addon)" --mode reverse:http://127.0.0.1:9000   in front of a service, in mitmproxy
  goto --log-format json                  one JSON object per exchange on standard output
  goto send -n 10000 -c 32 http://127.0.0.1:9000/   send requests and measure the answers
  goto health http://127.0.0.1:9000       exit status 0 if an instance is healthy
  goto ctl fail 503 --times 2             have exactly the next two requests fail
  curl localhost:8080/goto/help           the API of a running instance
"""

_SEND_EXAMPLES = """examples:
  goto send http://127.0.0.1:9000/                                     one request
  goto send -n 10000 -c 32 --fail-if 'p99>200ms' --fail-if 'status!=2xx' http://127.0.0.1:9000/
  goto send -n 6000 -c 64 --rate 500 --json http://127.0.0.1:9000/     500 requests a second, results as JSON
  goto send -d '{"a": 1}' -H 'Content-Type: application/json' http://127.0.0.1:9000/
"""


ABOUT = ("-h", "--help", "--version")
"""The options of goto itself. All other options without a command are those of `serve`."""


class _Parser(argparse.ArgumentParser):
    mixed = False
    """Options may stand between URLs, and a body or a header is the next word whatever it is."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(self._arranged(list(args)) if self.mixed else args, namespace)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if arg_strings == ["--"] and action.option_strings:
            return self._get_value(action, "--")  # which argparse takes for the end of options even where it is a value
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> NoReturn:
        """Print one line, and exit with status 2."""
        self.exit(2, f"goto: {escaped(message)} (see {self.prog} --help)\n")

    def _arranged(self, words: list[str]) -> list[str]:
        """The options, each in one word with a value that may begin with a dash, and then the URLs."""
        options: list[str] = []
        urls: list[str] = []
        while words:
            word = words.pop(0)
            if word == "--":
                urls += words
                break
            if not word.startswith("-") or word == "-":
                urls.append(word)
                continue
            action = self._action_of(word)
            if action is None or action.nargs == 0 or not words:
                options.append(word)
            elif action.dest in ("data", "header"):
                options.append(f"{action.option_strings[-1]}={words.pop(0)}")
            else:
                options += [word, words.pop(0)]
        return [*options, "--", *urls]

    def _action_of(self, word: str) -> argparse.Action | None:
        """The option that a word is, where its value is not in the word itself; long ones may be shortened."""
        named = {name: action for action in self._actions for name in action.option_strings}
        if word in named or not word.startswith("--"):
            return named.get(word)
        fitting = {action.dest: action for name, action in named.items() if name.startswith(word)}
        return next(iter(fitting.values())) if len(fitting) == 1 else None


def run(words: Sequence[str]) -> int:
    """Run a command. Returns its exit status. Raises SystemExit for wrong arguments, and after a help or the version."""
    if not words or (words[0].startswith("-") and words[0] not in ABOUT):
        options, unknown = _parser(serve="goto").parse_known_args(["serve", *words])
    else:
        options, unknown = _parser().parse_known_args(words)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    status: int = options.run(options)
    return status


def _parser(serve: str = "goto serve") -> argparse.ArgumentParser:
    """The parser. `serve` is the name that errors of the command `serve` begin with and whose help they mention."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="goto",
        usage="goto [OPTION]...\n       goto COMMAND [ARGUMENT]...",
        description="An HTTP test server, an intercepting proxy and a load-sending client in one, driven by a REST API.",
        epilog=f"{_EXAMPLES}\n{help_of('goto')}",
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"goto {__version__}{' (compiled)' if COMPILED else ''}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog="goto")

    what = "serve (the default if no command is given)"
    serving = commands.add_parser("serve", prog=serve, help=what, epilog=_EXAMPLES, formatter_class=raw)
    serving.set_defaults(run=_serve, parser=serving)
    # the help of goto shows these options too, but only the command `serve` reads them
    for options in (serving, parser.add_argument_group("options of serving")):
        _add_serving(options)

    _add_send(commands)

    check = commands.add_parser("check", help="check configuration files; exit status 0, or 2 with what is wrong")
    check.add_argument("files", nargs="+", metavar="FILE", help="a YAML file, - for standard input; several are merged in order")
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

    completion = commands.add_parser("completion", help="print the script that completes the words of goto in a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that is to complete them")
    completion.set_defaults(run=_completion, parser=completion)

    # for the help alone: its words are not read here, see `cli`
    commands.add_parser("ctl", help="make a call of the API, whose words are the path: goto ctl response delay set 200ms")

    health = commands.add_parser("health", help="ask an instance whether it is healthy; exit status 0 if so")
    health.add_argument("url", nargs="?", type=_text, default="http://127.0.0.1:8080", help="default: http://127.0.0.1:8080")
    what = "do not check the certificate; that of 127.0.0.1, ::1 and localhost never is"
    health.add_argument("-k", "--insecure", action="store_true", help=what)
    health.set_defaults(run=_health, parser=health)
    return parser


def _add_serving(serve: argparse._ActionsContainer) -> None:
    port, label = _word("goto.words.numbers", "AnyPort"), _word("goto.words", "Label")
    what = "port of the first listener; 0 for a free one (default: 8080)"
    serve.add_argument("--port", type=port, default=8080, help=what)
    interface = _word("goto.words.hosts", "Interface")
    serve.add_argument("--host", metavar="ADDRESS", type=interface, help="interface to listen on (default: all)")
    what = "protocol of the first listener (default: http)"
    serve.add_argument("--protocol", choices=("http", "https"), default="http", type=str.lower, help=what)
    what = "certificate for --protocol https, PEM (default: goto makes one, see /goto/ca.pem)"
    serve.add_argument("--cert", metavar="FILE", help=what)
    serve.add_argument("--key", metavar="FILE", help="key of --cert, PEM, without a password (default: in the file of --cert)")
    what = "another host or address that the certificate made by goto is valid for; may be given several times"
    name = _word("goto.tls.settings", "CertName")
    serve.add_argument("--cert-name", action="append", default=[], metavar="NAME", type=name, help=what)
    serve.add_argument("--label", type=label, help="label of the first listener (default: its port)")
    serve.add_argument(
        "--registry",
        metavar="URL",
        type=_word("goto.registry.worker", "RegistryUrl"),
        help="the goto instance to register the first listener with",
    )
    what = "where the registry can reach the first listener (default: its own address and port)"
    serve.add_argument("--address", metavar="HOST:PORT", type=_word("goto.registry.address", "Address"), help=what)
    what = "serve management calls also on this port (0 for a free one), where they act on the first listener"
    serve.add_argument("--admin-port", metavar="PORT", type=port, help=what)
    what = "answer management calls only for these hosts, separated by commas or given several times; for others they are traffic"
    serve.add_argument("--admin-host", metavar="NAME", action="append", default=[], help=what)
    what = "answer no management calls on the first listener: all its paths are traffic"
    serve.add_argument("--no-admin", action="store_true", help=what)
    token = _word("goto.words.token", "TokenOption")
    what = "token that management calls must show (Authorization: Bearer TOKEN); better set in GOTO_ADMIN_TOKEN"
    serve.add_argument("--admin-token", metavar="TOKEN|@FILE", type=token, help=what)
    what = "token that workers and the registry show each other; better set in GOTO_REGISTRY_TOKEN"
    serve.add_argument("--registry-token", metavar="TOKEN|@FILE", type=token, help=what)
    what = "YAML files to configure goto by, merged in order"
    serve.add_argument("--config", nargs="+", action="extend", default=[], metavar="FILE", help=what)
    serve.add_argument("--watch", action="store_true", help="apply what changes in the --config files while goto runs")
    _add_feature(serve)
    what = "a limit like connections=5000 or head=32KiB; may be given several times (see docs/limits.md)"
    limit = _word("goto.traffic.limits", "ConfiguredLimits")
    serve.add_argument("--limit", type=limit, action="append", default=[], metavar="NAME=VALUE", help=what)
    what = "how long exchanges in flight may take to finish when goto ends (default: 10s)"
    serve.add_argument("--grace", type=_word("goto.words.duration", "Duration"), default="10s", metavar="DURATION", help=what)
    serve.add_argument("--log-format", choices=("text", "json"), default="text", help="format of the access log (default: text)")
    serve.add_argument("--quiet", action="store_true", help="print neither the start line nor the access log")
    # accepted for one version more; serve warns of it
    serve.add_argument("--no-fast-path", action="store_true", help=argparse.SUPPRESS)


def _add_feature(parser: argparse._ActionsContainer) -> None:
    what = "a Python file with your own features; may be given several times"
    parser.add_argument("--feature", action="append", default=[], metavar="FILE", help=what)


def _add_send(commands: argparse._SubParsersAction[_Parser]) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    send = commands.add_parser(
        "send",
        help="send requests and measure the answers",
        epilog=f"{_SEND_EXAMPLES}\n{help_of('goto send')}",
        formatter_class=raw,
    )
    send.mixed = True
    add = send.add_argument
    add(
        "places",
        nargs="+",
        type=_text,
        metavar="URL",
        help="where to send; each URL gets all the requests, http without a scheme",
    )
    number = _word("goto.words", "Number")
    add("-n", "--requests", type=number, metavar="N", help="requests to each URL (default: one for each replica)")
    what = "send for so long; with -n whichever ends first. Requests in flight then have 10s"
    add("-z", "--duration", metavar="DURATION", help=what)
    add("-c", "--replicas", type=number, default=1, metavar="N", help="connections that send in parallel (default: 1)")
    add(
        "--rate",
        type=float,
        metavar="N",
        help="requests per second, sent on time even if earlier ones are not answered",
    )
    add(
        "--delay",
        metavar="DURATION",
        help="how long to wait after each round of one request per replica, like 10ms",
    )
    what = "for so long a rate or a number of replicas, which may grow or fall; several times, one after another"
    add("--stage", action="append", default=[], type=_text, metavar="30s:rate=100-500", help=what)
    add("-m", "--method", type=_text, help="method (default: GET; POST with -d)")
    add(
        "-H",
        "--header",
        action="append",
        default=[],
        type=_text,
        metavar="'NAME: VALUE'",
        help="header to send; may be given several times",
    )
    add("-d", "--data", type=_text, metavar="BODY", help="body to send; @FILE for what is in a file, @- for standard input")
    add("--urls", metavar="FILE", help="further URLs of the same origin, one a line; requests go to all in turn")
    add("--pick", choices=("turn", "random"), default="turn", help="whether URLs are taken in turn or at random (default: turn)")
    what = "fill in {n}, {replica}, {uuid}, {random:1-9}, {random:a|b}, {random:8} in URLs, header values and the body"
    add("--variables", action="store_true", help=what)
    add("--send-id", action="store_true", help="add a query parameter x-request-id with a unique id to each request")
    what = "what an answer must be: status=2xx, body~text, json:$.a=1, header:x=x1, size<1MiB; may be given several times"
    add("--check", action="append", default=[], type=_text, metavar="CHECK", help=what)
    add("--no-keep-alive", action="store_true", help="a connection for each request")
    add("--requests-per-connection", type=number, metavar="N", help="a new connection after so many requests")
    what = "connect there instead; Host and the certificate stay those of the URL"
    add("--connect-to", metavar="HOST:PORT", type=_text, help=what)
    what = "an http proxy to send through, http://proxy:3128; http_proxy and the like are never used"
    add("-x", "--proxy", metavar="URL", type=_text, help=what)
    what = "how long a request may take, from sending it to the last byte of its answer (default: any time)"
    add("--max-time", metavar="DURATION", help=what)
    add(
        "--timeout",
        metavar="DURATION",
        help="how long to wait for the head of an answer, and between pieces of its body (default: 30s)",
    )
    add("--connect-timeout", metavar="DURATION", help="how long connecting may take (default: 30s)")
    what = "go round all addresses of a host, or begin with the first for each connection (default: all)"
    add("--addresses", choices=("all", "first"), default="all", help=what)
    add("-k", "--insecure", action="store_true", help="do not check certificates")
    add("--cacert", metavar="FILE", help="certificates to trust instead of the system's, PEM")
    add("--cert", metavar="FILE", help="certificate to show the server, PEM; with its key, or see --key")
    add("--key", metavar="FILE", help="key of --cert, PEM, without a password")
    add("--csv", metavar="FILE", help="write what came of requests over time as CSV; - for standard output")
    what = "join what was sent with what arrived at the goto there, by ids in the parameter x-request-id"
    add("--reconcile", metavar="URL", type=_word("goto.command.send.reconciling", "ServerUrl"), help=what)
    what = "the admin token of that goto"
    add("--reconcile-token", metavar="TOKEN|@FILE", type=_word("goto.words.token", "TokenOption"), help=what)
    add("--gaps", action="store_true", help="with --reconcile: the times between tries of one id too")
    add("--json", action="store_true", help="write the results as GET /client/results does")
    what = (
        "exit with 1 if this holds: p99>200ms, max>=1s, status!=2xx, errors>0, errors>1%%, checks>0, rps<100, duplicated>0; "
        "may be given several times"
    )
    add(
        "--fail-if",
        action="append",
        default=[],
        type=_word("goto.command.send.conditions", "Condition"),
        metavar="CONDITION",
        help=what,
    )
    send.set_defaults(run=_send, parser=send)


def _text(word: str) -> str:
    """An argument in UTF-8, whatever the system says that its encoding is. The name of a file stays as the system has it."""
    if word.startswith("@"):
        return word
    try:
        return os.fsencode(word).decode()
    except UnicodeDecodeError:
        raise argparse.ArgumentTypeError("not UTF-8") from None


def _word(module: str, name: str) -> Callable[[str], Any]:
    """A function that reads an argument as a word type, whose module is imported when there is such an argument."""

    def parse(text: str) -> Any:
        try:
            return getattr(import_module(module), name).parse(_text(text))
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


def _completion(options: argparse.Namespace) -> int:
    from goto.command.completion import completion

    return completion(options.shell, _parser())


def _health(options: argparse.Namespace) -> int:
    from goto.command.health import health

    return health(options.url, insecure=options.insecure)
