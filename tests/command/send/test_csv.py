"""The series as CSV."""

from __future__ import annotations

import csv
import io

from support.counting import count_answer, count_failure

from goto.client.results import Results
from goto.command.send.csv import write_csv
from goto.upstream.errors import Broken


def test_it_has_a_row_a_point():
    results = Results()
    for name in ('t "1"', "u"):
        results.of(name).begin(0.0)
        count_answer(results.of(name), sent=0.0, now=0.01, body=7)
        count_failure(results.of(name), Broken("closed"), sent=0.1, now=0.12)
    out = io.StringIO()
    write_csv(out, results)
    head, *rows = csv.reader(io.StringIO(out.getvalue()))
    assert head == ["target", "at", "every", "requests", "errors", "bytes", "p50_ms", "p99_ms", "max_ms"]
    assert rows[0] == ['t "1"', "0.0", "100ms", "1", "0", "7", "10.0", "10.0", "10.0"]
    assert rows[1][:6] == ['t "1"', "0.1", "100ms", "1", "1", "0"]
    assert [row[0] for row in rows] == ['t "1"', 't "1"', "u", "u"]


def test_without_requests_there_is_the_head():
    out = io.StringIO()
    write_csv(out, Results())
    assert out.getvalue() == "target,at,every,requests,errors,bytes,p50_ms,p99_ms,max_ms\n"
