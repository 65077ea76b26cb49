"""What may be meant otherwise in proxy targets."""

from __future__ import annotations

from typing import Any

from goto.features.proxy.feature import Proxy
from goto.features.proxy.remarks import MOST_COMPARED, MOST_SAID, about_target
from goto.features.proxy.target import ProxyTarget
from goto.words.reading import read_struct


def target(name: str, *uris: str, **more: Any) -> ProxyTarget:
    document = {"name": name, "url": "http://h", **({"match": {"uris": [*uris]}} if uris else {}), **more}
    return read_struct(document, ProxyTarget)[0]


def together(wide: str, uri: str) -> str:
    return f'{wide} matches {uri} too: both are called and the answer is a list; give {wide} "fallback": true'


def test_one_that_nothing_triggers() -> None:
    assert about_target(target("t"), []) == ["matches nothing: it is called by hand only"]
    assert about_target(target("t", "/a/{x}"), []) == []
    assert about_target(target("t", match={"headers": [["x"]]}), []) == []


def test_uris_each_by_itself() -> None:
    assert about_target(target("t", "/a", "/{x}", "/b/*"), []) == [
        "/a matches only /a itself; write /a/{rest:.*} for all below it",
        "/b/*: * is a letter here; write /b/{rest:.*}",
    ]


def test_targets_that_are_called_together_in_either_order() -> None:
    everything, api = target("t0", "/"), target("t1", "/api/{x}")
    assert about_target(api, [everything, api]) == [together("t0", "/api/{x}")]
    assert about_target(everything, [everything, api]) == [together("t0", "/api/{x}")]
    assert about_target(target("t2", "/api/{y}"), [everything, api]) == [
        together("t0", "/api/{y}"),
        together("t1", "/api/{y}"),
    ]


def test_targets_that_are_not() -> None:
    api = target("t1", "/api/{x}")
    for other in (
        target("t0", "/", fallback=True),
        target("t0", "/", enabled=False),
        target("t0", "/other"),
        target("t0", match={"headers": [["x"]]}),
        target("t1", "/"),  # the one that is replaced
    ):
        assert about_target(api, [other]) == []
    assert about_target(target("t1", "/api/{x}", fallback=True), [target("t0", "/")]) == []
    assert about_target(target("t1", "/api/{x}", enabled=False), [target("t0", "/")]) == []


def test_no_more_than_can_be_read() -> None:
    said = about_target(target("t", *(f"/a{n}" for n in range(20))), [])
    assert (len(said), said[-1]) == (MOST_SAID + 1, "and 15 more remarks")


def test_a_listener_with_many_targets_is_not_looked_through() -> None:
    proxy = Proxy()
    for n in range(MOST_COMPARED):
        proxy.add(target(f"t{n}", f"/a{n}/{{x}}"))
    assert "too: both are called" not in proxy.add(target("late", "/a1/{x}"))
    proxy.remove(target("late", "/").name)
    proxy.remove(target("t5", "/").name)
    assert "t1 matches /a1/{x} too" in proxy.add(target("late", "/a1/{x}"))
    assert ("request.proxy.targets", f"late: {together('t1', '/a1/{x}')}") in list(proxy.remarks())
