"""Answers that name no status, and the forced one."""

from __future__ import annotations

from support.flows import flow, passed
from support.rules import Onion, made

from goto.features.forced_status import ForcedStatus
from goto.features.rules.answering import RuleAnswers
from goto.features.rules.feature import Rules
from goto.words.values import Statuses


def test_a_status_of_its_own_takes_nothing_from_the_forced_one() -> None:
    forced = ForcedStatus()
    forced.set(Statuses.parse("503:2"))
    uris = [{"uris": ["/own"]}, {"uris": ["/body"]}]
    onion = Onion(made("own", when=uris[0], status=201, body="own"), made("body", when=uris[1], body="mine"), between=[forced])
    assert passed(onion.features, flow("/own")).response.status == 201  # type: ignore[union-attr]  # there is one
    assert forced.ration.left == 2
    for status in (503, 503, 200):
        response = passed(onion.features, flow("/body")).response
        assert response is not None
        assert (response.status, response.body) == (status, b"mine")


def test_it_is_active_with_the_rules_beside_it() -> None:
    onion = Onion()
    answers = next(feature for feature in onion.features if isinstance(feature, RuleAnswers))
    assert not answers.active
    onion.rules.add(made(status=503))
    assert answers.active
    assert RuleAnswers().active
    assert Rules.name == "rules"
