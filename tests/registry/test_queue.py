"""What is still to be pushed: whatever comes between, a peer that took all of it has what the registry has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from goto.registry.queue import Push, PushKind, PushQueue

NAMES = st.sampled_from(["a", "b", "c"])
LABELS = st.sampled_from(["v", "w"])


def pushes(*words: str) -> list[Push]:
    """`add a`, `remove a`, `clear w`; revisions count up from 1."""
    made = []
    for revision, word in enumerate(words, 1):
        kind, _, name = word.partition(" ")
        made.append(Push(kind, "w", revision, "" if kind == "clear" else name, b"%d" % revision))
    return made


def left(*words: str) -> list[tuple[PushKind, str, int]]:
    queue = PushQueue()
    for push in pushes(*words):
        queue.put(push)
    return [(push.kind, push.name, push.revision) for push in queue]


def test_the_newest_of_a_name_is_left():
    assert left("add a", "add b", "add a") == [("add", "b", 2), ("add", "a", 3)]
    assert left("add a", "remove a") == [("remove", "a", 2)]
    assert left("remove a", "remove a") == [("remove", "a", 2)]


def test_removed_and_added_again_is_a_new_target():
    assert left("add a", "remove a", "add a", "add a") == [("remove", "a", 2), ("add", "a", 4)]


def test_clearing_makes_all_before_it_pointless():
    assert left("add a", "remove b", "clear w", "add c") == [("clear", "", 3), ("add", "c", 4)]
    assert left("clear w", "clear w") == [("clear", "", 2)]


def test_clearing_one_label_leaves_the_others():
    queue = PushQueue()
    for push in (Push("add", "v", 1, "a"), Push("add", "w", 2, "b"), Push("clear", "v", 3)):
        queue.put(push)
    assert [(push.kind, push.label) for push in queue] == [("add", "w"), ("clear", "v")]
    queue.drop("v")
    assert [(push.kind, push.label) for push in queue] == [("add", "w")]
    queue.drop()
    assert len(queue) == 0
    assert queue.head() is None


def test_one_that_was_replaced_while_it_was_under_way_leaves_its_successor():
    first, second = pushes("add a", "add a")
    queue = PushQueue()
    queue.put(first)
    queue.put(second)
    assert first not in queue
    queue.done(first)
    assert list(queue) == [second]
    queue.done(second)
    assert list(queue) == []


class APeerThatFails(RuleBasedStateMachine):
    """Changes at a registry, and a peer that takes a push, loses it, or takes it and loses the answer, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.revision = 0
        self.wanted: dict[tuple[str, str], int] = {}
        self.peer: dict[tuple[str, str], int] = {}
        self.queue = PushQueue()
        self.last_taken = 0
        self.under_way: Push | None = None

    def put(self, kind: PushKind, label: str, name: str = "") -> None:
        self.queue.put(Push(kind, label, self.revision, name))

    # names of one label never meet those of another here: `w` has a, b, c and `v` va, vb, vc
    @staticmethod
    def full(label: str, name: str) -> str:
        return name if label == "w" else f"v{name}"

    @rule(label=LABELS, name=NAMES)
    def add(self, label: str, name: str) -> None:
        self.revision += 1
        self.wanted[label, self.full(label, name)] = self.revision
        self.put("add", label, self.full(label, name))

    @rule(label=LABELS, name=NAMES)
    def remove(self, label: str, name: str) -> None:
        self.revision += 1
        self.wanted.pop((label, self.full(label, name)), None)
        self.put("remove", label, self.full(label, name))

    @rule(label=LABELS)
    def clear(self, label: str) -> None:
        self.revision += 1
        self.wanted = {key: value for key, value in self.wanted.items() if key[0] != label}
        self.put("clear", label)

    @rule()
    def begin(self) -> None:
        if self.under_way is None:
            self.under_way = self.queue.head()

    @rule(arrives=st.booleans(), answered=st.booleans())
    def end(self, arrives: bool, answered: bool) -> None:
        push, self.under_way = self.under_way, None
        if push is None:
            return
        if arrives or answered:
            assert push.revision >= self.last_taken, "the order was not kept"
            self.last_taken = push.revision
            match push.kind:
                case "add":
                    self.peer[push.label, push.name] = push.revision
                case "remove":
                    self.peer.pop((push.label, push.name), None)
                case "clear":
                    self.peer = {key: value for key, value in self.peer.items() if key[0] != push.label}
        if answered:
            self.queue.done(push)

    @invariant()
    def it_is_bounded(self) -> None:
        assert len(self.queue) <= 2 * 6 + 2
        assert [push.revision for push in self.queue] == sorted(push.revision for push in self.queue)

    def teardown(self) -> None:
        self.end(True, True)
        while self.queue:
            self.begin()
            self.end(True, True)
        assert self.peer == self.wanted


TestAPeerThatFails = APeerThatFails.TestCase


@given(st.lists(st.tuples(st.sampled_from(["add", "remove"]), NAMES)))
def test_what_is_left_says_the_same_as_all(words: list[tuple[PushKind, str]]):
    def held(told: list[tuple[PushKind, str, int]]) -> dict[str, int]:
        names: dict[str, int] = {}
        for kind, name, revision in told:
            names.pop(name, None)
            if kind == "add":
                names[name] = revision
        return names

    told: list[tuple[PushKind, str, int]] = [(kind, name, revision) for revision, (kind, name) in enumerate(words, 1)]
    assert held(left(*(f"{kind} {name}" for kind, name in words))) == held(told)
