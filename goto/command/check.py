"""`goto check`, `goto schema` and `goto openapi`: commands that do not serve."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence

from goto.command.descriptors import print_json
from goto.config.document import Document
from goto.config.errors import ConfigError
from goto.config.loader import LARGEST, load, load_file
from goto.config.node import Node
from goto.hosts.standalone.host import StandaloneHost
from goto.instance.plugins import PluginError, with_plugins
from goto.instance.wiring import Features, config_keys, route_table
from goto.traffic.accesslog import AccessLog
from goto.words.unseen import escaped, escaped_lines


def check(files: Sequence[str], plugins: Sequence[str] = ()) -> int:
    """Print `ok`, with notes on what may be meant otherwise, or every mistake in the files. Returns the exit status: 0 or 2."""
    try:
        document = asyncio.run(_check(files, plugins))
    except (ConfigError, PluginError) as error:
        print(escaped_lines(str(error)), file=sys.stderr)
        return 2
    for remark in document.remarks:
        print(escaped(f"note: {remark}"))
    print(escaped(f"ok: {', '.join(files)}"))
    return 0


async def _check(files: Sequence[str], plugins: Sequence[str]) -> Document:
    host = StandaloneHost(AccessLog(enabled=False), features=with_plugins(plugins))
    try:
        return host.instance.config.read(files, _load)
    finally:
        await host.instance.stop()


def _load(file: str) -> Node:
    """The document in a file, or with `-` in standard input. Raises `ConfigError`."""
    return load(sys.stdin.buffer.read(LARGEST + 1), file) if file == "-" else load_file(file)


def print_schema(plugins: Sequence[str] = ()) -> int:
    """Print the JSON Schema of configuration files. Returns the exit status: 0, or 2 where a plug-in cannot be used."""
    from goto.config.schema import schema

    return _print(lambda features: schema(config_keys(features)), plugins)


def print_openapi(plugins: Sequence[str] = ()) -> int:
    """Print the OpenAPI document of the API. Returns the exit status: 0, or 2 where a plug-in cannot be used."""
    from goto.api.openapi import document

    return _print(lambda features: document(route_table(features)), plugins)


def _print(make: Callable[[Features], object], plugins: Sequence[str]) -> int:
    """Print what `make` returns for the features of goto and of the plug-ins, as JSON. Returns the exit status."""
    try:
        made = make(with_plugins(plugins))
    except PluginError as error:
        print(escaped(f"goto: {error}"), file=sys.stderr)
        return 2
    print_json(json.dumps(made, indent=2, ensure_ascii=False))
    return 0
