"""The JSON Schema of a document (draft 2020-12), by which editors complete and check what is written."""

from __future__ import annotations

from typing import Any

from goto.config.keys import LISTENERS, Key, Keys, Tree
from goto.tls.settings import ListenerTls
from goto.words import Port
from goto.words.schema import NULL, Schema, Types, first_paragraph, or_null

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": ["string", "number", "boolean"]}
"""The type of text, which may be written without quotes: `label: 8080`."""


def schema(keys: Keys) -> Schema:
    """The schema of a whole document."""
    types = _Types()
    top = types.tree(keys.top_tree)
    item = types.tree(keys.listener_tree)
    item["properties"] = {
        "port": {**types.of(Port), "description": "The port that it serves on."},
        "protocol": {"type": "string", "description": "The protocol: http or https.", "default": "http"},
        "tls": {**or_null(types.of(ListenerTls)), "description": "For protocol https: the certificate that it shows."},
        "open": {"type": "boolean", "description": "Whether it accepts traffic.", "default": True},
        "admin": {"type": "boolean", "description": "Whether management calls are answered there.", "default": True},
        **item["properties"],
    }
    item["required"] = ["port"]
    what = "The listeners other than the first one, whose settings are at the top."
    top["properties"][LISTENERS] = {"type": ["array", "null"], "description": what, "items": item}
    return {
        "$schema": _DIALECT,
        "title": "goto",
        "description": "The configuration of a goto instance.",
        **top,
        "$defs": types.defs,
    }


class _Types(Types):
    """Types as documents have them: an empty value means *not given*, and text may be written without quotes."""

    place = "#/$defs"
    nothing = NULL
    closed = True

    def nullable(self, described: Schema) -> Schema:
        return or_null(described)

    def optional(self, described: Schema) -> Schema:
        return or_null(described)

    def tree(self, tree: Tree) -> Schema:
        properties = {}
        for name, below in tree.items():
            if isinstance(below, Key):
                properties[name] = {
                    **or_null(self.of(below.setting.type)),
                    "description": first_paragraph(below.setting.description),
                }
            else:
                properties[name] = or_null(self.tree(below))
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def map(self, value: Any) -> Schema:
        return {"type": "object", "additionalProperties": or_null(self.of(value))}

    def text(self, own: Schema) -> Schema:
        return {**own, **_TEXT}
