"""A soak from start to end, and what it has to show."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from support.goto_process import Goto
from support.ports import free_port
from support.waiting import eventually

from soak.clients import Tally, client
from soak.operator import Operator
from soak.upstream import DyingUpstream

CLIENTS = 32
MEMORY_MB = 20
"""By how much memory may grow, once the first fifth of the time is over."""


@dataclass
class Outcome:
    """What was seen. `problems` are the reasons why it is not good."""

    seconds: float
    tally: Tally
    upstream_requests: int = 0
    changes: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    tracked: int = 0
    reported: int = 0
    logged: int = 0
    in_metrics: int = 0
    """`goto_exchanges_total` of the watched listener, whatever became of them."""
    descriptors: tuple[int, int] = (0, 0)
    """Before and after."""
    tasks: tuple[int, int] = (0, 0)
    """Of goto's event loop, before and after."""
    memory: tuple[float, float] = (0.0, 0.0)
    """MB, after a fifth of the time and at the end."""
    problems: list[str] = field(default_factory=list)

    def rows(self) -> list[tuple[str, str]]:
        """What a reader of the documentation is shown."""
        ends = self.ends
        return [
            ("time", f"{self.seconds:.0f} s"),
            ("requests sent whole, by 32 clients", f"{self.tally.requests:,}"),
            ("of these answered whole; client hung up", f"{self.tally.answered:,}; {self.tally.left:,}"),
            ("requests that reached the upstream", f"{self.upstream_requests:,}"),
            ("changes of listeners, targets, statuses, delays, headers", f"{self.changes:,}"),
            ("exchanges by tracked header", f"{self.tracked:,}"),
            ("exchanges by their end: completed + client gone", f"{ends['RequestCompleted']:,} + {ends['ConnectionClosed']:,}"),
            ("exchanges whose status was decided before they ended", f"{self.reported:,}"),
            ("lines of the access log", f"{self.logged:,}"),
            ("exchanges in the metrics", f"{self.in_metrics:,}"),
            ("descriptors before and after", "{} and {}".format(*self.descriptors)),
            ("tasks before and after", "{} and {}".format(*self.tasks)),
            ("memory after a fifth of the time, and at the end", "{:.1f} MB and {:.1f} MB".format(*self.memory)),
        ]


def soak(seconds: float, seed: int) -> Outcome:
    """Run it for so long."""
    with Goto("soaked") as goto:
        outcome = asyncio.run(_soak(goto, seconds, Random(seed)))
        _compare(goto, outcome)
    return outcome


async def _soak(goto: Goto, seconds: float, random: Random) -> Outcome:
    upstream = DyingUpstream(free_port(), random)
    await upstream.start()
    operator = Operator(goto, upstream.port, free_port(), random)
    await operator.prepare()
    outcome = Outcome(seconds, Tally())
    before, tasks = _descriptors(goto), await asyncio.to_thread(_tasks, goto)
    until = asyncio.get_running_loop().time() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client(goto.port, random, outcome.tally, until))
        group.create_task(operator.run(until))
        await asyncio.sleep(seconds / 5)
        early = _memory(goto)
    await upstream.stop()
    outcome.upstream_requests, outcome.changes = upstream.requests, operator.changes
    outcome.memory = (early, _memory(goto))
    # nothing is in flight any more
    await asyncio.to_thread(eventually, lambda: _descriptors(goto) <= before + 2)
    outcome.descriptors = (before, _descriptors(goto))
    await asyncio.to_thread(eventually, lambda: _tasks(goto) <= tasks)
    outcome.tasks = (tasks, await asyncio.to_thread(_tasks, goto))
    return outcome


def _compare(goto: Goto, outcome: Outcome) -> None:
    outcome.ends = goto.call("GET", "/request/timeout/status").json()["all"]
    outcome.tracked = sum(goto.call("GET", "/request/headers/track/x/counts").json()["RequestCountsByHeaderValue"].values())
    outcome.reported = sum(goto.call("GET", "/response/status/counts").json()["countsByReportedStatus"].values())
    # the log is written in batches
    eventually(lambda: len(_traffic(goto.log, goto.port)) >= outcome.tracked)
    log = goto.log
    outcome.logged = len(_traffic(log, goto.port))
    outcome.in_metrics = int(_metric(goto, "goto_exchanges_total", f'listener="{goto.port}"'))
    says = outcome.problems.append
    if outcome.tracked != outcome.in_metrics:
        says(f"tracked by header {outcome.tracked}, in metrics {outcome.in_metrics}")
    if outcome.tracked != sum(outcome.ends.values()):
        says(f"tracked by header {outcome.tracked}, by end {outcome.ends}")
    if outcome.tracked != outcome.logged:
        says(f"tracked by header {outcome.tracked}, lines of the log {outcome.logged}")
    if outcome.tracked < outcome.tally.answered or outcome.ends["RequestCompleted"] < outcome.tally.answered:
        says(f"answered {outcome.tally.answered}, but counted {outcome.tracked} {outcome.ends}")
    if outcome.descriptors[1] > outcome.descriptors[0] + 2:
        says(f"descriptors: {outcome.descriptors}")
    if outcome.memory[1] - outcome.memory[0] > MEMORY_MB:
        says(f"memory: {outcome.memory}")
    if "Traceback" in log:
        says("a traceback in the log")


def _traffic(log: str, port: int) -> list[str]:
    """The lines of exchanges on one listener that were traffic."""
    ours = re.compile(rf"^\S+Z {port} ")
    others = (" api", " api client-gone", " malformed")
    return [line for line in log.splitlines() if ours.match(line) and not line.endswith(others)]


def _metric(goto: Goto, name: str, label: str = "") -> float:
    """The sum of a metric's samples that have a label."""
    lines = goto.call("GET", "/goto/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}[{{ ]", line) and label in line)


def _tasks(goto: Goto) -> int:
    return int(_metric(goto, "goto_event_loop_tasks"))


def _descriptors(goto: Goto) -> int:
    return len(os.listdir(f"/proc/{goto.process.pid}/fd"))


def _memory(goto: Goto) -> float:
    """Resident memory in MB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{goto.process.pid}/status").read_text())
    assert found
    return int(found[1]) / 1024
