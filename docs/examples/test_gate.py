from gate import Gate

from goto.flow import Request
from goto.testing import run
from goto.words import CountedStatus


def test_exactly_two_are_refused() -> None:
    gate = Gate()
    gate.shut(CountedStatus.parse("503:2"))
    flows = [run(gate, Request("GET", "/")) for _ in range(3)]
    assert [flow.response.status for flow in flows if flow.response] == [503, 503, 200]
