"""URLs of targets."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes, urlsplit

from goto.words.hosts import lookup_host
from goto.words.names import one_line


def http_url(text: str) -> str:
    """The text itself, an absolute http or https URL with a host. Raises ValueError with the reason when it is not one."""
    one_line(text)
    if re.search(r"\s", text):
        raise ValueError("a URL must not contain a space: write %20")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{text!r} is not an http or https URL: write it like http://host:8080/path")
    if parts.netloc.count(":") > 1 and "[" not in parts.netloc and "@" not in parts.netloc:
        raise ValueError(f"{text!r} has an IPv6 address without brackets: write it like http://[::1]:8080/path")
    if not parts.hostname:
        raise ValueError(f"{text!r} has no host: write it like http://host:8080/path")
    lookup_host(parts.hostname)
    if parts.username is not None:
        raise ValueError("a URL with a user name is not supported: set an Authorization header")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"{text!r} has a port that is not from 1 to 65535")
    return text


def with_scheme(text: str) -> str:
    """A URL as commands take it: without a scheme it is one of http."""
    return text if _SCHEME.match(text) else f"http://{text}"


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class TargetUrl(str):
    """An http or https URL, which may have a path and a query, but no fragment."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "format": "uri", "examples": ["http://somewhere:8080/some/path?a=1"]}

    @classmethod
    def parse(cls, text: str) -> TargetUrl:
        http_url(text)
        if "#" in text:
            raise ValueError("a fragment is never sent: leave it out")
        return cls(text)


class ProxyUrl(str):
    """The URL of an http proxy, `http://proxy:3128`, maybe with who asks, `http://name:password@proxy:3128`."""

    host: str
    """As it is looked up: without brackets."""
    port: int
    """80 where none is written."""
    authorization: str
    """The value of `Proxy-Authorization` (RFC 7617); empty where the URL names nobody."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "format": "uri", "examples": ["http://proxy:3128"]}

    @classmethod
    def parse(cls, text: str) -> ProxyUrl:
        scheme, _, rest = one_line(text).strip().partition("://")
        who, at, place = rest.rpartition("@")
        if scheme.lower() != "http" or re.search("[/?#]", place.removesuffix("/")):
            raise ValueError(f"{text!r} is not an http proxy: write it like http://proxy:3128")
        parts = urlsplit(http_url(f"http://{place}"))
        made = cls(f"http://{rest}")
        # plain types: uvloop takes no others
        made.host, made.port = lookup_host(parts.hostname or ""), parts.port or 80
        name, _, password = who.partition(":")
        named = b"%b:%b" % (unquote_to_bytes(name), unquote_to_bytes(password))
        made.authorization = f"Basic {b64encode(named).decode()}" if at else ""
        return made
