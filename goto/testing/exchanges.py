"""Exchanges as a test looks at them."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class Fields(Mapping[str, str]):
    """Headers, by name in any letter case. Of several with a name `[]` has the first, and `all` all of them."""

    def __init__(self, pairs: Sequence[Sequence[str]]) -> None:
        self._pairs = [(name, value) for name, value in pairs]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key.lower() == name.lower()]

    def __getitem__(self, name: str) -> str:
        for value in self.all(name):
            return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Names in lower case, each once."""
        return iter(dict.fromkeys(name.lower() for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._pairs})

    def __repr__(self) -> str:
        return f"Fields({self._pairs!r})"


class Exchange:
    """One exchange, as the journal had it when it was looked at."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.entry = entry
        """All that the journal says, as in `GET /goto/journal/{seq}`."""
        self.seq: int = entry["seq"]
        """Its number, over all listeners, in the order that heads arrived."""
        self.method: str = entry["method"]
        self.uri: str = entry["uri"]
        """Path and query, as they came."""
        self.path, _, self.query = self.uri.partition("?")
        self.headers = Fields(entry["headers"])
        self.status: int | None = entry["status"]
        """None as long as it is not known, 0 where none was sent."""
        self.response_headers = Fields(entry.get("responseHeaders") or ())
        self.by: list[str] = list(entry.get("by") or ())
        """What features did: `rule:flaky`."""
        self.end: str | None = entry["end"]
        """`completed`, `client_gone`, `aborted`, `broke_off`, `upstream_failed`; None while it is open."""
        self.attempt: int | None = entry.get("attempt")
        """The header `x-envoy-attempt-count`."""

    @property
    def seconds(self) -> float | None:
        """From the head of the request to the end; None while it is open."""
        end: float | None = self.entry["ms"]["end"]
        return None if end is None else end / 1000

    @property
    def body(self) -> bytes:
        """What was kept of the request's body."""
        return _bytes(self.entry.get("body"))

    @property
    def response_body(self) -> bytes:
        """What was kept of the response's body."""
        return _bytes(self.entry.get("responseBody"))

    def json(self) -> Any:
        """The request's body as JSON. Raises ValueError where it is none, or was cut when it was kept."""
        body = self.entry.get("body") or {}
        if body.get("truncated"):
            raise ValueError(f"{len(self.body)} of {body['size']} bytes were kept: raise journal.bodies")
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"<Exchange #{self.seq} {self.method} {self.uri} {self.status} {self.end or 'open'}>"


def _bytes(body: Mapping[str, Any] | None) -> bytes:
    if not body:
        return b""
    return b64decode(body["base64"]) if "base64" in body else str(body.get("text", "")).encode()
