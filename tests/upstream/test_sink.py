"""Where the bytes of a body go."""

from __future__ import annotations

from goto.upstream.sink import Dropped, HeardOut, Sink


def test_a_sink_that_overrides_nothing_drops_what_comes_and_is_never_congested() -> None:
    for sink in (Sink(), Dropped()):
        sink.more(b"x" * 1000)
        sink.flush()
        sink.end()
        sink.broken(ValueError())
        assert not sink.congested
        sink.on_drained()  # nobody waits


def test_what_is_heard_out_is_over_at_its_end_or_past_the_limit() -> None:
    for last in ("end", "broken"):
        heard = HeardOut(10)
        heard.more(b"x" * 10)
        assert not heard.over.here
        heard.end() if last == "end" else heard.broken(ValueError())
        assert heard.over.here
    heard = HeardOut(10)
    heard.more(b"x" * 11)
    assert heard.over.here
