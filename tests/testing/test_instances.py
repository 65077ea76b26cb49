"""The instance that tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.calls import call
from support.goto_process import Goto as Process
from support.ports import free_port, listens

from goto.testing import ApiFailure, Conflict, NotReached, Unauthorized
from goto.testing import instances as module
from goto.testing.instances import Instance


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    instance = Instance()
    yield instance
    instance.stop()


def test_each_listener_is_apart(instance: Instance):
    one, two = instance.listener(), instance.listener("second")
    one.fail(503)
    assert (call(one.port, "GET", "/").status, call(two.port, "GET", "/").status) == (503, 200)
    assert (len(one.seen()), len(two.seen())) == (1, 1)
    assert two.calls.label() == "Label: second"
    instance.remove(one)
    instance.remove(one)
    assert not listens(one.port)
    assert listens(two.port)
    instance.remove(two)


def test_a_port_that_a_test_has_had_does_not_come_again(instance: Instance, monkeypatch: pytest.MonkeyPatch):
    had, fresh = free_port(), free_port()
    instance._had.add(had)
    ports = iter([had, fresh])

    def add(**fields: object) -> str:
        return original(**{**fields, "port": next(ports)})  # type: ignore[call-overload, no-any-return]  # as the caller has them

    listeners = type(instance.calls.listeners)
    original = instance.calls.listeners.add
    monkeypatch.setattr(listeners, "add", lambda self, **fields: add(**fields))
    goto = instance.listener()
    assert goto.port == fresh
    assert not listens(had)
    instance.remove(goto)


def test_when_no_port_is_fresh(instance: Instance, monkeypatch: pytest.MonkeyPatch):
    port = free_port()
    instance._had.add(port)
    original = instance.calls.listeners.add
    listeners = type(instance.calls.listeners)
    monkeypatch.setattr(listeners, "add", lambda self, **fields: original(**{**fields, "port": port}))
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    with pytest.raises(Conflict, match="none was free in 1 attempts that no test had before"):
        instance.listener()
    assert not listens(port)


def test_a_document_is_applied_to_the_listener(instance: Instance):
    goto = instance.listener(config="response: {status: 503}")
    assert call(goto.port, "GET", "/").status == 503
    instance.remove(goto)
    before = instance.calls.listeners()
    with pytest.raises(ApiFailure, match="respons"):
        instance.listener(config="respons: {status: 503}")
    assert instance.calls.listeners() == before


def test_what_the_journal_keeps_is_put_back(instance: Instance):
    instance.keep({"bodies": "1MiB"})
    assert instance.calls.goto.config()["journal"] == {"bodies": "1048576"}
    instance.keep_as_usual()
    assert instance.calls.goto.config()["journal"] == {}


def test_a_running_one_is_left_as_it_was(goto: Callable[..., Process]):
    process = goto("running", env={"GOTO_ADMIN_TOKEN": "secret"})
    with pytest.raises(Unauthorized):
        Instance(process.base)
    bearer = {"Authorization": "Bearer secret"}
    before = process.call("GET", "/goto/config", headers=bearer).body
    instance = Instance(process.base, "secret")
    listener = instance.listener()
    assert call(listener.port, "GET", "/a").status == 200
    assert [seen.uri for seen in listener.seen()] == ["/a"]
    instance.stop()
    assert not listens(listener.port)
    assert process.call("GET", "/goto/config", headers=bearer).body == before


def test_nobody_there():
    with pytest.raises(NotReached):
        Instance(f"http://127.0.0.1:{free_port()}")
