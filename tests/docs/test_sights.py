"""Each row of wishes.md and of coming-from/ is tried: the call is made, and a client sees what the row says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.goto_process import Goto
from support.pages import DOCS, Row, rows
from support.ports import free_port
from support.sights import Stage, try_row
from support.upstream import Reply, Upstream

PAGES = [DOCS / "wishes.md", *sorted((DOCS / "coming-from").glob("*.md"))]
ROWS = [row for page in PAGES for row in rows(page) if len(row.cells) == 3]

EACH_BEGINS = {"name": "service", "match": {"uris": ["/service/{rest:.*}"]}}
"""The service behind goto."""


@pytest.fixture(scope="module")
def service() -> Iterator[Upstream]:
    with Upstream() as server:
        server.on("/service/chunks", Reply(body=[b"hello ", b"world\n"]))
        yield server


@pytest.fixture(scope="module")
def instance(service: Upstream) -> Iterator[Stage]:
    ports = {"8081": free_port(), "9000": service.port}
    with Goto("8080") as process:
        ports["8080"] = process.port
        yield Stage(process, ports)


@pytest.fixture
def stage(instance: Stage, service: Upstream) -> Iterator[Stage]:
    """As at the start of each page: a listener more on port 8081, and a service behind what is below /service."""
    begin = {
        "listeners": [{"port": instance.ports["8081"], "label": "8081"}],
        "request": {"proxy": {"targets": [{**EACH_BEGINS, "url": service.base}]}},
    }
    instance.goto.api("POST", "/goto/config?replace=y", begin)
    instance.goto.api("POST", "/goto/reset/all")
    instance.goto.api("POST", "/goto/config?replace=y", begin)
    yield instance
    instance.goto.api("PUT", "/response/rules/clear")


@pytest.mark.parametrize("row", ROWS, ids=[row.where for row in ROWS])
def test_a_row(row: Row, stage: Stage) -> None:
    assert try_row(row, stage) == [], row.where


def test_what_is_lost_was_done(stage: Stage, service: Upstream) -> None:
    before = len(service.received)
    stage.carry_out("`abort: reset, at: response`")
    assert stage.look("`POST /service/orders` a reset") == []
    assert [one.method for one in service.received[before:]] == ["POST"]


def test_what_is_not_so_is_noticed(stage: Stage) -> None:
    row = Row(DOCS / "wishes.md", 1, ("", "`abort: close`", "a reset, 200"))
    assert len(try_row(row, stage)) == 2
    assert "nothing that can be seen" in stage.look("a miracle")[0]


def test_each_wish_is_tried() -> None:
    assert len(ROWS) >= 30
