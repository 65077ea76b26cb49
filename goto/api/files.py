"""The files of goto's own pages, as browsers get them: cached by entity tag, and let do nothing but what the pages need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from goto.flow import Request, Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page may load (Content Security Policy Level 3): its own files, and what it asks this goto."""

MEDIA = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
}
"""By how a name ends."""


class File(NamedTuple):
    """A file that comes along with goto."""

    folder: str
    """Below goto/api."""
    name: str

    @property
    def media(self) -> str:
        return MEDIA[self.name.rpartition(".")[2]]

    def read(self) -> bytes:
        from importlib import resources  # by most processes never

        return resources.files("goto.api").joinpath(self.folder, self.name).read_bytes()


class Files:
    """The files of a page, by the names that they are asked for by."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self._files = files
        self._tags: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def answer(self, name: str, request: Request) -> Response:
        """The answer with one of them. Raises KeyError."""
        file = self._files[name]
        if name not in self._tags:
            self._tags[name] = entity_tag(file.read())
        response = cached(request, self._tags[name], file.media, file.read)
        response.headers.add("Content-Security-Policy", POLICY)
        response.headers.add("X-Content-Type-Options", "nosniff")
        response.headers.add("Referrer-Policy", "no-referrer")
        return response


def entity_tag(data: bytes) -> str:
    """A tag that is another one for other bytes (RFC 9110, 8.8.3)."""
    from hashlib import blake2b  # with OpenSSL

    return f'"{blake2b(data, digest_size=12).hexdigest()}"'


def cached(request: Request, tag: str, media: str, read: Callable[[], bytes]) -> Response:
    """What a client has already is not sent again (RFC 9110, 13.1.2)."""
    known = [word.strip().removeprefix("W/") for value in request.headers.get_all("if-none-match") for word in value.split(",")]
    if tag in known or "*" in known:
        response = Response(304)
    else:
        response = Response(200, read())
        response.headers.add("Content-Type", media)
    response.headers.add("ETag", tag)
    response.headers.add("Cache-Control", "no-cache")
    return response
