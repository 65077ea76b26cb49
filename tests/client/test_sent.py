"""What was sent in a run, by numbers."""

from __future__ import annotations

from goto.client.sent import Sent
from goto.counting.numbers import Shelf
from goto.http.numbered_id import MOST_NUMBERS, wants_gaps


def made(**how: bool) -> Sent:
    return Sent(Shelf(), replicas=1, **how)


def test_each_request_is_answered_or_has_failed() -> None:
    sent = made()
    for number in range(5):
        sent.begin(number)
    sent.again(1)
    sent.answered(0)
    sent.answered(1)
    sent.failed()
    sent.forget(4)
    assert (sent.requests, sent.answers, sent.failures, sent.incomplete) == (4, 2, 1, False)
    assert sent.by_tries() == {1: 3, 2: 1}
    assert sent.tried_set().first(9) == [0, 1, 2, 3]
    assert sent.done_set().first(9) == [0, 1]


def test_what_is_past_the_most_numbers_counts_and_is_said() -> None:
    sent = made()
    sent.begin(MOST_NUMBERS)
    sent.begin(MOST_NUMBERS)
    sent.answered(MOST_NUMBERS)
    sent.forget(MOST_NUMBERS)
    assert (sent.requests, sent.answers, sent.incomplete, sent.size) == (1, 1, True, 0)


def test_a_run_whose_numbers_were_given_up_counts_on_and_says_so() -> None:
    sent = made()
    sent.begin(0)
    sent.give_up()
    sent.answered(0)
    sent.begin(1)
    sent.forget(1)
    assert (sent.requests, sent.answers, sent.incomplete) == (1, 1, True)


def test_the_name_of_a_run_says_whether_gaps_are_wanted() -> None:
    assert not wants_gaps(made().run)
    assert wants_gaps(made(gaps=True).run)
