"""The journal of a process: its routes and its settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Final

from goto.api.management import wants_json
from goto.errors import Conflict, NotFound, Unavailable
from goto.flow import Request, Response
from goto.journal.asked import YES, Asked, head_of
from goto.journal.book import Book
from goto.journal.entry import Entry
from goto.journal.expectation import MOST_EXPECTATIONS, Expectation, GivenExpectation, ShownExpectation
from goto.journal.feature import Journal
from goto.journal.formats import MEDIA, Entries, written
from goto.journal.har import Archive
from goto.journal.keeping import Keeping
from goto.journal.live import Watcher
from goto.journal.near import Miss, nearest
from goto.journal.query import (
    NO_END,
    NO_HEADER,
    NO_ID,
    NO_METHOD,
    NO_NAME,
    NO_PORT,
    NO_QUERY,
    NO_STATUS,
    NO_URI,
    NOT_SINCE,
    USUAL_ENTRIES,
    Format,
    HeaderPair,
    Limit,
    QueryPair,
    Seq,
    Since,
    wanted_of,
)
from goto.journal.seen import InOrder, Seen
from goto.journal.shown import ShownEntry, shown_entry
from goto.journal.verdict import MOST_LINES, Answer, Question, Verdict, lost_text, unknown_expectation
from goto.journal.verify import Outcome, Verification
from goto.journal.waiting import Waiting
from goto.journal.wanted import AT_LEAST_ONE, Ended, RequestId, StatusTest, UpToAMinute
from goto.matching.criteria import UriTemplate
from goto.matching.when import Method
from goto.routes import Later, get, post, put
from goto.settings import setting
from goto.traffic.listener import Listener
from goto.traffic.listeners import Listeners
from goto.words import Duration, Flag, Name, Port
from goto.words.writing import json_bytes

SLICE: Final = 500
"""Entries that are looked at before others have their turn."""

OFF: Final = "journal: it is off: PUT /goto/journal/set/y, or add an expectation first"
"""Why there is nothing to look at."""


class Recorder:
    """The journal of a process. Every listener writes into it by its feature `journal`."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self.book = Book()
        self.expectations: dict[str, Expectation] = {}
        self.waiting = Waiting(self.book.live)
        self.set = False
        """Somebody has said what is kept; nobody but a watcher has where not."""

    def join(self, listener: Listener) -> None:
        """A listener was made."""
        if listener.has(Journal):
            listener.feature(Journal).join(self.book, listener.port)

    # ------------------------------------------------------------ on and off
    @setting("journal")
    def configured(self) -> Keeping | None:
        """Keep what goes through, within bounds; `{}` for the usual ones."""
        return self.book.keeping if self.set else None

    @configured.setter
    def configure(self, keeping: Keeping | None) -> None:
        if keeping is None:
            self.turn_off()
        else:
            self.turn_on(keeping, set_=True)

    def turn_on(self, keeping: Keeping, *, set_: bool) -> None:
        """Keep this from now on, since somebody has said so, or only while somebody watches."""
        self.set = set_
        self.book.keep(keeping)
        self._flipped()

    def turn_off(self) -> None:
        """Keep nothing, and forget what there is."""
        self.set = False
        self.book.keep(None)
        self.waiting.fail(None, Conflict(OFF))
        self._flipped()

    def _flipped(self) -> None:
        """Exchanges may have to be shown to the journal now, or no more."""
        for listener in self._listeners.by_port.values():
            if listener.has(Journal):
                listener.feature(Journal).changed()

    @put("/goto/journal/set/{flag}")
    def set_flag(self, flag: Flag) -> str:
        """Turn the journal on, with the usual bounds if nothing else was set, or off, which forgets its entries and settings."""
        if not flag:
            self.turn_off()
        elif not self.set:
            self.turn_on(Keeping(), set_=True)
        return f"Journal: {'on' if flag else 'off'}"

    @put("/goto/journal/clear")
    def clear(self) -> str:
        """Forget all entries. Expectations stay."""
        self.book.clear()
        return "Journal cleared"

    def forget(self) -> None:
        """The process is reset: entries and expectations go."""
        self.book.clear()
        self.clear_expectations()

    # ------------------------------------------------------------ entries
    @get(
        "/goto/journal",
        raises=[Conflict, Unavailable],
        answers={200: {"application/json": Entries | Archive, "application/x-ndjson": ShownEntry, "text/plain": str}},
    )
    async def entries(
        self,
        listener: Port = NO_PORT,
        method: Method = NO_METHOD,
        target: Name = NO_NAME,
        rule: Name = NO_NAME,
        end: Ended = NO_END,
        id_: RequestId = NO_ID,
        uri: UriTemplate = NO_URI,
        header: HeaderPair = NO_HEADER,
        query: QueryPair = NO_QUERY,
        status: StatusTest = NO_STATUS,
        since: Since = NOT_SINCE,
        limit: Limit = Limit(USUAL_ENTRIES),  # noqa: B008  # a number
        wait: UpToAMinute = UpToAMinute(0),  # noqa: B008  # a number
        format_: Format = Format("json"),  # noqa: B008  # a word
    ) -> Response | Later:
        """Show what went through, oldest first; what the query gives has to fit together."""
        self._check_on()
        asked = Asked(wanted_of(listener, method, target, rule, end, id_, uri, header, query, status))
        port = listener or None
        seq, moment = since.seq, since.moment()
        if wait and since is NOT_SINCE:
            seq = self.book.seq

        async def answer(outcome: Outcome | None) -> Response:
            found = await self._found(asked, port, seq, moment, limit) if outcome is None or outcome.holds else []
            return await self._written(found, port, format_)

        if not wait:
            return await answer(None)
        watcher = Watcher([asked], Seen(AT_LEAST_ONE), since=seq, moment=moment)
        verification = Verification(watcher, wait, None, _nothing_lost)
        await self._look(verification, port)
        if verification.outcome is None:
            return self.waiting.later(verification, answer)
        return await answer(verification.outcome)

    @get("/goto/journal/{seq}", raises=[NotFound, Conflict])
    def entry(self, seq: Seq) -> ShownEntry:
        """Show one exchange."""
        self._check_on()
        book = self.book
        entry = book.rings.find(seq)
        if entry is None:
            what = "is not there yet" if seq > book.seq else "was cleared" if seq <= book.since else "was evicted"
            raise NotFound(f"seq: {seq} {what}")
        return shown_entry(entry)

    def _check_on(self) -> None:
        if self.book.keeping is None:
            raise Conflict(OFF)

    async def _found(self, asked: Asked, port: int | None, seq: int, moment: int, limit: int) -> list[Entry]:
        """The newest entries that fit, oldest first."""
        found: list[Entry] = []
        async for entry in _in_slices(self.book.rings.list(port, seq)[::-1]):
            if entry.time >= moment and asked.of(entry) is YES:
                found.append(entry)
                if len(found) == limit:
                    break
        return found[::-1]

    async def _written(self, entries: Sequence[Entry], port: int | None, form: str) -> Response:
        """Entries in a format, with where they stand."""
        write = partial(written, entries, self.standing(port), form)
        data = write() if len(entries) <= SLICE else await asyncio.to_thread(write)
        response = Response(200, data)
        response.headers.add("Content-Type", MEDIA[form])
        return response

    def standing(self, port: int | None) -> dict[str, int | None]:
        """Where the entries of one listener, or of all, stand in the journal."""
        rings = self.book.rings.of(port)
        return {
            "next": self.book.seq,
            "oldest": min((ring.oldest for ring in rings if ring.oldest is not None), default=None),
            "evicted": sum(ring.evicted for ring in rings),
            "open": sum(ring.open for ring in rings),
        }

    # ------------------------------------------------------------ verify
    @post(
        "/goto/journal/verify",
        raises=[Conflict, NotFound, Unavailable],
        answers={status: {"application/json": Verdict, "text/plain": str} for status in (200, 417)},
    )
    async def verify(self, question: Question, request: Request) -> Response | Later:
        """Tell whether so many exchanges fit, waiting for them if need be; where it does not hold, what came nearest."""
        expectation: Expectation | None = None
        lost: Callable[[], tuple[int, int]] = _none_lost
        port: int | None = None
        since = question.since
        if question.expectation is not None:
            expectation = self._known(question.expectation)
            watcher, since = expectation.watcher, expectation.after
        else:
            self._check_on()
            wanted = [question.when] if question.when is not None else question.in_order or []
            seen: Seen | InOrder = InOrder(len(wanted)) if question.when is None else Seen(question.count or AT_LEAST_ONE)
            watcher = Watcher([Asked(one) for one in wanted], seen, since=since)
            ports = {one.listener for one in wanted}
            port = ports.pop() if len(ports) == 1 else None
            lost = partial(self._lost, watcher, since, port)

        verification = Verification(watcher, question.timeout, question.settle, lambda: any(lost()))

        def answer(outcome: Outcome) -> Response:
            return self._answered(watcher, outcome, since, lost_text(*lost()), wants_json(request))

        if expectation is None:
            await self._look(verification, port)
        else:
            watcher.waiters.append(verification.look)
            verification.begin()
        if verification.outcome is None:
            return self.waiting.later(verification, answer, expectation)
        self.waiting.unwatch(verification, expectation)
        return answer(verification.outcome)

    def _lost(self, watcher: Watcher, since: int, port: int | None) -> tuple[int, int]:
        """How many exchanges were evicted that may have counted, and of how many that is not known."""
        return self.book.rings.evicted_since(since, port), watcher.seen.lost

    def _answered(self, watcher: Watcher, outcome: Outcome, since: int, lost: str, as_json: bool) -> Response:
        rings, seen = self.book.rings, watcher.seen
        misses: list[Miss] = []
        if not outcome.holds:
            at = min(outcome.seen, len(watcher.asked) - 1) if isinstance(seen, InOrder) else 0
            past = outcome.entries[-1] if isinstance(seen, InOrder) and outcome.entries else since
            misses = nearest(watcher.asked[at], rings.newest(None), past)
        fits = [(seq, rings.find(seq)) for seq in outcome.entries[:MOST_LINES]]
        answer = Answer(watcher.asked, seen, outcome, fits, misses, lost)
        if as_json:
            response = Response.json(answer.status, json_bytes(answer.shown()))
        else:
            response = Response.text(answer.status, answer.text())
        response.headers.add("Vary", "Accept")
        return response

    # ------------------------------------------------------------ expectations
    @post("/goto/journal/expectations/add", raises=[Conflict])
    def add(self, expectation: GivenExpectation) -> str:
        """Count exchanges that fit from now on, whether the journal is on or not; a known name begins anew."""
        old = self.expectations.get(expectation.name)
        if old is None and len(self.expectations) >= MOST_EXPECTATIONS:
            raise Conflict(f"expectations: {MOST_EXPECTATIONS} are the limit: remove some first")
        new = Expectation(expectation, self.book.seq)
        self.expectations[expectation.name] = new
        self.book.live.add(new.watcher)
        if old is not None:
            self._drop(old, "was added anew")
        self._flipped()
        return f"{'Replaced' if old is not None else 'Added'} expectation {expectation.name}"

    @get("/goto/journal/expectations")
    def list_expectations(self) -> dict[str, ShownExpectation]:
        """Show all expectations, and what has come of them."""
        return {name: expectation.shown() for name, expectation in self.expectations.items()}

    @get("/goto/journal/expectations/{name}", raises=[NotFound, Unavailable])
    def expectation(self, name: Name, wait: UpToAMinute = UpToAMinute(0)) -> ShownExpectation | Later:  # noqa: B008  # a number
        """Show what has come of one expectation, waiting until it holds if need be."""
        known = self._known(name)
        if not wait or known.watcher.seen.holds:
            return known.shown()
        verification = Verification(known.watcher, wait, Duration.ZERO, _nothing_lost)
        known.watcher.waiters.append(verification.look)
        verification.begin()
        if verification.outcome is None:
            return self.waiting.later(verification, lambda outcome: known.shown(), known)
        self.waiting.unwatch(verification, known)
        return known.shown()

    @put("/goto/journal/expectations/{name}/remove", raises=[NotFound])
    def remove(self, name: Name) -> str:
        """Remove an expectation."""
        known = self._known(name)
        del self.expectations[name]
        self._drop(known, "was removed")
        self._flipped()
        return f"Removed expectation {name}"

    @put("/goto/journal/expectations/clear")
    def clear_expectations(self) -> str:
        """Remove all expectations."""
        expectations, self.expectations = self.expectations, {}
        for expectation in expectations.values():
            self._drop(expectation, "was removed")
        self._flipped()
        return "Expectations cleared"

    def _known(self, name: str) -> Expectation:
        known = self.expectations.get(name)
        if known is None:
            raise NotFound(unknown_expectation(name, list(self.expectations)))
        return known

    def _drop(self, expectation: Expectation, why: str) -> None:
        self.book.live.remove(expectation.watcher)
        self.waiting.fail(expectation, NotFound(f"expectation: {expectation.given.name} {why} meanwhile"))

    # ------------------------------------------------------------ what is there already
    async def _look(self, verification: Verification, port: int | None) -> None:
        """Look at the entries that there are, and be told of those to come. Where it is over then, nothing is left behind."""
        watcher, book = verification.watcher, self.book
        entries = book.rings.list(port, watcher.since)
        headers = any(asked.wanted.headers for asked in watcher.asked)
        book.live.add(watcher)
        watcher.settles(False)
        try:
            async for entry in _in_slices(entries):
                if entry.time >= watcher.moment:
                    head = head_of(entry, headers=headers)
                    watcher.look(entry, {index: asked.head(head) for index, asked in enumerate(watcher.asked)})
            self._check_on()
        except BaseException:
            book.live.remove(watcher)
            raise
        watcher.settles(True)
        watcher.waiters.append(verification.look)
        verification.begin()
        if verification.outcome is not None:
            self.waiting.unwatch(verification, None)


async def _in_slices(entries: Sequence[Entry]) -> AsyncIterator[Entry]:
    """Entries, so that others have their turn between them."""
    for number, entry in enumerate(entries, 1):
        yield entry
        if not number % SLICE:
            await asyncio.sleep(0)


def _nothing_lost() -> bool:
    return False


def _none_lost() -> tuple[int, int]:
    return 0, 0
