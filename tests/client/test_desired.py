"""What a worker makes of what it is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.client import desired as module
from goto.client.desired import Action, Desired, Source
from goto.client.target import ClientTarget
from goto.words.reading import read_struct


def target(name: str, path: str = "/", *, auto: bool = False) -> ClientTarget:
    wire = {"name": name, "method": "GET", "url": f"http://127.0.0.1:9{path}", "autoInvoke": auto}
    return read_struct(wire, ClientTarget)[0]


def at(revision: int, epoch: str = "e1", label: str = "w") -> Source:
    return Source(label, epoch, revision)


class Worker:
    """The targets of a client, kept as a client keeps them."""

    def __init__(self) -> None:
        self.desired = Desired()
        self.targets: dict[str, ClientTarget] = {}
        self.invoked: list[str] = []

    def receive(self, one: ClientTarget, source: Source) -> Action:
        action = self.desired.receive(one, source, self.targets)
        if action in (Action.PUT, Action.INVOKE):
            self.targets[one.name] = one
        if action is Action.INVOKE:
            self.invoked.append(one.name)
        return action

    def remove(self, name: str, source: Source) -> bool:
        gone = self.desired.remove(name, source)
        if gone:
            self.targets.pop(name, None)
        return gone

    def clear(self, source: Source) -> None:
        for name in self.desired.clear(source):
            self.targets.pop(name, None)

    def answer(self, source: Source, *targets: ClientTarget, unread: tuple[str, ...] = ()) -> list[str]:
        """What was refused."""
        changes = self.desired.answer(targets, source, self.targets, unread)
        for name in changes.remove:
            self.targets.pop(name, None)
        for one in changes.put:
            self.targets[one.name] = one
        self.invoked += [one.name for one in changes.invoke]
        return changes.refused

    def user_adds(self, one: ClientTarget) -> None:
        self.desired.disown(one.name)
        self.targets[one.name] = one


def test_a_target_is_invoked_when_it_is_new_or_changed():
    worker = Worker()
    assert worker.receive(target("a", auto=True), at(1)) is Action.INVOKE
    assert worker.receive(target("b"), at(2)) is Action.PUT
    assert worker.receive(target("a", auto=True), at(1)) is Action.NOTHING, "sent again, since the answer was lost"
    assert worker.receive(target("a", auto=True), at(3)) is Action.NOTHING, "added again as it was"
    assert worker.receive(target("a", "/new", auto=True), at(4)) is Action.INVOKE
    worker.answer(at(4), target("a", "/new", auto=True), target("b"), target("c", auto=True))
    assert worker.invoked == ["a", "a", "c"]
    worker.remove("a", at(5))
    assert worker.receive(target("a", "/new", auto=True), at(6)) is Action.INVOKE, "removed and added again is a new one"


def test_old_news_is_dropped():
    worker = Worker()
    worker.receive(target("a"), at(1))
    assert worker.remove("a", at(3))
    assert worker.receive(target("a", "/late"), at(2)) is Action.NOTHING
    worker.answer(at(2), target("a"))
    assert worker.targets == {}, "a list made before the removal brings it back"
    worker.answer(at(5), target("b"))
    assert worker.receive(target("a"), at(4)) is Action.NOTHING
    assert not worker.remove("b", at(4))
    worker.answer(at(4))
    worker.clear(at(4))
    assert list(worker.targets) == ["b"]
    worker.clear(at(6))
    assert worker.receive(target("a"), at(5)) is Action.NOTHING
    assert worker.targets == {}


def test_a_push_that_overtook_the_list_stays():
    worker = Worker()
    worker.receive(target("new"), at(9))
    worker.receive(target("old"), at(1))
    worker.answer(at(8))
    assert list(worker.targets) == ["new"]


def test_order_of_names_does_not_matter():
    worker = Worker()
    worker.receive(target("a"), at(3))
    assert worker.receive(target("b"), at(2)) is Action.PUT


def test_what_the_user_added_is_never_touched():
    worker = Worker()
    mine = target("a", "/mine")
    worker.user_adds(mine)
    assert worker.receive(target("a", "/theirs", auto=True), at(1)) is Action.REFUSE
    assert worker.answer(at(2), target("a", "/theirs")) == ["a"]
    worker.answer(at(3))
    assert not worker.remove("a", at(4))
    worker.clear(at(5))
    assert worker.targets == {"a": mine}
    assert worker.invoked == []
    del worker.targets["a"]
    worker.answer(at(6), target("a", "/theirs"))
    assert worker.targets == {"a": target("a", "/theirs")}, "the name is free again"


def test_what_the_user_changed_is_his():
    worker = Worker()
    worker.receive(target("a"), at(1))
    worker.user_adds(target("a", "/mine"))
    worker.answer(at(2))
    assert worker.targets == {"a": target("a", "/mine")}


def test_what_the_user_removed_comes_back_without_running_again():
    worker = Worker()
    worker.receive(target("a", auto=True), at(1))
    del worker.targets["a"]
    worker.answer(at(1), target("a", auto=True))
    assert list(worker.targets) == ["a"]
    assert worker.invoked == ["a"]


def test_the_list_heals_what_was_missed():
    worker = Worker()
    worker.answer(at(3), target("a"), target("b"), target("c"))
    worker.answer(at(9), target("b"), target("c", "/new"), target("d"))
    assert worker.targets == {"b": target("b"), "c": target("c", "/new"), "d": target("d")}


def test_a_restarted_registry_removes_nothing_and_adopts_what_it_has():
    worker = Worker()
    worker.answer(at(7), target("a", auto=True), target("b"))
    for _ in range(3):
        worker.answer(at(0, "e2"))
    assert list(worker.targets) == ["a", "b"]
    worker.answer(at(2, "e2"), target("a", auto=True))
    worker.answer(at(3, "e2"))
    assert list(worker.targets) == ["b"], "what the new one had and removed goes, what it never had stays"
    assert worker.invoked == ["a"]
    assert worker.remove("b", at(4, "e2")), "removed by name it goes, whichever life it came from"


def test_the_original_gives_no_epoch_and_its_lists_remove_nothing():
    worker = Worker()
    source = Source("w")
    worker.answer(source, target("a", auto=True), target("b"))
    worker.answer(source, target("a", auto=True), target("c"))
    assert list(worker.targets) == ["a", "b", "c"]
    assert worker.invoked == ["a"]


def test_a_target_that_cannot_be_read_stays_as_it_was():
    worker = Worker()
    worker.answer(at(1), target("a"), target("b"))
    worker.answer(at(2), unread=("a",))
    assert list(worker.targets) == ["a"]


def test_labels_are_kept_apart():
    worker = Worker()
    worker.receive(target("a"), at(1, label="w"))
    worker.receive(target("b"), at(2, label="v"))
    worker.receive(target("c"), at(3, label="v"))
    worker.answer(at(4, label="w"), target("a"))
    assert list(worker.targets) == ["a", "b", "c"]
    worker.remove("c", at(5, label="v"))
    worker.answer(at(6, label="w"), target("a"))
    assert worker.receive(target("c"), at(3, label="v")) is Action.NOTHING, "a list of one label forgets another's removals"
    worker.clear(at(7, label="w"))
    assert list(worker.targets) == ["b"]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_EPOCHS", 3)
    monkeypatch.setattr(module, "MOST_NAMES", 5)
    worker = Worker()
    for number in range(50):
        worker.remove(f"t{number}", at(number))
        worker.clear(at(number, f"epoch{number}", f"label{number}"))
        worker.clear(at(1, label=f"label{number}"))
    desired = worker.desired
    assert len(desired._epochs) <= 3
    assert all(len(heard.names) <= 5 and len(heard.labels) <= 5 for heard in desired._epochs.values())


NAMES = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "clear"]), NAMES, st.integers(0, 2))), st.randoms(), st.data())
def test_whatever_the_order_and_however_often_the_last_word_counts(
    changes: list[tuple[str, str, int]], random: object, data: st.DataObject
):
    """Messages come late, twice, and not at all; the next list makes the worker's targets those of the registry."""
    state: dict[str, ClientTarget] = {}
    messages: list[tuple[str, int, str, ClientTarget | None, list[ClientTarget]]] = []
    for revision, (kind, name, path) in enumerate(changes, 1):
        if kind == "add":
            state[name] = target(name, f"/{path}")
        elif kind == "remove":
            state.pop(name, None)
        else:
            state.clear()
        messages.append((kind, revision, name, state.get(name), []))
        messages.append(("list", revision, "", None, list(state.values())))
    worker = Worker()
    worker.user_adds(target("mine"))
    sent = data.draw(st.lists(st.sampled_from(messages))) if messages else []
    for kind, revision, name, one, whole in sent:
        match kind:
            case "add":
                assert one is not None
                worker.receive(one, at(revision))
            case "remove":
                worker.remove(name, at(revision))
            case "clear":
                worker.clear(at(revision))
            case _:
                worker.answer(at(revision), *whole)
    last: dict[str, int] = {}
    for kind, revision, name, _, _ in sent:
        for affected in ("a", "b", "c") if kind in ("list", "clear") else (name,):
            last[affected] = max(last.get(affected, 0), revision)
    for name, revision in last.items():
        # after its last word, what the registry had at that revision
        had: dict[str, ClientTarget] = {}
        for kind, changed, path in changes[:revision]:
            if kind == "add":
                had[changed] = target(changed, f"/{path}")
            elif kind == "remove":
                had.pop(changed, None)
            else:
                had.clear()
        assert worker.targets.get(name) == had.get(name)
    worker.answer(at(len(changes) + 1), *state.values())
    assert worker.targets == {"mine": target("mine"), **state}
