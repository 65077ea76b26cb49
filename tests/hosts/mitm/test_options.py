"""The options of the mitmproxy host; what mitmdump makes of bad ones is in test_mitm."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("mitmproxy", reason="mitmproxy is not installed in this Python")

from goto.features import FEATURES
from goto.hosts.mitm.options import OPTIONS, BadOption, declare, read_options


def options(deferred: tuple[str, ...] = (), **given: str) -> Any:
    return SimpleNamespace(deferred=deferred, **{**dict.fromkeys(OPTIONS, ""), **given})


def test_all_are_strings_that_are_empty_where_they_are_not_given() -> None:
    declared: list[tuple[object, ...]] = []
    declare(SimpleNamespace(add_option=lambda *words: declared.append(words)))
    assert [(name, kind, default) for name, kind, default, _ in declared] == [(name, str, "") for name in OPTIONS]
    parsed = read_options(options())
    assert tuple(parsed.features) == FEATURES
    assert parsed.start.files == ()
    assert not any(parsed.start.settings.values())


def test_they_are_parsed() -> None:
    given = {
        "label": " edge ",
        "config": "a.yaml, b.yaml,",
        "registry": "http://r:1/",
        "admin_host": " Goto.Test ",
        "admin_port": "81",
    }
    parsed = read_options(options(**{f"goto_{name}": text for name, text in given.items()}))
    assert parsed.start.files == ("a.yaml", "b.yaml")
    assert {path: value for path, value in parsed.start.settings.items() if value} == {
        "label": "edge",
        "registry.url": "http://r:1",
        "admin.host": {"goto.test"},
        "admin.port": 81,
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"goto_admin_port": "0"}, "goto_admin_port: "),
        (
            {"goto_admin_host": "a:80"},
            "goto_admin_host: 'a:80' is not a name or address of a host: write it without scheme and port",
        ),
        ({"goto_admin_token": "a b"}, "goto_admin_token: a token is made of "),
        ({"goto_registry_token": "@/no/file"}, "goto_registry_token: the file after @ cannot be read"),
        ({"goto_label": "a\nb"}, "goto_label: "),
        ({"goto_registry": "r:1"}, "goto_registry: "),
        ({"goto_features": "no.py"}, "goto_features: no.py: no such file"),
    ],
)
def test_a_bad_one_is_named(given: dict[str, str], says: str) -> None:
    with pytest.raises(BadOption) as raised:
        read_options(options(**given))
    assert str(raised.value).startswith(says)
    assert "\n" not in str(raised.value)


def test_an_unknown_one_is_named_with_the_nearest() -> None:
    with pytest.raises(BadOption, match=r"^unknown option goto_confg, is goto_config meant\?$"):
        read_options(options(("other", "goto_confg")))
    with pytest.raises(BadOption, match=r"^unknown option goto_xyzzy: it is one of goto_label, .*, goto_registry_token$"):
        read_options(options(("goto_xyzzy",)))


def test_bodies_stream_unless_they_are_not_to() -> None:
    assert [read_options(options(goto_stream=text)).streams for text in ("", "yes", "no")] == [True, True, False]
    with pytest.raises(BadOption, match=r"^goto_stream: 'off' is neither yes nor no"):
        read_options(options(goto_stream="off"))
