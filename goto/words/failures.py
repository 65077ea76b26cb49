"""Errors of the system in plain words, without what Python adds: `[Errno 111]`, `urlopen`, the name of a class."""

from __future__ import annotations

import os
import re
import ssl

_NUMBER = re.compile(r"\[(?:Errno|SSL: [A-Z0-9_]+) ?(-?[0-9]*)\] ?")


def system_reason(error: Exception) -> str:
    """The reason of an error, in the words of the system or of OpenSSL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return str(error.reason).lower().replace("_", " ") if getattr(error, "reason", None) else plain_text(str(error))
    if isinstance(error, OSError) and error.errno:
        # errors of name resolution have numbers of their own, below 0
        return os.strerror(error.errno) if error.errno > 0 else error.strerror or plain_text(str(error))
    if isinstance(error, UnicodeError):
        # what Python looks a name up by says so of the codec; letters past ASCII were converted long before
        return "a part of the name is empty, or has more than 63 letters"
    return plain_text(str(error)) or type(error).__name__


def plain_text(text: str) -> str:
    """The text of an exception on one line, without error numbers. If it is about several errors, each reason is given once."""
    numbers = [int(number) for number in re.findall(r"\[Errno ([0-9]+)\]", text)]
    if len(numbers) > 1:
        return ", ".join(dict.fromkeys(map(os.strerror, numbers)))
    return " ".join(_NUMBER.sub("", text).split())
