"""Counts of exchanges by the values of headers, as they were sent."""

from __future__ import annotations

from collections.abc import Mapping

from goto.counting.bounded import OTHER, OVERFLOW, VALUE_LENGTH, VALUES_LIMIT
from goto.http.fields import decode
from goto.http.messages import Request

_OTHER = OTHER.encode()

ByStatus = dict[int, int]
"""Status to count."""


class ValueCounts:
    """The counts of one value of a header."""

    __slots__ = ("requested", "requests", "responses")

    def __init__(self) -> None:
        self.requests = 0
        self.requested: ByStatus = {}
        """Requests for `/status/{n}`, by n."""
        self.responses: ByStatus = {}
        """Responses by their status."""


class HeaderCounts:
    """The counts of one header, by value."""

    __slots__ = ("by_value", "key", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = name.lower().encode()
        self.by_value: dict[bytes, ValueCounts] = {}

    def clear(self) -> None:
        self.by_value = {}

    def of(self, value: bytes) -> ValueCounts:
        """The counts of a value; past the limit, those that all other values share."""
        counts = self.by_value.get(value)
        if counts is not None:
            return counts
        if len(self.by_value) >= VALUES_LIMIT or len(decode(value)) > VALUE_LENGTH:
            OVERFLOW.values += 1
            value = _OTHER
        return self.by_value.setdefault(value, ValueCounts())


def count_request(headers: Mapping[str, HeaderCounts], request: Request) -> list[ValueCounts]:
    """Count a request once under each different value of each header. Returns the counts, for `count_response`."""
    status = request.requested_status
    index = request.headers.index
    counted = []
    for header in headers.values():
        fields = index.get(header.key)
        if fields is None:
            continue
        for value in (fields[0][1],) if len(fields) == 1 else dict.fromkeys([value for _, value in fields]):
            counts = header.of(value)
            counts.requests += 1
            if status is not None:
                counts.requested[status] = counts.requested.get(status, 0) + 1
            counted.append(counts)
    return counted


def count_response(counted: list[ValueCounts], status: int) -> None:
    """Count the response to a request under the values that the request was counted under."""
    for counts in counted:
        counts.responses[status] = counts.responses.get(status, 0) + 1
