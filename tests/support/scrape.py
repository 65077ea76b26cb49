"""Metrics as a Prometheus server reads them."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from support.goto_process import Goto
from support.waiting import eventually

Key = tuple[str, frozenset[tuple[str, str]]]


class Scrape:
    """One scrape: `scrape("goto_exchanges_total", status="200")` is the sum of the samples that have these labels."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        wanted = labels.items()
        return sum(one.value for one in self.samples if one.name == name and wanted <= one.labels.items())

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The samples of a name that are not 0, by these labels."""
        found: dict[tuple[str, ...], float] = {}
        for one in self.samples:
            if one.name == name and one.value:
                key = tuple(one.labels[label] for label in labels)
                found[key] = found.get(key, 0) + one.value
        return found

    @property
    def counters(self) -> dict[Key, float]:
        """What must never go down: counters, and the counts and sums of histograms and summaries."""
        kinds = ("counter", "histogram", "summary")
        return {
            (one.name, frozenset(one.labels.items())): one.value
            for family in self.families.values()
            if family.type in kinds
            for one in family.samples
        }


def scrape(goto: Goto) -> Scrape:
    """The metrics of a process now."""
    answer = goto.call("GET", "/goto/metrics")
    assert (answer.status, answer.value("content-type")) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return Scrape(answer.text)


def scraped(goto: Goto, holds: Callable[[Scrape], object]) -> Scrape:
    """The metrics of a process once they are as said."""
    return eventually(lambda: scrape(goto), holds)
