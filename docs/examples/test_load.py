"""Load in a test: many requests at once, all answered, and as fast as they should be."""

from collections.abc import Callable

from goto.testing import Goto


def test_each_request_is_answered(goto: Goto, goto_listener: Callable[..., Goto]) -> None:
    service = goto_listener(label="service")
    service.delay("5ms")
    results = goto.send(service.url_for("/a"), n=200, replicas=8)
    assert results["countsByStatusCodes"] == {200: 200}
    assert results["all"]["latency"]["raw"]["p50"] >= 5
    assert len(service.seen("/a")) == 200


def test_exactly_two_of_many_fail(goto: Goto, goto_listener: Callable[..., Goto]) -> None:
    service = goto_listener()
    service.fail(503, times=2)
    results = goto.send(service.url_for("/a"), n=64, replicas=64)
    assert results["countsByStatusCodes"] == {200: 62, 503: 2}
