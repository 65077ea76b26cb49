"""Documents of configuration, for one listener of an instance that has several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goto.config.errors import ConfigError
from goto.config.keys import LISTENERS
from goto.config.loader import load
from goto.config.node import data_of, node_of
from goto.config.spelling import as_declared
from goto.instance.wiring import config_keys
from goto.testing.failures import BadInput


def for_listener(document: str | bytes | Mapping[str, Any], port: int, name: str = "config") -> dict[str, Any]:
    """A document whose keys at the top are those of the listener of a port; what a process has once stays as it is.

    Raises `BadInput` for what is no YAML, with the place in `name`.
    """
    try:
        if isinstance(document, Mapping):
            node = node_of(dict(document), name)
        else:
            node = load(document.encode() if isinstance(document, str) else document, name)
        keys = config_keys()
        data = data_of(as_declared(node, keys))
    except ConfigError as error:
        raise BadInput(str(error), 400) from None
    if not isinstance(data, dict):
        raise BadInput(f"{name}: expected a map of keys", 400)
    once = {path.partition(".")[0] for path in keys.process}
    others = data.pop(LISTENERS, None) or []
    of_process = {key: data.pop(key) for key in list(data) if key in once}
    return {**of_process, LISTENERS: [{"port": port, **data}, *others]}
