"""`goto check`, `goto schema` and `goto openapi`: what can be said without serving."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence

from goto.config.errors import ConfigError
from goto.hosts.standalone.host import StandaloneHost
from goto.instance.plugins import PluginError, with_plugins
from goto.instance.wiring import config_keys, route_table
from goto.traffic.accesslog import AccessLog


def check(files: Sequence[str], plugins: Sequence[str] = ()) -> int:
    """Say `ok`, or all that is wrong with some files; the exit status: 0 or 2."""
    try:
        asyncio.run(_read(files, plugins))
    except (ConfigError, PluginError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"ok: {', '.join(files)}")
    return 0


async def _read(files: Sequence[str], plugins: Sequence[str]) -> None:
    host = StandaloneHost(AccessLog(enabled=False), features=with_plugins(plugins))
    try:
        host.instance.config.read(files)
    finally:
        await host.instance.stop()


def print_schema(plugins: Sequence[str] = ()) -> int:
    """Print the JSON Schema of configuration files; the exit status: 0, or 2 where a plug-in cannot be used."""
    from goto.config.schema import schema

    try:
        keys = config_keys(with_plugins(plugins))
    except PluginError as error:
        print(f"goto: {error}", file=sys.stderr)
        return 2
    print(json.dumps(schema(keys), indent=2, ensure_ascii=False))
    return 0


def print_openapi(plugins: Sequence[str] = ()) -> int:
    """Print the OpenAPI document of the API; the exit status: 0, or 2 where a plug-in cannot be used."""
    from goto.api.openapi import document

    try:
        table = route_table(with_plugins(plugins))
    except PluginError as error:
        print(f"goto: {error}", file=sys.stderr)
        return 2
    print(json.dumps(document(table), indent=2, ensure_ascii=False))
    return 0
