from robots import Robots

from goto.flow import Request
from goto.testing import run


def test_they_are_told_and_counted() -> None:
    robots = Robots()
    flow = run(robots, Request("GET", "/robots.txt"))
    assert flow.response is not None
    assert flow.response.body.startswith(b"User-agent: *")
    assert robots.show() == "Robots sent away: 1"
