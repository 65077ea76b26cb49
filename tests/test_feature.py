"""What a feature has of its own, apart from its hooks."""

from __future__ import annotations

from typing import Any

import pytest

from goto.errors import Conflict
from goto.feature import ABILITIES, Feature, Place
from goto.flow import Flow


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


async def async_hook(self: Feature, flow: Flow) -> None: ...


def property_forgotten(self: Feature) -> bool:
    return True


@pytest.mark.parametrize(
    ("name", "member", "says"),
    [
        ("requests", lambda self, flow: None, "Mine.requests is not a hook, which are request, response, closed: begin"),
        ("reqeust", lambda self, flow: None, "Mine.reqeust is not a hook"),
        ("on_request", async_hook, "Mine.on_request is not a hook"),
        ("responseheaders", lambda self, flow: None, "Mine.responseheaders is not a hook"),
        ("close", lambda self, flow: None, "Mine.close is not a hook"),
        ("error", lambda self, flow: None, "Mine.error is not a hook"),
        ("request", lambda self: None, "Mine.request is called with a flow alone: write def request(self, flow)"),
        ("response", lambda self, flow, other: None, "Mine.response is called with a flow alone"),
        ("closed", async_hook, "Mine.closed cannot be async def"),
        ("active", property_forgotten, "Mine.active is not a method: write @property above it"),
        ("ends", "wrote", "Mine.ends is 'wrote': write 'taken' or 'written'"),
    ],
)
def test_a_class_that_would_not_do_what_it_says_is_refused(name: str, member: object, says: str):
    with pytest.raises(TypeError) as caught:
        type("Mine", (Feature,), {name: member})
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("_requests", lambda self, flow: None),
        ("requests", lambda self: 3),
        ("requests", lambda self, flow, other: None),
        ("fits", lambda self, flow: True),
        ("request", lambda self, *hooked: None),
        ("request", lambda self, flow, retries=3: None),
        ("active", True),
        ("requests", 3),
        ("ends", "written"),
    ],
)
def test_what_is_no_hook_is_left_alone(name: str, member: object):
    assert type("Mine", (Feature,), {name: member}).name == "mine"


class Narrow(Place):
    """A host that can only close, with one other feature."""

    abilities = frozenset(("close",))
    host = "narrow"

    def __init__(self, other: Feature) -> None:
        self.other = other

    def sibling(self, name: str) -> Feature | None:
        return self.other if self.other.name == name else None


def test_what_the_host_lacks_is_refused():
    feature = Feature()
    feature.need(*ABILITIES)  # outside a listener nothing is lacking
    feature.bind(lambda: None, Narrow(Feature()))
    feature.need("close")
    with pytest.raises(Conflict, match=r"^pace: narrow cannot do it: use the standalone host$"):
        feature.need("close", "pace")


def test_siblings_are_found_by_name():
    class Other(Feature):
        pass

    other, feature = Other(), Feature()
    assert feature.sibling("other") is None
    feature.bind(lambda: None, Narrow(other))
    assert feature.sibling("other") is other
    assert feature.sibling("another") is None
