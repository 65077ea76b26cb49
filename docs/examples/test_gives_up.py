"""A client gives up: when, how it leaves, and that it does not come back."""

import pytest
import requests

from goto.testing import Goto


def test_it_leaves_in_time(goto: Goto) -> None:
    goto.hang(to="/slow")
    with pytest.raises(requests.Timeout):
        requests.get(goto.url_for("/slow"), timeout=0.3)
    # the server sees a moment later that the client has left
    (seen,) = goto.wait_for("/slow", end="client_gone")
    assert seen.seconds is not None
    assert seen.seconds >= 0.3


def test_it_does_not_come_back(goto: Goto) -> None:
    goto.fail(410, to="/gone")
    with goto.expecting("/gone", times=1):
        assert requests.get(goto.url_for("/gone"), timeout=5).status_code == 410
