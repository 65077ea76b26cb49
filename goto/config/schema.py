"""The JSON Schema of a document (draft 2020-12), so that editors complete and check what is written."""

from __future__ import annotations

from typing import Any

from goto.config.keys import LISTENERS, Key, Keys, Tree
from goto.tls.settings import ListenerTls
from goto.words import Port
from goto.words.schema import Schema, Types, first_paragraph, or_null

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": ["string", "number", "boolean"]}
"""Text may be written as it is, `label: 8080`."""


def schema(keys: Keys) -> Schema:
    """The schema of a whole document."""
    types = _Types()
    top = types.tree(keys.top_tree)
    item = types.tree(keys.listener_tree)
    item["properties"] = {
        "port": {**types.of(Port), "description": "The port it serves on."},
        "protocol": {"type": "string", "description": "What it speaks: http or https.", "default": "http"},
        "tls": {**or_null(types.of(ListenerTls)), "description": "With protocol https: the certificate to show."},
        "open": {"type": "boolean", "description": "Whether it accepts traffic.", "default": True},
        "admin": {"type": "boolean", "description": "Whether management calls are answered there.", "default": True},
        **item["properties"],
    }
    item["required"] = ["port"]
    what = "The listeners besides the first one, whose settings stand at the top."
    top["properties"][LISTENERS] = {"type": ["array", "null"], "description": what, "items": item}
    return {
        "$schema": _DIALECT,
        "title": "goto",
        "description": "What a goto instance is seeded with.",
        **top,
        "$defs": types.defs,
    }


class _Types(Types):
    """Types as they stand in a document: an empty value means *not given*, and text may be written without quotes."""

    place = "#/$defs"
    closed = True

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
