"""The options `goto_…` of the mitmproxy host. All are strings: with a number that it cannot read, mitmproxy drops the addon and
says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from goto.api.access import NO_HOST, Hosts
from goto.instance.plugins import PluginError, with_plugins
from goto.instance.start import StartOptions
from goto.instance.wiring import Features
from goto.registry.worker import RegistryUrl
from goto.words import Label, Port
from goto.words.token import Token, TokenOption

PREFIX = "goto_"

OPTIONS = {
    "goto_label": "Label of the first listener; its port if not given.",
    "goto_config": "Configuration files, separated by commas, merged in order.",
    "goto_features": "Python files with your own features, separated by commas.",
    "goto_stream": "`no` leaves it to mitmproxy's own options which bodies are streamed; by default goto streams long ones.",
    "goto_registry": "URL of the registry that the first listener registers with; it deregisters at the end.",
    "goto_admin_host": f"Answer management calls only for these hosts, separated by commas; `{NO_HOST}`: not on traffic ports.",
    "goto_admin_port": "Serve management calls on this port too.",
    "goto_admin_token": "What management calls have to show; better set in GOTO_ADMIN_TOKEN, since mitmproxy shows its options.",
    "goto_registry_token": "What workers and the registry show each other; better set in GOTO_REGISTRY_TOKEN.",
}


STANDING_FOR = {"registry.url": "goto_registry", "admin.port": "goto_admin_port"}
"""The options that stand for settings which may turn out wrong at the start."""


class BadOption(Exception):
    """What is wrong with an option, in one line."""


@dataclass(frozen=True)
class Options:
    """The options, parsed."""

    features: Features
    start: StartOptions
    streams: bool
    """Whether goto lets bodies pass as they come, or leaves them to mitmproxy."""


def declare(loader: Any) -> None:
    """Make the options known to mitmproxy."""
    for name, text in OPTIONS.items():
        loader.add_option(name, str, "", f"goto: {text}")


def read_options(options: Any) -> Options:
    """The options as they are given. Raises `BadOption`."""
    for name in options.deferred:
        if name.startswith(PREFIX):
            near = get_close_matches(name, OPTIONS, n=1)
            raise BadOption(
                f"unknown option {name}" + (f", is {near[0]} meant?" if near else f": it is one of {', '.join(OPTIONS)}")
            )
    settings = {
        "label": _parsed(options, "goto_label", Label.parse),
        "registry.url": _parsed(options, "goto_registry", RegistryUrl.parse),
        "admin.host": _parsed(options, "goto_admin_host", Hosts.parse),
        "admin.port": _parsed(options, "goto_admin_port", Port.parse),
        "admin.token": _token(options, "goto_admin_token"),
        "registry.token": _token(options, "goto_registry_token"),
    }
    features = _parsed(options, "goto_features", lambda text: with_plugins(_listed(text)), always=True)
    streams = _parsed(options, "goto_stream", _yes_or_no)
    return Options(features, StartOptions(_listed(options.goto_config), settings), streams is not False)


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither yes nor no: write no to let mitmproxy decide which bodies are streamed")
    return text == "yes"


def _token(options: Any, name: str) -> Token | None:
    try:
        return TokenOption.of(_parsed(options, name, TokenOption.parse), name.upper())
    except ValueError as error:
        raise BadOption(str(error)) from None


def _parsed(options: Any, name: str, parse: Callable[[str], Any], *, always: bool = False) -> Any:
    text = getattr(options, name).strip()
    if not text and not always:
        return None
    try:
        return parse(text)
    except (ValueError, PluginError) as error:
        raise BadOption(f"{name}: {error}") from None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))
