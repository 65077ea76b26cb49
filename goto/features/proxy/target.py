"""A proxy target as it is configured (seed: Proxy Features). Everything is checked when it is read."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from goto.exchange.call import DEFAULT_TIMEOUT
from goto.matching.criteria import Criteria, HeaderText, QueryName, QueryText
from goto.matching.templates import parse_template
from goto.matching.when import When
from goto.tls.settings import TargetTls
from goto.upstream.target import Reached
from goto.words import Duration, Name, SentHeaderName, TargetUrl, one_line
from goto.words.headers import RemovedHeaderName

MOST_REPLICAS = 1_000
"""Calls that one request may make to one target."""

_DEFAULT_TIMEOUT = Duration(DEFAULT_TIMEOUT * 1_000_000_000)


class ReplaceURI(str):
    """A path, which may have a query, with variables: `/abc/{y}/def/{x:.*}`."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["/abc/{y}/def/{x}"]}

    @classmethod
    def parse(cls, text: str) -> ReplaceURI:
        if any("#" in piece for piece in parse_template(one_line(text)) if isinstance(piece, str)):
            raise ValueError("a fragment is never sent: leave it out")
        return cls(text)


class ProxyTarget(Reached, msgspec.Struct, dict=True):
    """Where matching requests are sent, and how they are changed on the way."""

    name: Name
    """A target of the same name is replaced, in its place."""
    url: TargetUrl
    """The request's URI, or `replaceURI`, is appended to its path."""
    send_id: bool = msgspec.field(name="sendId", default=False)
    """Add a query parameter `x-request-id` with a unique id, unless there is one."""
    replace_uri: ReplaceURI = msgspec.field(name="replaceURI", default=ReplaceURI(""))
    """Sent instead of the path of the request; empty to keep that path."""
    add_headers: list[tuple[SentHeaderName, HeaderText]] = msgspec.field(name="addHeaders", default_factory=list)
    """Pairs of a name and a value, `["z", "{x}"]`. A header whose variable has no capture is left out."""
    remove_headers: list[RemovedHeaderName] = msgspec.field(name="removeHeaders", default_factory=list)
    """Headers of the request that are not sent on, in any letter case. They are removed before `addHeaders` are added."""
    add_query: list[tuple[QueryName, QueryText]] = msgspec.field(name="addQuery", default_factory=list)
    """As `addHeaders`, for query parameters."""
    remove_query: list[QueryName] = msgspec.field(name="removeQuery", default_factory=list)
    """Query parameters of the request that are not sent on; their names compare exactly."""
    match: Criteria = msgspec.field(default_factory=Criteria)
    """What triggers the target: any one of its criteria."""
    when: When | None = None
    """What triggers the target, instead of `match`: all of its criteria together; `{}` is all traffic."""
    unless: When | None = None
    """Beside `when`: what does not trigger it, though `when` holds."""
    replicas: Annotated[int, msgspec.Meta(ge=1, le=MOST_REPLICAS)] = 1
    """Calls made for each request, in parallel."""
    enabled: bool = True
    """Whether traffic can trigger it."""
    fallback: bool = False
    """Triggered only by what triggers no target without this."""
    request_timeout: Duration = msgspec.field(name="requestTimeout", default=_DEFAULT_TIMEOUT)
    """How long to wait for the head of the response after the last byte of the request; 0 stands for the default, 30s."""
    body_timeout: Duration | None = msgspec.field(name="bodyTimeout", default=None)
    """How long the body of the response may pause, 1m if not given; 0 for ever, as event streams and
    `multipart/x-mixed-replace` of a single call may where it is not given."""
    verify_tls: bool = msgspec.field(name="verifyTLS", default=True)
    """Check the certificate of an https url."""
    tls: TargetTls | None = None
    """For an https url: what to trust and what to show."""

    def __post_init__(self) -> None:
        if self.match and self.when is not None:
            raise ValueError("match: cannot be given together with when")
        if self.unless is not None and self.when is None:
            raise ValueError("unless: stands beside when alone")
        if self.unless is not None and not self.unless:
            raise ValueError("unless: nothing would be left: give it a criterion")

    example: ClassVar[dict[str, Any]] = {
        "name": "t1",
        "url": "http://localhost:8081",
        "match": {"uris": ["/shop/{shop}/item/{item}"]},
        "replaceURI": "/items/{item}/of/{shop}",
        "addHeaders": [["x-shop", "{shop}"]],
    }
