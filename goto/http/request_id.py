"""The id that `sendId` of a target adds to a request, as a query parameter."""

from __future__ import annotations

from random import getrandbits

REQUEST_ID = "x-request-id"
"""The name of the query parameter."""


def fresh_id() -> str:
    """A random id in the form of a UUID of version 4 (RFC 9562, 5.4); `uuid.uuid4` takes three times as long."""
    digits = f"{getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
