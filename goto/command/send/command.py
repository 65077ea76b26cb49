"""`goto send`, from its options to its exit status."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections.abc import Container
from pathlib import Path
from typing import Any

from goto.client.results import Results
from goto.client.run import Run
from goto.client.target import ClientTarget
from goto.command import signals
from goto.command.descriptors import print_json
from goto.command.runtime import allow_files, run
from goto.command.send.conditions import Condition
from goto.command.send.progress import progress
from goto.errors import ApiError, BadInput
from goto.tls.settings import as_option
from goto.upstream.pool import Pool
from goto.words.failures import system_reason
from goto.words.names import MOST_BYTES
from goto.words.reading import read_struct
from goto.words.unseen import escaped
from goto.words.urls import with_scheme
from goto.words.writing import json_bytes

FAILED = 1
BAD_USE = 2
UNANSWERED = 3
_OPTIONS = {
    "method": "-m",
    "headers": "-H",
    "body": "-d",
    "replicas": "-c",
    "delay": "--delay",
    "rate": "--rate",
    "requestTimeout": "--timeout",
    "connTimeout": "--connect-timeout",
    "tls.ca": "--cacert",
    "tls.cert": "--cert",
    "tls.key": "--key",
}
"""The command-line options of fields, for messages."""

STOP_SECONDS = 1.0
"""How long requests in flight may take after a signal, in seconds. A second signal ends them at once."""

REFRESH_SECONDS = 0.1

LONGEST_NAME = MOST_BYTES - 20
"""Bytes of a URL that a target is named by; what follows has room for a number."""


def send(options: argparse.Namespace) -> int:
    """Send requests, show the results and check the conditions.

    Returns the exit status: 0, 1 where a `--fail-if` holds, 2 for bad options, 3 where no request was answered, 128 plus its
    number after a signal.
    """
    try:
        targets = targets_of(options)
    except (ApiError, OSError) as error:
        reason = f"body: {error.filename}: {system_reason(error)}" if isinstance(error, OSError) else error.message
        print(escaped(f"goto: {as_option(reason, _OPTIONS)}"), file=sys.stderr)
        return BAD_USE
    results = Results()
    allow_files(len(targets) * options.replicas)
    number = run(_send(targets, results, options.requests or options.replicas))
    _show(results, as_json=options.json)
    failed = judge(results, options.fail_if)
    if number:
        return signals.INTERRUPTED + number
    return FAILED if failed else UNANSWERED if _is_unanswered(results) else 0


def targets_of(options: argparse.Namespace) -> list[ClientTarget]:
    """A target for each URL, named as it is. Raises `ApiError`, and OSError for a file that cannot be read."""
    body = options.data
    if body is not None and body.startswith("@"):
        body = sys.stdin.read() if body == "@-" else Path(body[1:]).read_text("utf-8")
    document: dict[str, Any] = {
        "method": options.method or ("GET" if body is None else "POST"),
        "headers": [_header(text) for text in options.header],
        "body": body or "",
        "replicas": options.replicas,
        "delay": options.delay,
        "rate": options.rate,
        "sendId": options.send_id,
        "requestTimeout": options.timeout,
        "connTimeout": options.connect_timeout,
        "verifyTLS": not options.insecure,
        "addresses": options.addresses,
    }
    # as in curl, these options are ignored where the url is not https
    tls = (
        {"ca": options.cacert, "cert": options.cert, "key": options.key}
        if options.cacert or options.cert or options.key
        else None
    )
    targets: dict[str, ClientTarget] = {}
    for url in map(with_scheme, options.urls):
        name = _name_of(url, targets)
        secure = {"tls": tls} if url.lower().startswith("https:") else {}
        target = targets[name] = read_struct({**document, **secure, "name": name, "url": url}, ClientTarget)[0]
        _ = target.origin  # reads the files
    return list(targets.values())


def _name_of(url: str, others: Container[str]) -> str:
    """What the target of a URL is called: the URL as far as it may be a name, with a number where that is taken."""
    name = escaped(url).replace(",", "%2C").strip() or "-"
    if len(name.encode()) > LONGEST_NAME:
        name = name.encode()[:LONGEST_NAME].decode(errors="ignore") + "…"
    number, first = 1, name
    while name in others:
        number += 1
        name = f"{first} ({number})"
    return name


def judge(results: Results, conditions: list[Condition]) -> bool:
    """Print which conditions hold. Returns whether any does."""
    total = results.total()
    total.fold()
    held = [(condition, reason) for condition in conditions if (reason := condition.check(total))]
    for condition, reason in held:
        print(escaped(f"goto: failed: {condition.text}: {reason}"), file=sys.stderr)
    return bool(held)


def _is_unanswered(results: Results) -> bool:
    total = results.total()
    return total.requests == total.codes.get(0, 0)


async def _send(targets: list[ClientTarget], results: Results, requests: int) -> int:
    """Send `requests` to each target. Returns the number of the signal that ended it early, else 0."""
    pool = Pool()
    run = Run(targets, results, pool, total=requests)
    heard = _Signals(run)
    shown = progress(results, requests * len(targets))
    # the objects made so far live until the end, so the garbage collector need not check them again
    gc.collect()
    gc.freeze()
    try:
        run.start()
        while not run.done.done():
            await asyncio.wait([run.done], timeout=REFRESH_SECONDS)
            shown.update()
    finally:
        shown.close()
        await pool.close()
        signals.release()
    return heard.number


class _Signals:
    """The first signal stops the run; the second one gives up what is in flight."""

    def __init__(self, run: Run) -> None:
        self.number = 0
        self._run = run
        self._loop = asyncio.get_running_loop()
        signals.take(self._first)

    def _first(self, number: int) -> None:
        self.number = number
        signals.take(self._second)
        self._loop.call_soon_threadsafe(lambda: self._run.stop(grace=STOP_SECONDS))

    def _second(self, number: int) -> None:
        self._loop.call_soon_threadsafe(self._run.abort)


def _show(results: Results, *, as_json: bool) -> None:
    if as_json:
        print_json(json_bytes(results.to_wire()).decode())
        return
    from rich.console import Console

    from goto.command.send.summary import show

    show(Console(), results)


def _header(text: str) -> list[str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise BadInput(f"-H: {text!r} is not a header: write it like 'x: 1'")
    return [name.strip(), value.strip()]
