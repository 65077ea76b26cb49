"""Values as JSON: the text of answers, and the plain data of documents."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec


def json_bytes(value: Any) -> bytes:
    """A line of JSON. Bytes of text that are not UTF-8 are shown as `\\xff`."""
    try:
        return msgspec.json.encode(value, enc_hook=_word) + b"\n"
    except UnicodeEncodeError:
        return msgspec.json.encode(_clean(msgspec.to_builtins(value, enc_hook=_word))) + b"\n"


def _word(value: Any) -> Any:
    """A word as JSON has it: what it says itself, else a number where its schema says integer, else text."""
    if hasattr(value, "written"):
        return value.written
    whole = isinstance(value, int) and value.schema["type"] == "integer"  # type: ignore[attr-defined]  # a word has one
    return int(value) if whole else str(value)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        cleaned: dict[Any, Any] = {}
        for key, item in value.items():
            shown = _clean(key)
            while shown in cleaned:
                shown += "'"  # another key looks the same; neither may hide the other
            cleaned[shown] = _clean(item)
        return cleaned
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value


def as_json(value: Any) -> Any:
    """A value in JSON's types: words as they are written, structs without the fields that have their default."""
    if hasattr(value, "written"):
        return value.written
    if isinstance(value, msgspec.Struct):
        fields = _fields(type(value))
        return {field.encode_name: as_json(item) for field in fields if (item := getattr(value, field.name)) != _default(field)}
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple) and not hasattr(value, "parse"):
        return [as_json(item) for item in value]
    if value is None or type(value) in (bool, int, float):
        return value
    whole = getattr(value, "schema", {}).get("type") == "integer"
    return int(value) if whole else str(value)


@lru_cache(maxsize=64)
def _fields(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """msgspec looks it all up anew each time that it is asked, which takes longer than all else."""
    return msgspec.structs.fields(struct)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def counted(number: int, noun: str) -> str:
    """A number of things: `1 request`, `2,000 requests`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
