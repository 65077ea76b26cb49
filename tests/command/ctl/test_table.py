"""The table of ways is written, see `test_calls` for whether it is as it would be."""

from __future__ import annotations

from goto.command.ctl.table import WAYS


def test_each_way_has_a_first_line_and_options_once():
    assert len(WAYS) > 80
    assert [way.path for way in WAYS if not way.about.endswith(".")] == []
    for way in WAYS:
        names = [field.name for field in way.options]
        assert len(set(names)) == len(names)
