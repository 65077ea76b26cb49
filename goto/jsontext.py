"""JSON text of answers."""

from __future__ import annotations

from typing import Any

import msgspec


def json_bytes(value: Any) -> bytes:
    """A line of JSON. Text that came as bytes which are no UTF-8 is shown as `\\xff`."""
    try:
        return msgspec.json.encode(value, enc_hook=_word) + b"\n"
    except UnicodeEncodeError:
        return msgspec.json.encode(_clean(msgspec.to_builtins(value, enc_hook=_word))) + b"\n"


def _word(value: Any) -> Any:
    """Word types are written as they are read: whole numbers as numbers, all others as text."""
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
