"""A proxy target as it is configured: the JSON schema of the seed's chapter "Proxy Features", all checked on the way in."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, ClassVar

import msgspec

from goto.call import DEFAULT_TIMEOUT, Origin
from goto.duration import Duration
from goto.errors import BadInput
from goto.templates import ANY_VALUE, Template, parse
from goto.tls.settings import TargetTls, of_target
from goto.words import HeaderName, HeaderValue, Name, SentHeaderName, TargetUrl, one_line

MOST_REPLICAS = 1_000
"""Calls that one request may make to one target."""

_DEFAULT_TIMEOUT = Duration(DEFAULT_TIMEOUT * 1_000_000_000)


class ReplaceURI(str):
    """A path, and a query where wanted, with variables: `/abc/{y}/def/{x:.*}`."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["/abc/{y}/def/{x}"]}

    @classmethod
    def parse(cls, text: str) -> ReplaceURI:
        if any("#" in part for part in parse(one_line(text)) if isinstance(part, str)):
            raise ValueError("a fragment is never sent: leave it out")
        return cls(text)


class UriTemplate(str):
    """A whole path to match, without a query: `/foo/{x}/bar/{y:[0-9]+}`; `/` matches all traffic."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^/", "examples": ["/foo/{x}/bar/{y:[0-9]+}"]}

    @classmethod
    def parse(cls, text: str) -> UriTemplate:
        if not text.startswith("/"):
            raise ValueError(f"{text!r} does not start with a slash")
        pattern = Template.parse(one_line(text))
        if any("?" in part for part in pattern.parts if isinstance(part, str)):
            raise ValueError("a URI is matched without its query: name parameters in match.query")
        return cls(text)


class HeaderText(str):
    """A header value with variables."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["{x}"]}

    @classmethod
    def parse(cls, text: str) -> HeaderText:
        value = HeaderValue.parse(text)
        parse(value)
        return cls(value)


class QueryName(str):
    """The name of a query parameter, decoded."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["page"]}

    @classmethod
    def parse(cls, text: str) -> QueryName:
        if not one_line(text):
            raise ValueError("a parameter has a name")
        return cls(text)


class QueryText(str):
    """The value of a query parameter, decoded, with variables."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["{x}"]}

    @classmethod
    def parse(cls, text: str) -> QueryText:
        parse(one_line(text))
        return cls(text)


NameAndValue = Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)]
"""`[name]`, `[name, value]` or `[name, "{x}"]`; an empty value is the same as none."""


class Criteria(msgspec.Struct):
    """What triggers a target: any one of these. Without any, it can only be invoked by hand."""

    headers: list[NameAndValue] = msgspec.field(default_factory=list)
    """`[name]` where it is there, `[name, value]`, or `[name, "{x}"]` to capture its value."""
    uris: list[UriTemplate] = msgspec.field(default_factory=list)
    """Whole paths."""
    query: list[NameAndValue] = msgspec.field(default_factory=list)
    """As headers, for parameters; names compare exactly."""

    def __post_init__(self) -> None:
        for index, pair in enumerate(self.headers):
            _check(f"match.headers[{index}]", pair, HeaderName, HeaderText)
        for index, pair in enumerate(self.query):
            _check(f"match.query[{index}]", pair, QueryName, QueryText)

    def __bool__(self) -> bool:
        return bool(self.headers or self.uris or self.query)


def _check(where: str, pair: list[str], name: type[HeaderName | QueryName], value: type[HeaderText | QueryText]) -> None:
    try:
        pair[0] = name.parse(pair[0])
        if len(pair) > 1:
            pair[1] = value.parse(pair[1])
            Template.parse(pair[1], ANY_VALUE)
    except ValueError as error:
        raise BadInput(f"{where}: {error}") from None


class ProxyTarget(msgspec.Struct, dict=True):
    """Where matching requests are sent, and how they are changed on the way."""

    name: Name
    """Another target of this name is replaced, in its place."""
    url: TargetUrl
    """The request's URI, or `replaceURI`, is appended to its path."""
    send_id: bool = msgspec.field(name="sendId", default=False)
    """Add a parameter `x-request-id` with a fresh id, unless there is one."""
    replace_uri: ReplaceURI = msgspec.field(name="replaceURI", default=ReplaceURI(""))
    """Sent instead of the request's path; empty for that one."""
    add_headers: list[tuple[SentHeaderName, HeaderText]] = msgspec.field(name="addHeaders", default_factory=list)
    """A name and a value each, `["z", "{x}"]`; one whose variable has no capture is left out."""
    remove_headers: list[HeaderName] = msgspec.field(name="removeHeaders", default_factory=list)
    """Taken from the original request, in any letter case, before `addHeaders` are added."""
    add_query: list[tuple[QueryName, QueryText]] = msgspec.field(name="addQuery", default_factory=list)
    """As addHeaders, for parameters."""
    remove_query: list[QueryName] = msgspec.field(name="removeQuery", default_factory=list)
    """Taken from the original request; names compare exactly."""
    match: Criteria = msgspec.field(default_factory=Criteria)
    """What triggers the target: any one of its criteria."""
    replicas: Annotated[int, msgspec.Meta(ge=1, le=MOST_REPLICAS)] = 1
    """Calls made for each request, in parallel."""
    enabled: bool = True
    """Whether traffic can trigger it."""
    request_timeout: Duration = msgspec.field(name="requestTimeout", default=_DEFAULT_TIMEOUT)
    """From the last byte of the request to the head of the response; 0 stands for the default, 30s."""
    verify_tls: bool = msgspec.field(name="verifyTLS", default=True)
    """Check the certificate of an https url."""
    tls: TargetTls | None = None
    """For an https url: what to trust and what to show."""

    example: ClassVar[dict[str, Any]] = {
        "name": "t1",
        "url": "http://localhost:8081",
        "match": {"uris": ["/shop/{shop}/item/{item}"]},
        "replaceURI": "/items/{item}/of/{shop}",
        "addHeaders": [["x-shop", "{shop}"]],
    }

    @cached_property
    def origin(self) -> Origin:
        """Where the url's connections go. Files of `tls` are read at the first look; raises `ApiError` where they will not do."""
        return Origin.of(self.url, of_target(self.url, self.tls, verify=self.verify_tls))

    @property
    def timeout(self) -> float:
        """`request_timeout` in seconds."""
        return self.request_timeout.seconds or DEFAULT_TIMEOUT
