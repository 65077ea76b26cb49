"""What a receiver hears of an answer that came at once, where it overrides no more than it has to."""

from __future__ import annotations

import pytest

from goto.flow import Field
from goto.upstream.errors import UpstreamError
from goto.upstream.receiver import Receiver


class Least(Receiver):
    """Writes down what it hears of the calls that each receiver has."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        self.heard.append((status, reason, fields, length))

    def on_data(self, data: bytes) -> None:
        self.heard.append(data)

    def on_end(self) -> None:
        self.heard.append("end")

    def on_error(self, error: UpstreamError) -> None:
        self.heard.append(error)


@pytest.mark.parametrize(("body", "pieces"), [(b"hello", [b"hello"]), (b"", [])])
def test_a_whole_answer_comes_as_its_parts(body: bytes, pieces: list[bytes]) -> None:
    receiver = Least()
    receiver.on_whole(200, b"OK", [(b"A", b"b")], body)
    assert receiver.heard == [(200, b"OK", [(b"A", b"b")], len(body)), *pieces, "end"]


def test_what_most_do_not_want_need_not_be_heard() -> None:
    receiver = Least()
    receiver.on_interim(103, b"Early Hints", [])
    receiver.on_flush()
    receiver.on_trailers([(b"X", b"y")])
    receiver.on_fin()
    assert receiver.heard == []
