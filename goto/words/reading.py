"""JSON payloads of management calls, read into msgspec structs.

Keys are read in any letter case; unknown ones are accepted, and returned so that the answer can mention them. `null` and `""`
mean *not given* wherever the struct has a default (docs/behaviour.md, "Management calls").
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from goto.errors import BadInput
from goto.settings import members
from goto.words.names import Word

S = TypeVar("S", bound=msgspec.Struct)
_OWN = re.compile(r"[A-Za-z]\w*(?:\[\d+\])*(?:\.\w+(?:\[\d+\])*)*: ")
"""The beginning of a message that a struct raises itself: the place in the struct that it is about."""
_NONE_OF = re.compile(r"^Invalid enum value .* - at `\$\.(\w+)`$")
"""What msgspec says of a field that is one of some words."""
_EXPECTED = re.compile(r"Expected `(?P<kinds>\w+(?: \| \w+)*)`(?P<bound>.*?)(?:, got `?(?P<got>\w+)`?)?", re.S)
"""What msgspec says of a value of another type, or past a bound."""
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
_BOUNDS = (
    (re.compile(r" of length >= (\d+)"), r" of length \1 or more"),
    (re.compile(r" of length <= (\d+)"), r" of length \1 at most"),
    (re.compile(r" >= (\S+)"), r" from \1 on"),
    (re.compile(r" <= (\S+)"), r" up to \1"),
)
_GOT = _KINDS | {"int": "a number", "bool": "a boolean"}
_AT = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.S)


def read_json(body: bytes) -> Any:
    """The JSON document in a body. Raises `BadInput` when it is not JSON."""
    if not body.strip():
        raise BadInput("body: empty, expected a JSON object")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"body: not JSON: {error}") from None
    except RecursionError:
        raise BadInput("body: the JSON is nested too deeply") from None


def read_struct(document: Any, struct: type[S], where: str = "body") -> tuple[S, list[str]]:
    """The document as a struct, and the keys that the struct does not know. `BadInput` names the field and the reason."""
    if not isinstance(document, dict):
        raise BadInput(f"{where}: expected a JSON object, got {json_type(document)}")
    given, unknown = _given(document, struct, "")
    try:
        return msgspec.convert(given, struct, dec_hook=decode_word), unknown
    except msgspec.ValidationError as error:
        raise BadInput(_explain(str(error)) + _choices(str(error), struct)) from None


def _choices(message: str, struct: type[msgspec.Struct]) -> str:
    """What may stand in a field of the struct that got none of its words, for the end of the message."""
    found = _NONE_OF.search(message)
    field = _fields(struct).get(found[1].lower()) if found else None
    return f": write one of {', '.join(map(str, get_args(field.type)))}" if field is not None else ""


def _given(document: dict[str, Any], struct: type[msgspec.Struct], where: str) -> tuple[dict[str, Any], list[str]]:
    """The document with its keys as the struct spells them and without values that mean *not given*, and the unknown keys.

    `where` stands before the names of unknown keys. A struct that says `closed = True` refuses them with `BadInput`.
    """
    fields = _fields(struct)
    given: dict[str, Any] = {}
    unknown = []
    for key, value in document.items():
        field = fields.get(key.lower())
        if field is None:
            if getattr(struct, "closed", False):
                raise BadInput(f"{where}{key}: unknown key; known here: {', '.join(f.encode_name for f in fields.values())}")
            unknown.append(f"{where}{key}")
            continue
        if (value is None or value == "") and not field.required:
            given.pop(field.encode_name, None)
            continue
        given[field.encode_name], inner = _given_inside(value, field.type, f"{where}{key}")
        unknown += inner
    return given, unknown


def _given_inside(value: Any, kind: Any, where: str) -> tuple[Any, list[str]]:
    """The same for the value of a field that holds a struct or a list of structs. Any other value stays as it is."""
    for member in members(kind):
        origin = get_origin(member)
        if origin is Annotated:
            return _given_inside(value, get_args(member)[0], where)
        if origin is list and isinstance(value, list):
            read = [_given_inside(item, get_args(member)[0], f"{where}[{index}]") for index, item in enumerate(value)]
            return [item for item, _ in read], [name for _, names in read for name in names]
        if isinstance(member, type) and issubclass(member, msgspec.Struct) and isinstance(value, dict):
            return _given(value, member, f"{where}.")
    return value, []


@lru_cache(maxsize=64)
def _fields(struct: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields by lower-case key, cached since msgspec works them out anew at each call."""
    return {field.encode_name.lower(): field for field in msgspec.structs.fields(struct)}


def decode_word(kind: type[Word], value: Any) -> Any:
    """Read a word, which every custom type in a payload is: a number in JSON where its schema says integer, else a string."""
    if hasattr(kind, "read"):
        return kind.read(value)
    wanted = int if kind.schema["type"] == "integer" else str
    if type(value) is not wanted:
        raise ValueError(f"expected {'a whole number' if wanted is int else 'a string'}, got {json_type(value)}")
    value = str(value)
    return kind.parse(value)


def _explain(message: str) -> str:
    """A message of msgspec, `Expected ... - at `$.x[0]``, as goto says it: `x[0]: expected ...`."""
    found = _AT.match(message)
    assert found
    reason, path = found["reason"], (found["path"] or "$").removeprefix("$").removeprefix(".")
    if missing := re.fullmatch(r"Object missing required field `(.*)`", reason):
        return f"{path + '.' if path else ''}{missing[1]}: missing"
    if expected := _EXPECTED.fullmatch(reason):
        reason = _wanted(expected["kinds"], expected["bound"], expected["got"])
    if _OWN.match(reason):
        return f"{path}.{reason}" if path else reason
    return f"{path or 'body'}: {reason}"


def _wanted(kinds: str, bound: str, got: str | None) -> str:
    """What was expected, in words of JSON: `int`, ` >= 1` is `expected a whole number from 1 on`."""
    wanted = " or ".join(_KINDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null") or "null"
    for pattern, words in _BOUNDS:
        bound = pattern.sub(words, bound)
    return f"expected {wanted}{bound}" + (f", got {_GOT.get(got, got)}" if got is not None else "")


def json_type(value: Any) -> str:
    """The type of a value of JSON, for messages."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
