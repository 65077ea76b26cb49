"""The JSON Schema of a document (draft 2020-12), so that editors complete and check what is written."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from goto.config.dump import plain
from goto.config.keys import LISTENERS, Key, Keys, Tree
from goto.settings import members
from goto.words import Port

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
    None: {"type": "null"},
}
_TEXT = {"type": ["string", "number", "boolean"]}
"""Text may be written as it is, `label: 8080`."""

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def schema(keys: Keys) -> Schema:
    """The schema of a whole document."""
    types = _Types()
    top = types.tree(keys.top_tree)
    item = types.tree(keys.listener_tree)
    item["properties"] = {
        "port": {**types.of(Port), "description": "The port it serves on."},
        "protocol": {"type": "string", "description": "What it speaks.", "default": "http"},
        "open": {"type": "boolean", "description": "Whether it accepts traffic.", "default": True},
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


class _Types:
    """Schemas of types; those of structs are collected in `defs`."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}
        self._names: dict[type, str] = {}

    def tree(self, tree: Tree) -> Schema:
        properties = {}
        for name, below in tree.items():
            if isinstance(below, Key):
                properties[name] = {**_or_null(self.of(below.setting.type)), "description": _line(below.setting.description)}
            else:
                properties[name] = _or_null(self.tree(below))
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def of(self, kind: Any) -> Schema:
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._bounded(inner[0], inner[1:])
        if origin is Literal:
            return {"enum": list(inner)}
        if (choices := members(kind)) != [kind]:
            options = [self.of(choice) for choice in choices]
            return options[0] if len(options) == 1 else {"anyOf": options}
        if origin is list:
            return {"type": "array", "items": self.of(inner[0])}
        if origin is tuple:
            return {
                "type": "array",
                "prefixItems": [self.of(item) for item in inner],
                "minItems": len(inner),
                "maxItems": len(inner),
            }
        if origin is dict:
            return {"type": "object", "additionalProperties": _or_null(self.of(inner[1]))}
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(kind)
        return dict(_PLAIN[kind]) if kind in _PLAIN else _word(kind)

    def _bounded(self, kind: Any, metas: tuple[Any, ...]) -> Schema:
        bounded = dict(self.of(kind))
        sized = "Items" if bounded.get("type") == "array" else "Properties" if bounded.get("type") == "object" else "Length"
        for meta in metas:
            bounds = {**_BOUNDS, "min_length": f"min{sized}", "max_length": f"max{sized}", "pattern": "pattern"}
            values = {word: getattr(meta, name) for name, word in bounds.items()}
            bounded.update({word: value for word, value in values.items() if value is not None})
        return bounded

    def _struct(self, struct: type[msgspec.Struct]) -> Schema:
        name = self._names.get(struct)
        if name is None:
            name = struct.__name__ if struct.__name__ not in self.defs else f"{struct.__module__}.{struct.__name__}"
            self._names[struct] = name
            self.defs[name] = {}
            self.defs[name].update(self._fields(struct))
        return {"$ref": f"#/$defs/{name}"}

    def _fields(self, struct: type[msgspec.Struct]) -> Schema:
        properties, required = {}, []
        told = _told(struct)
        for field in msgspec.structs.fields(struct):
            described = self.of(field.type)
            if field.required:
                required.append(field.encode_name)
            else:
                described = _or_null(described)
                default = field.default if field.default is not msgspec.NODEFAULT else None
                if default not in (None, ""):
                    described["default"] = plain(default)
            if field.name in told:
                described["description"] = told[field.name]
            properties[field.encode_name] = described
        description = _line(inspect.getdoc(struct) or "")
        made = {"type": "object", "description": description, "properties": properties, "additionalProperties": False}
        return {**made, "required": required} if required else made


def _word(kind: Any) -> Schema:
    """A word's own schema; what is text there may be written without quotes here."""
    own: Schema = dict(getattr(kind, "schema", {"type": "string"}))
    described = {**own, **_TEXT} if own.get("type") == "string" else own
    if doc := _line(kind.__doc__ or "") if kind is not str else "":
        described["description"] = doc
    return described


def _or_null(described: Schema) -> Schema:
    """With null, which stands for *not given*."""
    kind = described.get("type")
    if kind is None:
        return {"anyOf": [*described.get("anyOf", [described]), {"type": "null"}]}
    return {**described, "type": list(dict.fromkeys([*(kind if isinstance(kind, list) else [kind]), "null"]))}


def _told(struct: type) -> dict[str, str]:
    """Field to the text below it. It is in the source alone, which a frozen program may lack."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(struct)))
    except (OSError, TypeError, SyntaxError):
        return {}
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    told = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            value = text.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                told[field.target.id] = _line(inspect.cleandoc(value.value))
    return told


def _line(text: str) -> str:
    """The first paragraph in one line."""
    return " ".join(text.partition("\n\n")[0].split())
