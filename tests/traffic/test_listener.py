"""One port and its features."""

from __future__ import annotations

import pytest

from goto.feature import Feature
from goto.features import FEATURES
from goto.features.delay import Delay
from goto.features.tracking import Tracking
from goto.flow import Flow, Headers, Request, Response
from goto.traffic.listener import Listener, ListenerSpec
from goto.upstream.answer import Upstream
from goto.words import HeaderNames, Label
from goto.words.values import Delays


def listener(label: str = "", **how: object) -> Listener:
    return Listener(ListenerSpec(8081, label=label), "h.n@i", Upstream(), **{"features": FEATURES, **how})


def test_its_name_is_its_label_or_its_port() -> None:
    one = listener()
    assert (one.name, one.identity_bytes) == ("8081", b"Via-Goto: 8081\r\nGoto-Host: h.n@i\r\n")
    one.set_label(Label("ä b"))
    assert one.identity[0] == (b"Via-Goto", "ä b".encode())
    assert one.show_label() == "Label: ä b"
    one.clear_label()
    assert one.show() == {"label": "8081", "port": 8081, "protocol": "http", "open": False}
    assert listener(label="x").name == "x"


@pytest.mark.parametrize("text", ["", " ", "a\r\nb", "a\nb", "\0"])
def test_what_is_no_label(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Label.parse(text)


def test_features_belong_to_one_listener() -> None:
    one, other = listener(), listener()
    assert [type(feature) for feature in one.features] == list(FEATURES)
    assert one.feature(Tracking) is not other.feature(Tracking)
    one.feature(Tracking).add(HeaderNames.parse("x"))
    assert other.feature(Tracking).list() == []
    assert one.has(Delay)
    assert not one.has(Listener)


def test_the_pipeline_follows_what_is_configured() -> None:
    one = listener()
    before = one.pipeline
    one.feature(Delay).set(Delays.parse("1s"))
    assert one.pipeline is not before
    delayed, held = one.pipeline, [Flow(Request("GET", "/", Headers())) for _ in range(3)]
    one.feature(Delay).clear()
    for pipeline, passing in zip((before, delayed, one.pipeline), held, strict=True):
        passing.response = Response(200)
        pipeline.request(passing)
        pipeline.response(passing)
    # an exchange keeps the pipeline it began with; what a feature does is what holds now
    assert [len(passing.holds) for passing in held] == [0, 0, 0]


class Sample(Feature):
    def __init__(self) -> None:
        self.stopped = 0

    def request(self, flow: Flow) -> None:
        raise RuntimeError("broken")

    def stop(self) -> None:
        self.stopped += 1


def test_stopping_stops_each_feature() -> None:
    one = listener(features=(Sample,))
    one.stop()
    assert one.feature(Sample).stopped == 1


def test_hooks_that_raise_are_counted_by_name(caplog: pytest.LogCaptureFixture) -> None:
    one = listener(features=(Sample,))
    broken = Flow(Request("GET", "/", Headers()))
    one.pipeline.request(broken)
    assert broken.response is not None
    assert broken.response.status == 500
    assert one.hook_errors == {"Sample.request": 1}
    assert "Sample.request failed on GET /" in caplog.text
