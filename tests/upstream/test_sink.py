"""Where the bytes of a body go."""

from __future__ import annotations

from goto.upstream.sink import Dropped, Sink


def test_a_sink_that_overrides_nothing_drops_what_comes_and_is_never_congested() -> None:
    for sink in (Sink(), Dropped()):
        sink.more(b"x" * 1000)
        sink.flush()
        sink.end()
        sink.broken(ValueError())
        assert not sink.congested
        sink.on_drained()  # nobody waits
