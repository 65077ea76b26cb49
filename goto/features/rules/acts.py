"""What strikes do to an exchange: they hold it, answer it, change its answer, and say what is to be done on the wire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final, Literal

from goto.client.feature import Client
from goto.features.rules.answering import RuleAnswers
from goto.features.rules.effect import Work
from goto.features.rules.garble import garbled
from goto.features.rules.strike import Strike
from goto.flow import Control, Delivery, Field, Flow, Response
from goto.http.fields import encode
from goto.http.wire import NO_BODY, fields_bytes

MOST_HELD: Final = 10_000
"""Exchanges of a listener that rules hold at a time."""

MOST_RUNS: Final = 100
"""Runs of a listener that rules have triggered and that go on."""

RECEIPT: Final = b"Goto-Rule"

_FAILED: Final[dict[str, Literal["truncate", "pace", "stall"]]] = {
    "after": "truncate",
    "share": "truncate",
    "over": "pace",
    "stall_at": "stall",
}
"""What of a delivery may turn out not to be possible, and the word for it."""


class Struck:
    """One exchange, and all that rules do to it."""

    __slots__ = ("counted", "flow", "holding", "strikes")

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.strikes: list[Strike] = []
        self.counted = False
        """It was counted what was done."""
        self.holding = 0
        """Strikes that hold it now."""

    @property
    def last(self) -> Strike:
        """The one that ended the look, if one did."""
        return self.strikes[-1]

    def receipts(self) -> list[Field]:
        """What the answer says of them."""
        told: list[Field] = []
        for strike in self.strikes:
            if strike.words and strike.rule.given.receipt:
                told.append((RECEIPT, encode(strike.receipt())))
        return told


class Acts:
    """Does what strikes are to do, on one listener."""

    def __init__(self, client: Callable[[], Client | None], identity: Callable[[], bytes]) -> None:
        """`client` has the targets that are triggered, `identity` is what every answer says of goto, as lines of headers."""
        self._client = client
        self._identity = identity
        self.held = 0
        """Exchanges that are held now."""
        self.most_held = MOST_HELD
        self.most_runs = MOST_RUNS
        self._runs = 0

    # ------------------------------------------------------------ before there is an answer
    def begin(self, struck: Struck, strike: Strike) -> None:
        """A rule has struck: do what comes before an answer is made or an upstream is called."""
        struck.strikes.append(strike)
        if strike.may_hold and not self._has_room(struck):
            strike.give_up()
        elif strike.at_request:
            self._delay(struck, strike)
            if strike.work.answers:
                self._answer(struck.flow, strike)
            elif strike.work.abort:
                self._abort(struck, strike)
        strike.mark(struck.flow)

    def decide(self, struck: Struck) -> None:
        """The look is over: what is sent in place of an answer has the receipts of all."""
        if struck.last.at_request:
            self._garble(struck, struck.last)
        if struck.flow.silent:
            self._came_to_nothing(struck)

    def _came_to_nothing(self, struck: Struck) -> None:
        """There is no answer that anything could be done to."""
        for strike in struck.strikes:
            work = strike.work
            if not strike.words or (strike is not struck.last and (work.slows or work.headers) and "headers" not in strike.words):
                strike.not_done()

    def _answer(self, flow: Flow, strike: Strike) -> None:
        strike.did("answer")
        work = strike.work
        if work.status is None:
            flow.notes[RuleAnswers] = work
        else:
            flow.response = work.response(work.status)

    # ------------------------------------------------------------ once the head of an answer is known
    def reply(self, struck: Struck, response: Response) -> None:
        """Do what is done to the answer."""
        flow = struck.flow
        if flow.notes.pop(RuleAnswers, None) is not None:
            struck.last.not_done("answer")  # another feature has answered
        for strike in struck.strikes:
            if not strike.at_request:
                if strike.waits and not self._has_room(struck):
                    strike.give_up()
                self._delay(struck, strike)
                if strike.work.answers:
                    if strike.work.change(response):
                        strike.did("answer")
                    else:
                        strike.not_done()
                elif strike.work.abort:
                    self._abort(struck, strike)
            if strike.work.headers and not flow.silent:
                strike.work.put_headers(response)
                if not strike.work.answers:
                    strike.did("headers")
        self._garble(struck, struck.last)
        if flow.silent:
            self._came_to_nothing(struck)
        else:
            self._slow(struck, response)
            response.headers.extend(struck.receipts())

    # ------------------------------------------------------------ each thing
    def _delay(self, struck: Struck, strike: Strike) -> None:
        self._trigger(strike)
        if strike.delay is not None:
            strike.did("delay")
            self._hold(struck, strike, strike.delay.seconds)

    def _abort(self, struck: Struck, strike: Strike) -> None:
        abort = strike.work.abort
        if abort == "hang":
            strike.did("hang")
            self._hold(struck, strike, None)
        elif abort:
            strike.did(abort)
            struck.flow.delivery = Delivery(end=abort)

    def _garble(self, struck: Struck, strike: Strike) -> None:
        garble = strike.work.garble
        if garble is None:
            return
        strike.did("garble")
        raw = garble.raw
        if raw is None:
            raw = garbled(garble.kind, self._identity() + fields_bytes(struck.receipts()))
        struck.flow.delivery = Delivery(raw=raw, end="close", control=Control(lambda _: strike.not_done("garble")))

    def _trigger(self, strike: Strike) -> None:
        """Invoke client targets. One that is not there, or that there is no room for, makes the strike unable."""
        names = strike.rule.given.trigger
        if not names or strike.gave_up:
            return
        client = self._client()
        known = [] if client is None else [client.targets[name] for name in names if name in client.targets]
        room = self._runs < self.most_runs
        if len(known) < len(names) or not room:
            strike.not_done()
        if client is not None and known and room:
            self._runs += 1
            client.invoke_targets(known).add_done_callback(self._run_over)
            strike.did("trigger")

    def _run_over(self, run: asyncio.Future[None]) -> None:
        self._runs -= 1

    # ------------------------------------------------------------ on the way
    def _slow(self, struck: Struck, response: Response) -> None:
        """Cut, pace and stall the answer: of each kind the first strike holds, and later ones are unable."""
        slowing: list[Strike] = []
        for strike in struck.strikes:
            if strike.work.slows:
                slowing.append(strike)
        if not slowing:
            return
        length = _length(struck.flow, response)
        cut = _first(slowing, "truncate", lambda work: work.truncate is not None, lambda work: _cuts(work, length))
        slow = response.status != 101 and self._has_room(struck)
        pace = _first(slowing, "pace", lambda work: work.paces, lambda work: slow and not (work.over and length is None))
        end = length if cut is None else _cut_at(cut.work, length)
        stall = _first(slowing, "stall", lambda work: work.stall > 0, lambda work: slow and (end is None or work.stall_at < end))
        if cut or pace or stall:
            struck.flow.delivery = self._delivery(struck, cut, pace, stall)

    def _delivery(self, struck: Struck, cut: Strike | None, pace: Strike | None, stall: Strike | None) -> Delivery:
        """For the host to carry out, which says what turns out not to be possible."""
        whose = {"truncate": cut, "pace": pace, "stall": stall}

        def failed(what: str) -> None:
            word = _FAILED.get(what)
            strike = None if word is None else whose[word]
            if word is not None and strike is not None:
                strike.not_done(word)

        slow = [strike for strike in dict.fromkeys((pace, stall)) if strike is not None]
        control = Control(failed, lambda: self.free(struck, slow))
        for strike in dict.fromkeys((cut, pace, stall)):
            if strike is not None:
                strike.control = control
        for strike in slow:
            self._holds(struck, strike)
            strike.let_go_at_its_end(control)
        cuts, paces, stalls = (_NONE if strike is None else strike.work for strike in (cut, pace, stall))
        return Delivery(
            end=cuts.truncate_by if cuts.truncate is not None else "",
            after=None if cuts.truncate is None else cuts.truncate.after,
            share=None if cuts.truncate is None else cuts.truncate.share,
            rate=paces.rate,
            over=paces.over,
            head=paces.paced_head,
            stall=stalls.stall,
            stall_at=stalls.stall_at,
            control=control,
        )

    # ------------------------------------------------------------ holding
    def _has_room(self, struck: Struck) -> bool:
        """Whether an exchange may be held, or is already."""
        return struck.holding > 0 or self.held < self.most_held

    def _hold(self, struck: Struck, strike: Strike, seconds: float | None) -> None:
        """Hold the exchange, until the end of the rule at the most."""
        if strike.let_go:
            return
        left = strike.rule.ends - time.monotonic()
        if seconds is None or left < seconds:
            seconds = None if left == float("inf") else max(left, 0.0)
        self._holds(struck, strike)
        strike.holds.append(struck.flow.hold(seconds, lambda _: self.free(struck, [strike])))

    def _holds(self, struck: Struck, strike: Strike) -> None:
        strike.held += 1
        if strike.held == 1:
            strike.rule.held.add(strike)
            self.held += not struck.holding
            struck.holding += 1

    def free(self, struck: Struck, strikes: Iterable[Strike], *, wholly: bool = False) -> None:
        """One thing that each of these holds the exchange by is over, or `wholly` all of them."""
        for strike in strikes:
            if strike.held:
                strike.held = 0 if wholly else strike.held - 1
                if not strike.held:
                    strike.settle()
                    strike.rule.held.discard(strike)
                    struck.holding -= 1
                    self.held -= not struck.holding


_NONE: Final = Work()


def _first(
    strikes: list[Strike],
    word: Literal["truncate", "pace", "stall"],
    wants: Callable[[Work], bool],
    possible: Callable[[Work], bool],
) -> Strike | None:
    """The first strike that wants something and can have it; the others that want it are unable."""
    first: Strike | None = None
    for strike in strikes:
        if not wants(strike.work) or (strike.let_go and word != "truncate"):
            continue
        if first is None and possible(strike.work):
            strike.did(word)
            first = strike
        else:
            strike.not_done()
    return first


def _cuts(work: Work, length: int | None) -> bool:
    """Whether a cut leaves something out, as far as it is known."""
    at = _cut_at(work, length)
    return at is not None and (length is None or at < length)


def _cut_at(work: Work, length: int | None) -> int | None:
    """After how many bytes of the body it is cut; None for a share of one whose length is not known."""
    assert work.truncate is not None
    return Delivery(after=work.truncate.after, share=work.truncate.share).cut(length)


def _length(flow: Flow, response: Response) -> int | None:
    """Bytes of the body that goes out, None where that is not known yet."""
    if flow.request.method == "HEAD" or response.status in NO_BODY or response.status == 101:
        return 0
    if response.stream is None:
        return len(response.body)
    return response.stream.length
