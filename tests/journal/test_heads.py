"""The fields of heads are kept masked, in one piece, and once where they say the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goto.journal.heads import Keeper, KeptFields

MASK = frozenset((b"cookie", b"authorization"))

names = st.sampled_from([b"Cookie", b"x", b"X-Request-Id", b"AUTHORIZATION", b"Y"])
values = st.binary(max_size=9).map(lambda value: value.replace(b"\n", b""))
heads = st.lists(st.tuples(names, values), max_size=6)


@given(st.lists(heads, max_size=6))
def test_each_head_is_kept_as_if_it_were_the_only_one(some: list[list[tuple[bytes, bytes]]]) -> None:
    keeper = Keeper(MASK)
    for fields in some:
        kept = keeper.keep(fields)
        assert kept.fields == [(name, b"***" if name.lower() in MASK else value) for name, value in fields]
        assert kept.masked == {name.lower() for name, _ in fields} & MASK


def test_what_comes_again_is_kept_once() -> None:
    keeper, fields = Keeper(MASK), [(b"a", b"b")]
    kept = keeper.keep(fields)
    assert keeper.keep([(b"a", b"b")]) is kept
    fields.append((b"c", b"d"))  # as a feature does to the headers of its flow
    assert keeper.keep([(b"a", b"b")]) is kept
    assert keeper.keep(fields).fields == fields
    assert kept.fields == [(b"a", b"b")]


def test_what_the_fields_say_of_the_request() -> None:
    said = KeptFields([(b"X-Request-ID", b"1"), (b"x-request-id", b"2"), (b"X-Envoy-Attempt-Count", b"3")], frozenset())
    assert (said.id, said.attempt) == ("1", 3)
    for attempt in (b"", b"x", b"-1", b"1" * 10):
        assert KeptFields([(b"x-envoy-attempt-count", attempt)], frozenset()).attempt is None
    assert KeptFields([], frozenset()).fields == []
