"""What came of requests over time as CSV (RFC 4180): a row for each point of each target."""

from __future__ import annotations

import csv
from typing import TextIO

from goto.client.results import Results

HEAD = ("target", "at", "every", "requests", "errors", "bytes", "p50_ms", "p99_ms", "max_ms")


def write_csv(out: TextIO, results: Results) -> None:
    """Write the head, and the points of the targets in their order."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(HEAD)
    for name, series in results.to_wire(series=True)["series"].items():
        for point in series["points"]:
            figures = (point["requests"], point["errors"], point["bytes"], point["p50"], point["p99"], point["max"])
            rows.writerow((name, point["at"], series["every"], *figures))
