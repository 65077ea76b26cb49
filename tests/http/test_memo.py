"""What is remembered of texts that come again, and how much of it."""

from __future__ import annotations

import pytest

from goto.http.memo import MEMO_LENGTH, MEMO_LIMIT, VARIED, Memo


def test_a_memo_works_out_what_it_does_not_know() -> None:
    asked = []

    def function(key: str) -> int:
        asked.append(key)
        return len(key)

    memo = Memo(function)
    assert [memo["ab"], memo["ab"], memo["abc"]] == [2, 2, 3]
    assert asked == ["ab", "abc"]


def test_a_memo_is_bounded() -> None:
    memo = Memo(len)
    for number in range(3 * MEMO_LIMIT):
        assert memo[str(number)] == len(str(number))
        assert len(memo) <= MEMO_LIMIT
    assert memo["x" * (MEMO_LENGTH + 1)] == MEMO_LENGTH + 1
    assert "x" * (MEMO_LENGTH + 1) not in memo


def test_a_memo_does_not_remember_what_raises() -> None:
    memo = Memo(int)
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid"):
            memo["x"]
    assert not memo


def test_what_always_differs_does_not_push_out_the_rest() -> None:
    asked = []

    def function(key: str) -> int:
        asked.append(key)
        return len(key)

    memo = Memo(function, group=lambda key: key[0])
    assert memo["b"] == 1
    for number in range(2 * MEMO_LIMIT):
        assert memo[f"a{number}"] == len(str(number)) + 1
        assert memo["b"] == 1
    assert asked.count("b") == 1
    assert len(memo) == VARIED + 1
