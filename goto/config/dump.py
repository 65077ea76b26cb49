"""A document as plain data, and as YAML text that reads back as the same document."""

from __future__ import annotations

import re
from typing import Any

from goto.config.document import ConfiguredValues, Document, ListenerPart
from goto.config.keys import LISTENERS, Key, Keys
from goto.words.writing import as_json

_BREAKS = re.compile("[\x85\u2028\u2029]")


def data_of(document: Document, keys: Keys) -> dict[str, Any]:
    """A document in JSON's types, with its keys in the order in which they are declared."""
    top = _settings({**document.first, **document.process}, {**keys.listener, **keys.process})
    if document.listeners:
        top[LISTENERS] = [_listener(int(port), part, keys) for port, part in document.listeners.items()]
    return top


def _listener(port: int, part: ListenerPart, keys: Keys) -> dict[str, Any]:
    tls = {} if part.tls is None else {"tls": as_json(part.tls)}
    admin = {} if part.admin else {"admin": False}
    return {"port": port, "protocol": part.protocol, **tls, "open": part.open, **admin, **_settings(part.settings, keys.listener)}


def _settings(settings: ConfiguredValues, keys: dict[str, Key]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for path in keys:
        if path not in settings:
            continue
        *folders, name = path.split(".")
        branch = data
        for folder in folders:
            branch = branch.setdefault(folder, {})
        branch[name] = as_json(settings[path].value)
    return data


def yaml_text(data: dict[str, Any]) -> str:
    """Data as YAML that reads the same in versions 1.1 and 1.2."""
    import yaml

    from goto.config.scalars import FIRST, PATTERNS

    class Dumper(yaml.SafeDumper):
        """Quotes text that either version would read as something else."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            # items of a list are indented further than its key, as most people write them
            return super().increase_indent(flow, False)

    # what PyYAML would write as it is, and take for the end of a line when it reads it
    Dumper.add_representer(
        str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, '"' if _BREAKS.search(text) else None)
    )
    for kind, pattern in PATTERNS:
        # PyYAML matches patterns at the beginning only, so this one is closed with $
        whole = re.compile(f"(?:{pattern.pattern})$")
        Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{kind}-1.2", whole, [*FIRST[kind], ""])
    return yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=130) if data else "{}\n"
