"""Which keys there are."""

from __future__ import annotations

from typing import Any

import pytest

from goto.config.keys import KeyClash, Keys, paths_ending
from goto.instance.wiring import config_keys
from goto.settings import Setting


def owner(name: str, *paths: str) -> type:
    def made(path: str) -> Setting[Any]:
        setting: Setting[Any] = Setting(path, lambda self: None)
        setting.setter(lambda self, value: None)
        return setting

    return type(name, (), {f"setting_{number}": made(path) for number, path in enumerate(paths)})


def test_the_keys_of_goto():
    keys = config_keys()
    assert sorted(keys.listener) == [
        "client.reporting",
        "client.targets",
        "client.track.headers",
        "label",
        "request.headers.track",
        "request.proxy.targets",
        "request.timeout.track",
        "request.uri.bypass.status",
        "request.uri.bypass.uris",
        "response.delay",
        "response.headers",
        "response.rules",
        "response.setHeaders",
        "response.status",
    ]
    assert sorted(keys.process) == [
        "admin.host",
        "admin.off",
        "admin.port",
        "admin.token",
        "journal",
        "limits",
        "registry.peers",
        "registry.targets",
        "registry.token",
        "registry.url",
    ]
    assert set(keys.top_tree) == {"label", "request", "response", "client", "admin", "journal", "limits", "registry"}
    assert set(keys.listener_tree) == {"label", "request", "response", "client"}


def test_every_key_says_what_it_is():
    for key in [*config_keys().listener.values(), *config_keys().process.values()]:
        assert key.setting.description.endswith("."), key.path


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("a.b", "a.b", "the key a.b of B is A's already"),
        ("a", "a.b", "the key a.b of B lies within a, A's"),
        ("a.b", "a", "the key a of B is taken"),
        ("x", "listeners", "the key listeners is taken"),
        ("x", "port", "the key port is taken"),
    ],
)
def test_keys_that_clash(first: str, second: str, message: str):
    with pytest.raises(KeyClash) as caught:
        Keys((owner("A", first), owner("B", second)), ())
    assert str(caught.value) == message


def test_paths_of_a_name():
    tree = Keys((owner("A", "a.b.delay", "delay", "c.Delay"),), ()).top_tree
    assert sorted(paths_ending(tree, "delay")) == ["a.b.delay", "c.Delay", "delay"]
