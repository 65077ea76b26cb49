"""Whoever gets the answer of an upstream, as its connection reads it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from mypy_extensions import mypyc_attr

from goto.flow import Field
from goto.upstream.errors import UpstreamError


@mypyc_attr(allow_interpreted_subclasses=True)
class Receiver(ABC):
    """Whoever gets the answer to a request: `on_whole` alone, or the others, of which `on_end` or `on_error` comes exactly once,
    last. `on_interim` may come before.
    """

    __slots__ = ()

    def on_whole(self, status: int, reason: bytes, fields: list[Field], body: bytes) -> None:
        """The answer, where all of it came at once."""
        self.on_head(status, reason, fields, len(body))
        if body:
            self.on_data(body)
        self.on_end()

    def on_interim(self, status: int, reason: bytes, fields: list[Field]) -> None:  # noqa: B027  # most want none
        """An answer of 1xx other than 101: the final one follows."""

    @abstractmethod
    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        """The head; `length` is the body's size in bytes, None where it is chunked or lasts until the end."""

    @abstractmethod
    def on_data(self, data: bytes) -> None: ...

    def on_flush(self) -> None:  # noqa: B027  # not every receiver collects
        """All that came in one read was handed over, and the answer goes on."""

    def on_trailers(self, fields: list[Field]) -> None:  # noqa: B027  # most want none
        """The fields behind a body in chunks, at its end."""

    def on_fin(self) -> None:  # noqa: B027  # most never switch protocols
        """Protocols were switched, and the upstream sends nothing more, but may take more: until `Connection.close`."""

    @abstractmethod
    def on_end(self) -> None: ...

    @abstractmethod
    def on_error(self, error: UpstreamError) -> None: ...
