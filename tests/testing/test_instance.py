"""Instances that live as long as a block."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support.calls import call
from support.client import Client, get
from support.ports import listens

from goto.testing import ApiFailure, BadInput
from goto.testing import instance as module
from goto.testing.instance import InProcess, InThread


@pytest.mark.parametrize("kind", [InThread, InProcess])
def test_one_serves_and_ends(kind: type[InThread] | type[InProcess]):
    with kind() as instance:
        assert call(instance.port, "GET", "/goto/ready").status == 200
        assert call(instance.port, "GET", "/a").status == 200
        assert instance.url == f"http://127.0.0.1:{instance.port}"
    assert not listens(instance.port)


def test_a_thread_leaves_nothing_behind():
    before = threading.active_count()
    with InThread() as instance, Client(instance.port) as client:
        call(instance.port, "POST", "/response/rules/add", {"name": "r", "abort": "hang"})
        client.send(get("/held"))  # which is broken off at the end
    assert threading.active_count() == before


def test_files_of_configuration(tmp_path: Path):
    file = tmp_path / "goto.yaml"
    file.write_text("label: configured\n")
    with InThread([str(file)]) as instance:
        assert call(instance.port, "GET", "/label").body == b"Label: configured\n"


def test_a_file_that_will_not_do(tmp_path: Path):
    before = threading.active_count()
    file = tmp_path / "goto.yaml"
    file.write_text("labl: configured\n")
    with pytest.raises(BadInput, match=r"goto\.yaml:1:1: labl"):
        InThread([str(file)])
    assert threading.active_count() == before


def test_a_process_that_does_not_serve(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LOOPBACK", "192.0.2.1")
    with pytest.raises(ApiFailure, match=r"^goto does not serve: goto: cannot listen"):
        InProcess()
