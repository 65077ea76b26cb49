"""The options `goto_…` of the mitmproxy host. All are strings, since mitmproxy loses a bad number without a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from goto.api.access import NO_HOST, Hosts
from goto.instance.plugins import PluginError, with_plugins
from goto.instance.wiring import Features
from goto.registry.worker import RegistryUrl
from goto.words import Label, Port
from goto.words.token import GivenToken, Token

PREFIX = "goto_"

OPTIONS = {
    "goto_label": "Label of the first listener.",
    "goto_config": "Configuration files, separated by commas.",
    "goto_features": "Files with features to load, separated by commas.",
    "goto_registry": "URL of the registry that the first listener registers with.",
    "goto_admin_host": f"Answer management calls only for these hosts; `{NO_HOST}` takes them off the traffic ports.",
    "goto_admin_port": "Serve management calls on a port of their own.",
    "goto_admin_token": "What management calls have to show; rather give it in GOTO_ADMIN_TOKEN.",
    "goto_registry_token": "What workers and the registry show each other; rather give it in GOTO_REGISTRY_TOKEN.",
}


class BadOption(Exception):
    """An option that makes no sense, in one line."""


@dataclass(frozen=True)
class Settings:
    """The options, parsed."""

    label: str
    config: tuple[str, ...]
    features: Features
    registry: RegistryUrl | None
    admin_host: Hosts | None
    admin_port: int | None
    admin_token: Token | None
    registry_token: Token | None

    @property
    def given(self) -> dict[str, object]:
        """What was given, by the key of a configuration file that it wins over."""
        given: dict[str, object] = {
            "label": self.label,
            "registry.url": self.registry,
            "admin.host": self.admin_host,
            "admin.port": self.admin_port,
            "admin.token": self.admin_token,
            "registry.token": self.registry_token,
        }
        return {key: value for key, value in given.items() if value}


def declare(loader: Any) -> None:
    """Make the options known to mitmproxy."""
    for name, text in OPTIONS.items():
        loader.add_option(name, str, "", f"goto: {text}")


def read(options: Any) -> Settings:
    """The options as they are given. Raises `BadOption`."""
    for name in options.deferred:
        if name.startswith(PREFIX):
            near = get_close_matches(name, OPTIONS, n=1)
            raise BadOption(f"unknown option {name}" + (f", is {near[0]} meant?" if near else ""))
    return Settings(
        _parsed(options, "goto_label", Label.parse) or "",
        _listed(options.goto_config),
        _parsed(options, "goto_features", lambda text: with_plugins(_listed(text)), always=True),
        _parsed(options, "goto_registry", RegistryUrl.parse),
        _parsed(options, "goto_admin_host", Hosts.parse),
        _parsed(options, "goto_admin_port", Port.parse),
        _token(options, "goto_admin_token"),
        _token(options, "goto_registry_token"),
    )


def _token(options: Any, name: str) -> Token | None:
    try:
        return GivenToken.of(_parsed(options, name, GivenToken.parse), name.upper())
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
