"""A client target as it is configured: the JSON schema of the seed's chapter "Client Features", checked when it is read."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from math import inf
from typing import Annotated, Any, ClassVar, Literal, NotRequired, TypedDict

import msgspec

from goto.client.checks import MOST_CHECKS, Check
from goto.client.stages import LONGEST, MOST_RATE, MOST_REPLICAS, MOST_STAGES, Course, Stage
from goto.client.variables import Template
from goto.errors import BadInput
from goto.flow import Origin
from goto.http.request_id import REQUEST_ID
from goto.http.targets import has_parameter
from goto.tls.settings import TargetTls
from goto.upstream.target import Reached
from goto.words import Duration, HeaderName, HeaderValue, Name, SentHeaderName, TargetUrl
from goto.words.hosts import HostPort
from goto.words.urls import ProxyUrl

MOST_REQUESTS = 10**15
"""Requests of one replica: far more than can be sent, and yet the sum over all replicas fits 64 bits."""

MOST_URLS = 100_000
"""Further URLs of one target."""

LONGEST_URL = 8 << 10
"""Bytes of one of them."""

MOST_BODY = 64 << 20
"""Bytes of a body that is given in base64."""


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
    requestCount: NotRequired[int]
    """Left out where a duration or stages say when the run ends, and no count does."""
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
    duration: NotRequired[str]
    keepAlive: NotRequired[bool]
    requestsPerConnection: NotRequired[int]
    bodyBase64: NotRequired[str]
    urls: NotRequired[list[str]]
    pick: NotRequired[Literal["random"]]
    variables: NotRequired[bool]
    stages: NotRequired[list[Stage]]
    checks: NotRequired[list[str]]
    connectTo: NotRequired[str]
    proxy: NotRequired[str]
    maxTime: NotRequired[str]
    reconcile: NotRequired[bool]
    gaps: NotRequired[bool]


class ClientTarget(Reached, msgspec.Struct, dict=True):
    """Which request is sent, where to, and how often.

    Two targets are equal when all of their fields are.
    """

    name: Name
    """Another target of this name is replaced, in its place."""
    method: Method
    """Any token, in the letter case in which it is to be sent."""
    url: TargetUrl
    """An http or https URL; its query is sent too."""
    headers: list[tuple[SentHeaderName, HeaderValue]] = msgspec.field(default_factory=list)
    """Sent in this order; `Host` takes the place of the url's."""
    body: str = ""
    """Sent as UTF-8."""
    body_reader: None = msgspec.field(name="bodyReader", default=None)
    """Only ever null: the original's instances send the key."""
    replicas: Annotated[int, msgspec.Meta(ge=0, le=MOST_REPLICAS)] = 1
    """Connections that send in parallel. 0 is what the original's instances send for *not given*: it stands for 1."""
    given_count: Annotated[int, msgspec.Meta(ge=0, le=MOST_REQUESTS)] = msgspec.field(name="requestCount", default=0)
    """Requests of each replica; 0 as with `replicas`, but for a `duration` and `stages`: they need no count."""
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
    duration: Duration = Duration.ZERO
    """Requests are sent for so long, at most seven days. Those in flight then have 10s; after it they count as stopped."""
    keep_alive: bool = msgspec.field(name="keepAlive", default=True)
    """Keep connections for the next request; else each has a connection of its own, and says `Connection: close`."""
    requests_per_connection: Annotated[int, msgspec.Meta(ge=1, le=MOST_REQUESTS)] | None = msgspec.field(
        name="requestsPerConnection", default=None
    )
    """The request of this number on a connection says `Connection: close`, and the next one makes a new connection."""
    body_base64: str = msgspec.field(name="bodyBase64", default="")
    """A body of any bytes, in base64; not with `body`."""
    urls: Annotated[list[TargetUrl], msgspec.Meta(max_length=MOST_URLS)] = msgspec.field(default_factory=list)
    """Further URLs of the origin of `url`: requests go to `url` and to these."""
    pick: Literal["turn", "random"] = "turn"
    """Whether requests go to the URLs in turn, or to one at random."""
    variables: bool = False
    """Fill in `{n}`, `{replica}`, `{uuid}` and `{random:…}` in the path and query of URLs, in header values and in `body`."""
    stages: Annotated[list[Stage], msgspec.Meta(max_length=MOST_STAGES)] = msgspec.field(default_factory=list)
    """One after another, each with a rate or with a number of replicas, which may grow or fall; not with `rate` or `duration`."""
    checks: Annotated[list[Check], msgspec.Meta(max_length=MOST_CHECKS)] = msgspec.field(default_factory=list)
    """An answer for which one of these does not hold counts as a failure too."""
    connect_to: HostPort | None = msgspec.field(name="connectTo", default=None)
    """Where connections are made, in place of the host and port of the URL. `Host` and the certificate stay those of the URL."""
    proxy: ProxyUrl | None = None
    """An http proxy to send through: to an https url by a tunnel; not with `connectTo`. The environment's are never used."""
    max_time: Duration = msgspec.field(name="maxTime", default=Duration.ZERO)
    """From sending a request to the last byte of its answer. 0 stands for no limit."""
    reconcile: bool = False
    """As `sendId`, with ids that say which run a request is of and which number it is, to be joined with what arrived."""
    gaps: bool = False
    """With `reconcile`: the server's side keeps the times between tries of one id too."""

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
        if self.given_count == 1 and not self.seconds:
            self.given_count = 0  # what it is anyway
        if self.rate is not None and self.delay:
            raise BadInput("rate: cannot be given together with delay: both say when requests are sent")
        if self.requests_per_connection is not None and not self.keep_alive:
            raise BadInput("requestsPerConnection: cannot be given together with keepAlive false")
        if self.duration > LONGEST:
            raise BadInput(f"duration: {self.duration} is more than {LONGEST}, which is the limit")
        if self.proxy is not None and self.connect_to is not None:
            raise BadInput("proxy: cannot be given together with connectTo: both say where to connect")
        self._check_body()
        self._check_stages()
        self._check_urls()
        self._check_variables()
        self._check_ids()

    def _check_body(self) -> None:
        if not self.body_base64:
            return
        if self.body:
            raise BadInput("body: cannot be given together with bodyBase64")
        try:
            size = len(b64decode(self.body_base64, validate=True))
        except (NotBase64, ValueError):
            raise BadInput("bodyBase64: not base64") from None
        if size > MOST_BODY:
            raise BadInput(f"bodyBase64: {size:,} bytes are more than {MOST_BODY:,}, which is the limit")

    def _check_stages(self) -> None:
        if not self.stages:
            return
        if self.rate is not None:
            raise BadInput("stages: cannot be given together with rate")
        if self.duration:
            raise BadInput("duration: cannot be given together with stages")
        rated = {stage.rate is not None for stage in self.stages}
        if len(rated) > 1:
            raise BadInput("stages: some have a rate and some have replicas: all of a target have the same of the two")
        if (crew := self.crew) is not None and crew.peak < 1:
            raise BadInput("stages: none has a replica: give one of them more than 0")
        if self.delay and True in rated:
            raise BadInput("stages: with a rate cannot be given together with delay: both say when requests are sent")

    def _check_urls(self) -> None:
        if not self.urls:
            return
        first = _place(self.url)
        for number, url in enumerate(self.urls):
            if len(url.encode()) > LONGEST_URL:
                raise BadInput(f"urls[{number}]: has more than {LONGEST_URL:,} bytes, which is the limit")
            if _place(url) != first:
                raise BadInput(f"urls[{number}]: another origin than url: make it a target of its own")

    def _check_variables(self) -> None:
        if not self.variables:
            return
        urls = ((f"urls[{number}]", url) for number, url in enumerate(self.urls))
        for field, text in (("url", self.url), *urls, *(("headers", value) for _, value in self.headers), ("body", self.body)):
            try:
                Template(text)
            except ValueError as error:
                raise BadInput(f"{field}: {error}") from None

    def _check_ids(self) -> None:
        if self.gaps and not self.reconcile:
            raise BadInput("gaps: cannot be given without reconcile")
        if self.reconcile:
            urls = ((f"urls[{number}]", url) for number, url in enumerate(self.urls))
            for field, url in (("url", self.url), *urls):
                if has_parameter(url.partition("?")[2], REQUEST_ID):
                    raise BadInput(f"{field}: has a parameter {REQUEST_ID}, which reconcile adds: leave it out")

    @property
    def request_count(self) -> int:
        """Requests of each replica; 0 for any number, where a duration or stages end the run."""
        return self.given_count or (0 if self.seconds else 1)

    @property
    def course(self) -> Course | None:
        """The rate at which its requests become due, over the time of a run; None where replicas send as they can."""
        if self.stages:
            return Course.of(self.stages) if self.stages[0].rate is not None else None
        return None if self.rate is None else Course.constant(self.rate, self.duration.seconds or inf)

    @property
    def seconds(self) -> float:
        """For how long it sends; 0 where only a count ends a run."""
        return Course.of(self.stages).end if self.stages else self.duration.seconds

    @property
    def crew(self) -> Course | None:
        """How many replicas send at a time, where stages say it."""
        return Course.of(self.stages) if self.stages and self.stages[0].replicas is not None else None

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
        if not self.request_count:
            del wire["requestCount"]
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
        given = {
            "duration": _text(self.duration),
            "requestsPerConnection": self.requests_per_connection,
            "bodyBase64": self.body_base64,
            "urls": [str(url) for url in self.urls],
            "variables": self.variables,
            "stages": msgspec.to_builtins(self.stages, enc_hook=str),
            "checks": [str(check) for check in self.checks],
            "connectTo": self.connect_to and str(self.connect_to),
            "proxy": self.proxy and str(self.proxy),
            "maxTime": _text(self.max_time),
            "reconcile": self.reconcile,
            "gaps": self.gaps,
        }
        shown = {key: value for key, value in given.items() if value}
        wire.update(shown)  # type: ignore[typeddict-item]  # its keys are those of `given`
        if not self.keep_alive:
            wire["keepAlive"] = False
        if self.pick == "random":
            wire["pick"] = "random"
        return wire


def _place(url: str) -> tuple[str, str, int]:
    """The scheme, host and port of a URL."""
    origin = Origin.of(url)
    return origin.scheme, origin.host.lower(), origin.port


def _text(duration: Duration) -> str:
    return str(duration) if duration else ""
