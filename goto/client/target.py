"""A client target as it is configured: the JSON schema of the seed's chapter "Client Features", checked when it is read."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, NotRequired, TypedDict

import msgspec

from goto.errors import BadInput
from goto.tls.settings import TargetTls
from goto.upstream.target import Reached
from goto.words import Duration, HeaderName, HeaderValue, Name, SentHeaderName, TargetUrl

MOST_REPLICAS = 10_000
"""Requests of one target that may be under way at a time, per run."""

MOST_REQUESTS = 10**15
"""Requests of one replica: far more than can be sent, and yet the sum over all replicas fits 64 bits."""

MOST_RATE = 1_000_000.0
"""Requests a second."""


class Method(str):
    """A request method: any token, sent in the letter case it is written in (RFC 9110, 9.1)."""

    schema: ClassVar[dict[str, Any]] = {**HeaderName.schema, "examples": ["GET"]}

    @classmethod
    def parse(cls, text: str) -> Method:
        try:
            return cls(HeaderName.parse(text))
        except ValueError:
            raise ValueError(f"{text!r} is not a valid method: write it like GET or PURGE") from None


class CompleteTarget(TypedDict):
    """A client target as it is listed and handed out; "" stands for a duration that is not given."""

    name: str
    method: str
    url: str
    headers: list[list[str]]
    body: str
    bodyReader: None
    replicas: int
    requestCount: int
    delay: str
    requestTimeout: str
    connTimeout: str
    connIdleTimeout: str
    sendId: bool
    autoInvoke: bool
    rate: NotRequired[float]
    verifyTLS: NotRequired[bool]
    tls: NotRequired[TargetTls]
    http2: NotRequired[bool]
    addresses: NotRequired[Literal["first"]]


class ClientTarget(Reached, msgspec.Struct, dict=True):
    """Which request is sent, where to, and how often.

    Two targets are equal when all of their fields are.
    """

    name: Name
    """Another target of this name is replaced, in its place."""
    method: Method
    url: TargetUrl
    headers: list[tuple[SentHeaderName, HeaderValue]] = msgspec.field(default_factory=list)
    """Sent in this order; `Host` takes the place of the url's."""
    body: str = ""
    body_reader: None = msgspec.field(name="bodyReader", default=None)
    """Only ever null: the original's instances send the key."""
    replicas: Annotated[int, msgspec.Meta(ge=0, le=MOST_REPLICAS)] = 1
    """Connections that send in parallel. 0 is what the original's instances send for *not given*: it stands for 1."""
    request_count: Annotated[int, msgspec.Meta(ge=0, le=MOST_REQUESTS)] = msgspec.field(name="requestCount", default=1)
    """Requests of each replica; 0 as with `replicas`."""
    delay: Duration = Duration.ZERO
    """Waited after each round; the largest of the targets invoked together holds for all of them."""
    rate: Annotated[float, msgspec.Meta(gt=0, le=MOST_RATE)] | None = None
    """Requests a second that become due, over all replicas, whether or not earlier ones are answered. Not with `delay`."""
    send_id: bool = msgspec.field(name="sendId", default=False)
    """Add a parameter `x-request-id` with a fresh id to each request, unless the url has one."""
    request_timeout: Duration = msgspec.field(name="requestTimeout", default=Duration.ZERO)
    """From the last byte of a request to the head of its response; a body may then pause as long. 0 stands for 30s."""
    conn_timeout: Duration = msgspec.field(name="connTimeout", default=Duration.ZERO)
    """For making a connection. 0 stands for 30s."""
    conn_idle_timeout: Duration = msgspec.field(name="connIdleTimeout", default=Duration.ZERO)
    """A kept connection that was idle for longer is not used again. 0 stands for no limit."""
    auto_invoke: bool = msgspec.field(name="autoInvoke", default=False)
    """Invoke the target when it is received."""
    verify_tls: bool = msgspec.field(name="verifyTLS", default=True)
    """Check the certificate of an https url."""
    tls: TargetTls | None = None
    """For an https url: what to trust and what to show."""
    http2: bool = False
    """Accepted and without effect: goto's client speaks HTTP/1.1."""
    addresses: Literal["all", "first"] = "all"
    """Whether connections go round all addresses of the host, or each begins with the first one."""

    example: ClassVar[dict[str, Any]] = {
        "name": "t1",
        "method": "POST",
        "url": "http://localhost:8081/orders",
        "headers": [["x", "x1"]],
        "body": '{"item": 1}',
        "replicas": 2,
        "requestCount": 100,
        "delay": "20ms",
    }

    def __post_init__(self) -> None:
        for field, text in (("url", self.url), ("body", self.body), *(("headers", value) for _, value in self.headers)):
            try:
                text.encode()
            except UnicodeEncodeError:
                raise BadInput(f"{field}: half of a surrogate pair is not a character: write both halves") from None
        if sum(name.lower() == "host" for name, _ in self.headers) > 1:
            raise BadInput("headers: Host is there twice, and a request has one (RFC 9112, 3.2): leave one out")
        self.replicas = self.replicas or 1
        self.request_count = self.request_count or 1
        if self.rate is not None and self.delay:
            raise BadInput("rate: cannot be given together with delay: both say when requests are sent")

    def complete(self) -> CompleteTarget:
        """The target for other instances and for whoever lists them, in JSON's own types.

        Every key the original knows is there and typed as it reads it: counts of at least 1, durations as text with "" for
        *not given*, headers as a list of pairs. Its key for `sendId` is `sendID`; both sides read keys in any letter case.
        What only goto knows is left out where it is the default.
        """
        wire: CompleteTarget = {
            "name": str(self.name),
            "method": str(self.method),
            "url": str(self.url),
            "headers": [[str(name), str(value)] for name, value in self.headers],
            "body": self.body,
            "bodyReader": None,
            "replicas": self.replicas,
            "requestCount": self.request_count,
            "delay": _text(self.delay),
            "requestTimeout": _text(self.request_timeout),
            "connTimeout": _text(self.conn_timeout),
            "connIdleTimeout": _text(self.conn_idle_timeout),
            "sendId": self.send_id,
            "autoInvoke": self.auto_invoke,
        }
        if self.rate is not None:
            wire["rate"] = self.rate
        if not self.verify_tls:
            wire["verifyTLS"] = False
        if self.tls is not None:
            wire["tls"] = msgspec.to_builtins(self.tls, enc_hook=str)
        if self.http2:
            wire["http2"] = True
        if self.addresses == "first":
            wire["addresses"] = "first"
        return wire


def _text(duration: Duration) -> str:
    return str(duration) if duration else ""
