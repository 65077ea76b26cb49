"""`--reconcile`: what was sent, joined with what arrived at another goto."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from typing import TextIO

from goto.client.reconcile import Reconciled
from goto.client.run import Run
from goto.client.server import OtherServer, Server, joined
from goto.command.send.table import table
from goto.command.send.terminal import Looks
from goto.errors import BadInput, Unavailable
from goto.flow import Origin
from goto.tls.settings import TargetTls, as_option, of_target
from goto.upstream.pool import Pool
from goto.words.urls import TargetUrl, with_scheme
from goto.words.writing import counted

NUMBERS = (
    "sent",
    "answered",
    "failed",
    "arrived",
    "arrivals",
    "duplicated",
    "lostOnTheWay",
    "answeredElsewhere",
    "lostOnTheWayBack",
    "reordered",
)
"""Those that conditions know, in the order in which they are shown."""

GAPS = ("p50", "p90", "max")


class ServerUrl(TargetUrl):
    """The URL of a goto; without a scheme it is one of http."""

    @classmethod
    def parse(cls, text: str) -> ServerUrl:
        return cls(TargetUrl.parse(with_scheme(text)))


class Reconciling:
    """Asks the server that the options name."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Raises `BadInput` where a file cannot be used."""
        self._options = options
        secure = options.reconcile.lower().startswith("https:")
        tls = TargetTls(ca=options.cacert) if secure and options.cacert else None
        try:
            self._origin = Origin.of(options.reconcile, of_target(options.reconcile, tls, verify=not options.insecure))
        except BadInput as error:
            raise BadInput(as_option(error.message, {"tls.ca": "--cacert"})) from None
        self.found: dict[str, Reconciled] | None = None
        """By target, once it is known."""
        self.reason = "nothing was sent"
        """Why it is not known."""

    async def begin(self, run: Run, pool: Pool) -> None:
        """Have the server count what arrives of a run. Raises `Unavailable`."""
        server = self._server(pool)
        for sent in run.sent.values():
            await server.count(sent.run)

    async def end(self, run: Run, pool: Pool) -> None:
        """Ask it what arrived."""
        server = self._server(pool)
        try:
            found = await asyncio.gather(*(joined([sent], server) for sent in run.sent.values()))
        except Unavailable as error:
            self.reason = error.message
        else:
            self.found = dict(zip(run.sent, found, strict=True))

    def _server(self, pool: Pool) -> Server:
        return OtherServer(pool, self._options.reconcile, self._options.reconcile_token, self._origin)


def total_of(found: Mapping[str, Reconciled], number: str) -> int | None:
    """A number of all targets together; None where some do not have it."""
    values = [one.get(number) for one in found.values()]
    return sum(value for value in values if isinstance(value, int)) if None not in values else None


def show(out: TextIO, found: Mapping[str, Reconciled]) -> None:
    """Print the numbers of all targets together."""
    print("", *lines(Looks.of(out), found), sep="\n", file=out)


def lines(looks: Looks, found: Mapping[str, Reconciled]) -> list[str]:
    """The lines that `show` prints."""
    rows = [[number, f"{total:,}"] for number in NUMBERS if (total := total_of(found, number)) is not None]
    for one in found.values():
        if (gaps := one.get("gaps")) is not None:
            rows += [[f"gaps {key}", value] for key, value in (("p50", gaps["p50"]), ("p90", gaps["p90"]), ("max", gaps["max"]))]
    shown = table(looks, ["reconcile", "requests"], rows)
    partial = sum(one["incomplete"] for one in found.values())
    if partial:
        shown += looks.folded(f"incomplete for {counted(partial, 'target')}: some requests are not in these numbers")
    return shown
