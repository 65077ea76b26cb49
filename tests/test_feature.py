"""What a feature has of its own, apart from its hooks."""

from __future__ import annotations

from typing import Any

from goto.feature import Feature


def test_who_is_told_of_a_change():
    told: list[Any] = []
    feature = Feature()
    feature.changed()  # outside a listener nobody is
    feature.bind(lambda: told.append(feature))
    feature.changed()
    assert told == [feature]


def test_a_feature_has_a_name():
    class Delays(Feature):
        pass

    class Named(Feature):
        name = "other"

    class Child(Named):
        pass

    class HTTP2Reset(Feature):
        pass

    class ResponseHeaders(Feature):
        pass

    assert (Delays.name, Named.name, Child.name) == ("delays", "other", "child")
    assert (ResponseHeaders.name, HTTP2Reset.name) == ("response_headers", "http2_reset")
