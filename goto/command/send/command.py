"""`goto send`, from its options to its exit status."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from typing import Any, TextIO

from goto import __version__
from goto.client.counts import Counts
from goto.client.results import Results
from goto.client.run import Run
from goto.client.target import ClientTarget
from goto.command import signals
from goto.command.descriptors import print_json
from goto.command.runtime import allow_files, run
from goto.command.send.conditions import Condition
from goto.command.send.csv import write_csv
from goto.command.send.options import targets_of
from goto.command.send.progress import Goal, progress
from goto.command.send.reconciling import Reconciling
from goto.command.send.summary import a_second, show
from goto.errors import ApiError, Unavailable
from goto.upstream.pool import Pool
from goto.words.failures import system_reason
from goto.words.unseen import escaped
from goto.words.writing import as_json, json_bytes

FAILED = 1
BAD_USE = 2
UNANSWERED = 3

STOP_SECONDS = 1.0
"""How long requests in flight may take after a signal, in seconds. A second signal ends them at once."""

REFRESH_SECONDS = 0.1

LATE_SHARE = 0.01
"""A rate of whose requests more were late than this was not held."""


def send(options: argparse.Namespace) -> int:
    """Send requests, check the conditions and show the results.

    Returns the exit status: 0, 1 where a `--fail-if` holds, 2 for bad use, 3 where no request was answered, 128 plus its
    number after a signal.
    """
    try:
        targets = targets_of(options)
        if options.csv == "-" and options.json:
            return _bad_use("--csv: - cannot be given together with --json: both write to standard output")
        reconciling = None if options.reconcile is None else Reconciling(options)
        if reconciling is None and any(condition.joined for condition in options.fail_if):
            return _bad_use("--fail-if: what is known of arrivals needs --reconcile, which says where")
        csv = _opened(options.csv)
    except ApiError as error:
        return _bad_use(error.message)
    except OSError as error:
        return _bad_use(f"--csv: {options.csv}: {system_reason(error)}")
    requests = options.requests or (None if options.duration or options.stage else options.replicas)
    results = Results()
    allow_files(
        len(targets) * max(options.replicas, *(int(target.crew.peak) for target in targets if target.crew is not None), 0)
    )
    try:
        number = run(_send(targets, results, requests, reconciling))
    except Unavailable as error:
        return _bad_use(f"--reconcile: {error.message}")
    total = results.total()
    failed = judge(total, options.fail_if, reconciling)
    _say_what_was_late(total, options.replicas)
    status = FAILED if failed else UNANSWERED if total.requests == total.codes.get(0, 0) else 0
    if reconciling is not None and reconciling.found is None:
        print(escaped(f"goto: --reconcile: {reconciling.reason}"), file=sys.stderr)
        status = status or BAD_USE
    status = signals.INTERRUPTED + number if number else status
    arrived = None if reconciling is None else reconciling.found
    if csv is not None:
        with csv:
            write_csv(csv, results)
    if options.csv == "-":
        write_csv(sys.stdout, results)
    if options.json:
        ran = {"version": __version__, "targets": [_given(target) for target in targets], "requests": requests, "exit": status}
        more = {} if arrived is None else {"reconcile": arrived}
        print_json(json_bytes({**results.to_wire(), **more, "run": ran}).decode())
    else:
        from goto.command.send.reconciling import show as show_arrived

        out = sys.stderr if options.csv == "-" else sys.stdout
        show(out, results)
        if arrived is not None:
            show_arrived(out, arrived)
    return status


def _bad_use(reason: str) -> int:
    print(escaped(f"goto: {reason}"), file=sys.stderr)
    return BAD_USE


def _opened(file: str | None) -> TextIO | None:
    """A file to write to, if one is named. Raises OSError."""
    return None if file in (None, "-") else open(str(file), "w", encoding="utf-8", newline="")  # it is closed by send


def _given(target: ClientTarget) -> Any:
    """A target as it was given by options."""
    return as_json(target)


def _say_what_was_late(total: Counts, connections: int) -> None:
    if total.rate is None or total.rate.late <= LATE_SHARE * total.requests:
        return
    wanted, sent = total.rate.figures
    busy = f"all {connections:,} connections were busy, give more with -c"
    print(f"goto: the rate was not held: wanted {a_second(wanted)}/s, sent {a_second(sent)}/s: {busy}", file=sys.stderr)


def judge(total: Counts, conditions: list[Condition], reconciling: Reconciling | None = None) -> bool:
    """Print which conditions hold. Returns whether any does."""
    held: list[tuple[Condition, str]] = []
    for condition in conditions:
        if not condition.joined:
            reason = condition.check(total)
        elif reconciling is None or reconciling.found is None:
            reason = "it is not known what arrived"
        else:
            reason = condition.check(reconciling.found)
        if reason:
            held.append((condition, reason))
    for condition, reason in held:
        print(escaped(f"goto: failed: {condition.text}: {reason}"), file=sys.stderr)
    return bool(held)


async def _send(targets: list[ClientTarget], results: Results, requests: int | None, reconciling: Reconciling | None) -> int:
    """Send `requests` to each target, None for any number. Returns the number of the signal that ended it early, else 0. Raises
    `Unavailable` where arrivals are not counted.
    """
    pool = Pool()
    run = Run(targets, results, pool, total=requests)
    if reconciling is not None:
        await reconciling.begin(run, pool)
    heard = _Signals(run)
    shown = progress(results, Goal(None if requests is None else requests * len(targets), run.seconds))
    # the objects made so far live until the end, so the garbage collector need not check them again
    gc.collect()
    gc.freeze()
    try:
        run.start()
        while not run.done.done():
            await asyncio.wait([run.done], timeout=REFRESH_SECONDS)
            shown.update()
        if reconciling is not None:
            await reconciling.end(run, pool)
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
