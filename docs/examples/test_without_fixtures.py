"""goto without fixtures, as scripts have it: an instance in a thread, and the typed client of its API."""

import httpx
import pytest

from goto.testing import BadInput, Calls, Goto


def test_a_script() -> None:
    with Goto.start() as goto:
        goto.fail(503, to="/a", times=1)
        assert httpx.get(goto.url_for("/a")).status_code == 503


def test_the_typed_client(goto: Goto) -> None:
    with Calls(goto.url) as calls:
        calls.response.delay.set("200ms")  # PUT /response/delay/set/200ms
        calls.response.rules.add(name="flaky", status=503, count=2)
        assert calls.response.rules("flaky").matched == 0  # GET /response/rules/flaky
        assert calls.response.headers() == {}  # GET /response/headers
        with pytest.raises(BadInput, match="status: 99 is not a status"):
            calls.response.status.set(99)
