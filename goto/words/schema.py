"""JSON Schemas (draft 2020-12) of the types that settings, payloads and answers are declared with."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from itertools import pairwise
from typing import Annotated, Any, Literal, NotRequired, Required, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from goto.settings import members
from goto.words.writing import as_json

Schema = dict[str, Any]

NULL: Schema = {"type": "null"}
_NOTHING: Schema = {"type": ["string", "null"], "maxLength": 0}
"""Null, and the empty text that stands for *not given* too: makers of clients cannot do with a type that is null alone."""
_SIMPLE: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
    object: {},
}
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


class Types:
    """Makes the schemas of types. Structs and TypedDicts are collected in `defs`, and referred to as `{place}/{name}`.

    They are such that makers of clients can do with them: none is null alone, and no choice is one of booleans.
    """

    place = "#/components/schemas"
    nothing = _NOTHING
    closed = False
    """Whether a key that a struct does not know is an error."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}
        self._names: dict[Any, str] = {}

    def of(self, kind: Any) -> Schema:
        """The schema of a type."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._bounded(inner[0], inner[1:])
        if origin in (Required, NotRequired):
            return self.of(inner[0])
        if origin is Literal:
            return {"type": "boolean"} if all(isinstance(choice, bool) for choice in inner) else {"enum": list(inner)}
        if kind is None or kind is type(None):
            return dict(self.nothing)
        if (choices := members(kind)) != [kind]:
            options = [self.of(choice) for choice in choices]
            made = options[0] if len(options) == 1 else {"anyOf": options}
            return self.nullable(made) if type(None) in inner else made
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
            return self.map(inner[1])
        if is_typeddict(kind):
            return self._referred(kind, self._keys)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._referred(kind, self._fields)
        return dict(_SIMPLE[kind]) if kind in _SIMPLE else self.word(kind)

    def nullable(self, described: Schema) -> Schema:
        """The schema with null as another choice."""
        whole = self.defs.get(described.get("$ref", "").removeprefix(f"{self.place}/"))
        return or_null(whole) if whole else or_null(described)

    def optional(self, described: Schema) -> Schema:
        """The schema of what need not be given: null stands for that, which nobody needs where it refers to others."""
        return or_null(described) if "type" in described else described

    def map(self, value: Any) -> Schema:
        """The schema of a map whose values are of a type."""
        return {"type": "object", "additionalProperties": self.of(value)}

    def word(self, kind: Any) -> Schema:
        """The schema of a word type, which declares it itself (see `goto.words`); that of text for `str` and all others."""
        own: Schema = dict(getattr(kind, "schema", {"type": "string"}))
        described = self.text(own) if own.get("type") == "string" else own
        if doc := first_paragraph(kind.__doc__ or "") if kind is not str else "":
            described["description"] = doc
        return described

    def text(self, own: Schema) -> Schema:
        """The schema of a word that is written as text."""
        return own

    def _bounded(self, kind: Any, metas: tuple[Any, ...]) -> Schema:
        bounded = dict(self.of(kind))
        sized = "Items" if bounded.get("type") == "array" else "Properties" if bounded.get("type") == "object" else "Length"
        for meta in metas:
            bounds = {**_BOUNDS, "min_length": f"min{sized}", "max_length": f"max{sized}", "pattern": "pattern"}
            values = {word: getattr(meta, name) for name, word in bounds.items()}
            bounded.update({word: value for word, value in values.items() if value is not None})
        return bounded

    def _referred(self, kind: Any, describe: Any) -> Schema:
        name = self._names.get(kind)
        if name is None:
            name = kind.__name__ if kind.__name__ not in self.defs else f"{kind.__module__}.{kind.__name__}"
            self._names[kind] = name
            self.defs[name] = {}
            self.defs[name].update(describe(kind))
        return {"$ref": f"{self.place}/{name}"}

    def _keys(self, kind: Any) -> Schema:
        hints, told = get_type_hints(kind, include_extras=True), field_texts(kind)
        properties = {name: self.of(hint) for name, hint in hints.items()}
        for name, text in told.items():
            properties[name]["description"] = text
        # annotations that are strings hide NotRequired from `__required_keys__` (PEP 655)
        required = [
            name for name, hint in hints.items() if name in kind.__required_keys__ and get_origin(hint) is not NotRequired
        ]
        return self._object(kind, properties, required)

    def _fields(self, struct: type[msgspec.Struct]) -> Schema:
        properties, required = {}, []
        told = field_texts(struct)
        for field in msgspec.structs.fields(struct):
            described = self.of(field.type)
            if field.required:
                required.append(field.encode_name)
            else:
                described = self.optional(described)
                default = field.default if field.default is not msgspec.NODEFAULT else None
                if default not in (None, ""):
                    described["default"] = as_json(default)
            if field.name in told:
                described["description"] = told[field.name]
            properties[field.encode_name] = described
        made = self._object(struct, properties, required)
        if example := getattr(struct, "example", None):
            made["examples"] = [example]
        return {**made, "additionalProperties": False} if self.closed or getattr(struct, "closed", False) else made

    @staticmethod
    def _object(kind: Any, properties: Schema, required: list[str]) -> Schema:
        made: Schema = {"type": "object", "description": first_paragraph(inspect.getdoc(kind) or ""), "properties": properties}
        if required:
            made["required"] = required
        return made


def or_null(described: Schema) -> Schema:
    """The schema with null as another choice: it stands for *not given*."""
    kind = described.get("type")
    if kind is None:
        options = described.get("anyOf", [described])
        for index, option in enumerate(options):
            if "type" in option and "enum" not in option and len(options) > 1:
                return {**described, "anyOf": [*options[:index], or_null(option), *options[index + 1 :]]}
        return {"anyOf": options if NULL in options else [*options, NULL]}
    return {**described, "type": list(dict.fromkeys([*(kind if isinstance(kind, list) else [kind]), "null"]))}


def field_texts(kind: Any) -> dict[str, str]:
    """The docstring below each field, by field. Only the source has them, and a frozen program may come without it."""
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    if not isinstance(tree, ast.ClassDef):
        return {}
    told: dict[str, str] = {}
    for base in tree.bases:
        # before Python 3.12 a TypedDict does not know its bases, but its module does
        inherited = vars(sys.modules[kind.__module__]).get(base.id) if isinstance(base, ast.Name) else None
        is_struct = isinstance(inherited, type) and issubclass(inherited, msgspec.Struct) and inherited is not msgspec.Struct
        if is_struct or is_typeddict(inherited):
            told |= field_texts(inherited)
    for field, text in pairwise(tree.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            value = text.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                told[field.target.id] = first_paragraph(inspect.cleandoc(value.value))
    return told


def first_paragraph(text: str) -> str:
    """The first paragraph of a text, on one line."""
    return " ".join(text.partition("\n\n")[0].split())
