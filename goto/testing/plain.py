"""`Goto`: an instance, and what goes through it, for tests and scripts. `make client` writes it from `awaited`.

    goto = Goto("http://localhost:8080")
    goto.fail(503, times=2, to="/orders")
    goto.wait_for("/orders", times=3)

It needs the journal for what it has seen: `PUT /goto/journal/set/y`, or a file of configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Self, Unpack
from urllib.parse import urlsplit

from goto.client.reconcile import Reconciled
from goto.client.results import ClientResults
from goto.features.rules.shown import Planned, ShownRule
from goto.testing import files
from goto.testing.blocking import Blocking
from goto.testing.calls import Calls, ProxyTargetFields, RuleFields
from goto.testing.criteria import Criteria, OneOrMore, RuleOptions, count_of, fits, queries, rule_of, when_of
from goto.testing.documents import for_listener
from goto.testing.exchanges import Exchange
from goto.testing.failures import ApiFailure, NotFound, NotHeld
from goto.testing.instance import InThread
from goto.testing.routes import in_words

MOST_SEEN = 10_000
"""Exchanges that `seen` answers at most, the newest ones."""

LONGEST_WAIT = "60s"
"""How long one call waits for a run of the client; then it is made again."""


class Rule:
    """A rule that was made. As a context manager it is removed in the end."""

    def __init__(self, calls: Calls, name: str) -> None:
        self._calls = calls
        self.name = name

    def show(self) -> ShownRule:
        """The rule as it was given, with what has come of it."""
        return self._calls.response.rules(self.name)

    @property
    def struck(self) -> int:
        """Exchanges that it struck."""
        return (self.show()).struck

    @property
    def matched(self) -> int:
        """Exchanges that it fitted while it was active."""
        return (self.show()).matched

    def plan(self, count: int = 20) -> list[Planned]:
        """What the dice say of so many exchanges, from the next one on."""
        return self._calls.response.rules.plan(self.name, count=count)

    def remove(self) -> None:
        """What it holds goes on at once. One that is gone already is no error."""
        with suppress(NotFound):
            self._calls.response.rules.remove(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Target:
    """A proxy target that was made. As a context manager it is removed in the end."""

    def __init__(self, calls: Calls, name: str) -> None:
        self._calls = calls
        self.name = name

    def remove(self) -> None:
        """One that is gone already is no error."""
        with suppress(NotFound):
            self._calls.request.proxy.targets.remove(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Goto(Blocking):
    """One listener of an instance. As a context manager it gives up in the end what it has for itself."""

    def __init__(self, url: str, token: str | None = None, *, port: int | None = None, instance: str | None = None) -> None:
        """`url` is where traffic goes. Management calls go there too, or to the URL `instance`, for the listener of `port`.

        Raises ValueError for what is no http or https URL.
        """
        self.url = url.rstrip("/")
        self.port = port or urlsplit(self.url).port or (443 if self.url.startswith("https:") else 80)
        self._of_several = port is not None
        self.calls = Calls(instance or self.url, token, port)
        """The typed client."""
        self._numbers: dict[str, int] = {}
        self._expected: dict[str, str] = {}
        """Names of expectations, each with how long it may take until they hold."""
        self._made: list[Rule] = []
        self._ca: str | None = None

    # ------------------------------------------------------------ where it is
    @classmethod
    @contextmanager
    def start(cls, config: str | os.PathLike[str] | None = None) -> Iterator[Self]:
        """An instance in a thread of its own, on a port that the system chooses, with its journal on.

        What was expected is checked at the end of the block. Raises `BadInput` for a file of configuration that will not do.
        """
        with InThread([] if config is None else [os.fspath(config)]) as instance:
            goto = cls(instance.url)
            try:
                goto.calls.goto.journal.set(True)
                yield goto
                goto.check()
            finally:
                goto.end()

    def __enter__(self) -> Self:
        self.calls.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Give up what it has for itself: its connection, and the file of `ca`."""
        self.calls.close()
        if self._ca is not None:
            files.remove(self._ca)

    def url_for(self, path: str) -> str:
        """The URL of a path."""
        return self.url + (path if path.startswith("/") else f"/{path}")

    @property
    def ca(self) -> str:
        """The file to trust for https: the certificate of the CA of this instance. Raises `NotFound` where it has none."""
        if self._ca is None:
            self._ca = files.certificate_file(self.calls.goto.ca_pem())
        return self._ca

    # ------------------------------------------------------------ what it answers
    def answer(
        self,
        to: OneOrMore | None = None,
        *,
        json: Any = None,
        body: str | None = None,
        status: int | str | None = None,
        **options: Unpack[RuleOptions],
    ) -> Rule:
        """Answer traffic to a URI, a template or several of them, with a body; 200 if no status is given."""
        if json is None and body is None and status is None:
            status = 200
        return self._rule(rule_of(to, options, {"json": json, "body": body, "status": status}), options)

    def fail(
        self,
        status: int | str = 503,
        to: OneOrMore | None = None,
        *,
        body: str | None = None,
        **options: Unpack[RuleOptions],
    ) -> Rule:
        """Answer with a status."""
        return self._rule(rule_of(to, options, {"status": status, "body": body}), options)

    def delay(self, delay: str | float | Mapping[str, str], to: OneOrMore | None = None, **options: Unpack[RuleOptions]) -> Rule:
        """Hold traffic back: for a time, within `100ms-300ms`, or by percentiles."""
        return self._rule(rule_of(to, options, {"delay": in_words(delay)}), options)

    def reset(self, to: OneOrMore | None = None, **options: Unpack[RuleOptions]) -> Rule:
        """End connections by a reset. With `at="response"` the work is done, and its answer is lost."""
        return self._rule(rule_of(to, options, {"abort": "reset"}), options)

    def close(self, to: OneOrMore | None = None, **options: Unpack[RuleOptions]) -> Rule:
        """Close connections without a byte."""
        return self._rule(rule_of(to, options, {"abort": "close"}), options)

    def hang(self, to: OneOrMore | None = None, **options: Unpack[RuleOptions]) -> Rule:
        """Never answer."""
        return self._rule(rule_of(to, options, {"abort": "hang"}), options)

    def truncate(
        self, size: int | str, to: OneOrMore | None = None, *, by: str | None = None, **options: Unpack[RuleOptions]
    ) -> Rule:
        """Send so many bytes of the body, or a share (`"50%"`), and end the connection: by `close`, or by `reset`."""
        cut = {"after": size} if by is None else {"after": size, "by": by}
        return self._rule(rule_of(to, options, {"truncate": cut}), options)

    def drip(
        self,
        rate: int | str | None = None,
        to: OneOrMore | None = None,
        *,
        over: str | float | None = None,
        head: bool = False,
        **options: Unpack[RuleOptions],
    ) -> Rule:
        """Send so many bytes a second (`"1KiB"`), or the whole body `over` a time; with `head` the head as slowly."""
        pace = {"rate": rate, "over": in_words(over), "head": head or None}
        return self._rule(rule_of(to, options, {"pace": {key: value for key, value in pace.items() if value}}), options)

    def stall(self, size: int | str, time: str | float, to: OneOrMore | None = None, **options: Unpack[RuleOptions]) -> Rule:
        """Stand still once, after so many bytes of the body, for so long."""
        return self._rule(rule_of(to, options, {"stall": {"after": size, "for": in_words(time)}}), options)

    def garble(self, garble: str | Mapping[str, str], to: OneOrMore | None = None, **options: Unpack[RuleOptions]) -> Rule:
        """Answer with what is no HTTP: a kind, `{"raw": text}` or `{"base64": text}`."""
        return self._rule(rule_of(to, options, {"garble": garble}), options)

    def rule(self, **fields: Unpack[RuleFields]) -> Rule:
        """Make any rule, by the fields of the API."""
        return self._rule({**fields}, fields)

    def _rule(self, fields: dict[str, Any], named: Mapping[str, Any]) -> Rule:
        name = named.get("name") or self._free_name("r")
        self.calls.response.rules.add(**{**fields, "name": name})
        made = Rule(self.calls, name)
        self._made.append(made)
        return made

    def _free_name(self, kind: str) -> str:
        """`r1`, `r2`, …, but for those that somebody else has given."""
        there: Mapping[str, object] = {}
        if kind not in self._numbers:
            there = self.calls.response.rules() if kind == "r" else self.calls.request.proxy.targets()
        number = self._numbers.get(kind, 0) + 1
        while f"{kind}{number}" in there:
            number += 1
        self._numbers[kind] = number
        return f"{kind}{number}"

    def forward(self, uri: OneOrMore, to: str, **fields: Unpack[ProxyTargetFields]) -> Target:
        """Send traffic to a URI, a template or several of them, on to another server."""
        name = fields.get("name") or self._free_name("t")
        match = {"uris": [uri] if isinstance(uri, str) else list(uri)}
        given: dict[str, Any] = {"match": match} if "when" not in fields else {}
        self.calls.request.proxy.targets.add(**{**given, **fields, "name": name, "url": to})
        return Target(self.calls, name)

    def configure(self, file: str | os.PathLike[str], *, replace: bool = False) -> str:
        """Merge a document in YAML or JSON into the configuration, or replace that by it.

        Its keys at the top are those of this listener.
        """
        content: bytes | dict[str, Any] = files.content(file)
        if self._of_several:
            content = for_listener(content, self.port, str(file))
        return self.calls.goto.config(body=content, replace=replace or None)

    # ------------------------------------------------------------ what came
    def seen(self, to: OneOrMore | None = None, **criteria: Unpack[Criteria]) -> list[Exchange]:
        """The exchanges so far, oldest first, those included that are under way; at most the newest 10,000."""
        found: dict[int, Exchange] = {}
        for query in queries(to, criteria):
            page = self.calls.goto.journal(listener=self.port, limit=MOST_SEEN, **query)
            exchanges = [Exchange(entry) for entry in page["entries"]]
            found |= {exchange.seq: exchange for exchange in exchanges if fits(exchange, criteria)}
        return [found[seq] for seq in sorted(found)]

    def wait_for(
        self, to: OneOrMore | None = None, *, times: int = 1, timeout: str | float = "5s", **criteria: Unpack[Criteria]
    ) -> list[Exchange]:
        """The exchanges, as soon as there are so many. Raises `NotHeld` with the nearest ones where there are not in time."""
        self._waits("wait_for")
        when = self._when(to, criteria)
        self.calls.goto.journal.verify(when=when, count={"atLeast": times}, timeout=timeout)
        return self.seen(to, **criteria)

    def _when(self, to: OneOrMore | None, criteria: Mapping[str, Any]) -> dict[str, Any]:
        return {**when_of(to, criteria), "listener": self.port}

    # ------------------------------------------------------------ what is expected
    def expect(
        self,
        to: OneOrMore | None = None,
        *,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        within: str | float = "0s",
        **criteria: Unpack[Criteria],
    ) -> None:
        """Expect exchanges from now on, at least one if no count is given. It is checked at the end of the test.

        `within`: how long it may take then until it holds.
        """
        fields = {"when": self._when(to, criteria), "count": count_of(times, at_least, at_most)}
        self._expected[self._expectation(fields)] = str(in_words(within))

    def expect_nothing(self, to: OneOrMore | None = None, *, within: str | float = "0s", **criteria: Unpack[Criteria]) -> None:
        """Expect no exchange from now on."""
        self.expect(to, times=0, within=within, **criteria)

    def expect_order(self, *steps: OneOrMore | Mapping[str, Any], within: str | float = "0s") -> None:
        """Expect exchanges one after another from now on, whatever is between them: URIs, or criteria with `to` among them."""
        whens = [self._step(step) for step in steps]
        self._expected[self._expectation({"inOrder": whens})] = str(in_words(within))

    def _step(self, step: OneOrMore | Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(step, Mapping):
            return self._when(step, {})
        return self._when(step.get("to"), {name: value for name, value in step.items() if name != "to"})

    def _expectation(self, fields: Mapping[str, Any]) -> str:
        self._numbers["e"] = self._numbers.get("e", 0) + 1
        name = f"{self.port}-e{self._numbers['e']}"
        given = {key: value for key, value in fields.items() if value is not None}
        self.calls.goto.journal.expectations.add(name=name, **given)
        return name

    @contextmanager
    def expecting(
        self,
        to: OneOrMore | None = None,
        *,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        within: str | float = "0s",
        **criteria: Unpack[Criteria],
    ) -> Iterator[None]:
        """Expect exchanges within a block. Raises `NotHeld` at its end."""
        fields = {"when": self._when(to, criteria), "count": count_of(times, at_least, at_most)}
        name = self._expectation(fields)
        try:
            yield
            self._verify(name, str(in_words(within)))
        finally:
            self._forget(name)

    def _verify(self, name: str, within: str) -> None:
        """Raises `NotHeld`."""
        if within != "0s":
            self._waits("expect")
        self.calls.goto.journal.verify(expectation=name, timeout=within)

    def _forget(self, name: str) -> None:
        with suppress(ApiFailure):
            self.calls.goto.journal.expectations.remove(name)

    def check(self) -> None:
        """Check what was expected, all of it, and expect nothing any more. Raises `NotHeld` with what is not so."""
        failures: list[NotHeld] = []
        expected = dict(self._expected)
        self._expected.clear()  # in place: `goto` and `agoto` of a test have one
        for name, within in expected.items():
            try:
                self._verify(name, within)
            except NotHeld as failure:
                failures.append(failure)
            finally:
                self._forget(name)
        if failures:
            answer = failures[0].answer
            raise NotHeld("\n\n".join(failure.text for failure in failures), failures[0].status, answer)

    # ------------------------------------------------------------ what it sends
    def send(self, url: str, n: int | None = None, **fields: Any) -> ClientResults:
        """Send so many requests, wait until all have ended, and return the results. Fields are those of a client target.

        With `replicas` each of them sends its share of `n`. Raises ValueError where there is a rest.
        """
        self._waits("send")
        replicas = int(fields.get("replicas", 1))
        if n is not None:
            if n % replicas:
                raise ValueError(f"n: {n} requests cannot be shared out evenly among {replicas} replicas")
            fields["requestCount"] = n // replicas
        self._numbers["send"] = self._numbers.get("send", 0) + 1
        name = fields.pop("name", None) or f"send-{self._numbers['send']}"
        target = {"method": "GET", **fields, "name": name, "url": url}
        self.calls.client.targets.add(**target)
        said = str(self.calls.client.targets.invoke(name))
        run = re.search(r"invocation (\d+)", said)
        assert run is not None, said
        return self._results(int(run[1]))

    def _results(self, number: int) -> ClientResults:
        """The results of a run, once it has ended."""
        while True:
            self.calls.client.results(wait=LONGEST_WAIT)
            runs = self.calls.client.results.invocations()
            if not any(run["id"] == number and run["state"] == "running" for run in runs):
                return self.calls.client.results.invocations(number)

    def reconcile(self, *targets: str, server: str | None = None, token: str | None = None) -> dict[str, Reconciled]:
        """Join what client targets have sent with what arrived, here or at another instance."""
        self._waits("reconcile")
        return self.calls.client.reconcile(targets=list(targets), server=server, token=token)

    # ------------------------------------------------------------ for reports
    def har(self, file: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """What was seen as HAR, written to a file too where one is given."""
        har: dict[str, Any] = self.calls.request("GET", f"/goto/journal?format=har&listener={self.port}&limit={MOST_SEEN}")
        if file is not None:
            files.write_json(file, har)
        return har

    def report(self, exchanges: int = 20) -> str:
        """For a test that has failed: the last exchanges, what struck, and what came nearest to rules that nothing fitted."""
        listing = str(self.calls.request("GET", f"/goto/journal?format=text&listener={self.port}&limit={exchanges}"))
        lines = [f"{self.url}: the last exchanges", listing or "none"]
        rules = self.calls.response.rules()
        if rules:
            lines.append("rules")
        for name, rule in rules.items():
            lines.append(f"{name}  {rule.state}  matched {rule.matched}  struck {rule.struck}  unable {rule.unable}")
        for name, rule in rules.items():
            if not rule.matched and listing:
                lines += [f"nearest to {name}", *self._nearest(rule)]
        return "\n".join(lines)

    def _nearest(self, rule: ShownRule) -> list[str]:
        """The lines of the exchanges that came nearest to a rule."""
        from goto.words.writing import as_json

        try:
            self.calls.goto.journal.verify(when={**as_json(rule.when), "listener": self.port}, timeout="0s")
        except NotHeld as failure:
            return failure.text.split("\n")[1:]
        except ApiFailure as failure:
            return [failure.text]
        return []
