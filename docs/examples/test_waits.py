from waits import Drop, Forbidden, Sizes, Slow

from goto.flow import Headers, Request, Response
from goto.testing import run


def test_the_client_of_one_path_waits() -> None:
    assert [hold.seconds for hold in run(Slow(), Request("GET", "/slow")).holds] == [0.5]
    assert not run(Slow(), Request("GET", "/fast")).holds


def test_a_connection_is_reset() -> None:
    flow = run(Drop(), Request("GET", "/", Headers([(b"x-drop", b"y")])))
    assert flow.delivery is not None
    assert flow.delivery.end == "reset"


def test_a_word_is_refused() -> None:
    flow = run(Forbidden(), Request("POST", "/"), body=b"this is forbidden")
    assert flow.response is not None
    assert flow.response.status == 403


def test_sizes_are_noted() -> None:
    sizes = Sizes()
    run(sizes, Request("GET", "/"), answer=Response.text(200, "hello"))
    assert sizes.seen == [6]
