"""Words of the command line as values of JSON."""

from __future__ import annotations

import json
from typing import Any

_KINDS: dict[type, str] = {str: "s", int: "n", float: "n", bool: "b", dict: "j", list: "jl"}

YES, NO = ("y", "yes", "true", "1"), ("n", "no", "false", "0")


def value_of(text: str, kinds: str) -> Any:
    """The value that a text stands for, where it may be of these kinds (see `Field.kinds`).

    What it cannot be goes on as text: the instance says what is wrong with it.
    """
    if kinds == "s":
        return text
    if "b" in kinds and not {"n", "s"} & {*kinds} and text.lower() in YES + NO:
        return text.lower() in YES
    try:
        value = json.loads(text)
    except ValueError:
        return text.split(",") if "l" in kinds else text
    fits = any(kind in kinds for kind in _KINDS.get(type(value), ""))
    if value is None or not fits:
        return [text] if "l" in kinds and not isinstance(value, list) else text
    return value
