"""What tests of configurations share: an instance that serves on no socket, documents and states made up by hypothesis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st

from goto.config.document import Document, read
from goto.config.dump import data_of
from goto.config.errors import ConfigError
from goto.config.keys import Keys
from goto.config.loader import load
from goto.config.node import Mapping, Node, Scalar
from goto.config.node import Sequence as Items
from goto.feature import Feature
from goto.features import FEATURES
from goto.flow import Headers, Request, Response
from goto.instance.wiring import Instance, config_keys
from goto.traffic.listener import Listener

T = TypeVar("T")
FIRST = 8080


class Carrier:
    """Carries nothing; refuses the ports that it is told to."""

    protocols: ClassVar[tuple[str, ...]] = ("http", "https")
    elsewhere: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.refused: set[int] = set()
        self.open_ports: set[int] = set()

    async def open(self, listener: Listener) -> None:
        if listener.port in self.refused:
            raise OSError(98, "Address already in use")
        self.open_ports.add(listener.port)

    async def close(self, listener: Listener) -> None:
        self.open_ports.discard(listener.port)


class Lab:
    """An instance with a first listener, and its configuration."""

    def __init__(self, features: Sequence[type[Feature]] = FEATURES) -> None:
        self.carrier = Carrier()
        self.instance = Instance(self.carrier, features)
        self.first = self.instance.listeners.adopt(FIRST, "")
        self.carrier.open_ports.add(FIRST)
        self.config = self.instance.config

    async def call(self, method: str, path: str, body: bytes | str = b"", headers: dict[str, str] | None = None) -> Response:
        """A management call through the first listener."""
        fields = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        request = Request(method, path, Headers(fields))
        found = self.instance.management.find(self.first, request)
        assert found is not None, f"{path} is no route"
        served = await self.instance.management.serve(found, request, body.encode() if isinstance(body, str) else body)
        assert isinstance(served, Response)
        return served

    async def api(self, path: str, body: bytes | str = b"", method: str = "POST") -> str:
        """One that must succeed; its text."""
        answer = await self.call(method, path, body)
        assert answer.status in (200, 202), answer.body.decode()
        return answer.body.decode()

    async def post(self, text: str | bytes, *, replace: bool = False) -> Response:
        return await self.call("POST", "/goto/config" + ("?replace=y" if replace else ""), text)

    async def apply(self, old: str, new: str) -> list[str]:
        """The difference between two documents, as a reload makes it."""
        return await self.config._applier().apply(document(old), document(new))

    async def text(self) -> bytes:
        return (await self.call("GET", "/goto/config")).body

    def state(self) -> dict[str, Any]:
        return data_of(self.config._applier().present(), self.keys)

    @property
    def keys(self) -> Keys:
        return config_keys(self.instance.features)

    def feature(self, name: str, port: int = FIRST) -> Any:
        listener = self.instance.listeners.by_port[port]
        return next(feature for feature in listener.features if feature.name == name)


def in_lab(test: Callable[..., Awaitable[T]], *args: Any, features: Sequence[type[Feature]] = FEATURES) -> T:
    """Run a test with a lab, which ends with it."""

    async def run() -> T:
        lab = Lab(features)
        try:
            return await test(lab, *args)
        finally:
            await lab.instance.stop()

    return asyncio.run(run())


def document(text: str | bytes, features: Sequence[type[Feature]] = FEATURES) -> Document:
    return read(load(text.encode() if isinstance(text, str) else text, "goto.yaml"), config_keys(features))


def problems(text: str | bytes) -> list[str]:
    """What is wrong with a document, `line:column: key: reason` each; none if it is right."""
    try:
        document(text)
    except ConfigError as error:
        return [str(problem).removeprefix("goto.yaml:") for problem in error.problems]
    return []


def data(node: Node) -> Any:
    """A node as the plain data that it stands for."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [data(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {key: data(value) for key, _, value in node}


# ---------------------------------------------------------------- states, as documents in plain data
line = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
names = line.filter(lambda text: text.strip() and "," not in text)
labels = st.one_of(line.map(str.strip).filter(bool), st.sampled_from(["off", "8080", "1e3", "0o17", "~", "true", "503:2", "- a"]))
header_names = st.from_regex(r"\A[a-z][a-z0-9-]{0,8}\Z").filter(
    lambda name: name not in ("connection", "upgrade", "te", "trailer", "content-length", "transfer-encoding", "all")
)
header_values = line.map(str.strip)
counts = st.integers(1, 99)
durations = st.integers(1, 10**13).map(str).map(lambda n: f"{n}ns")
pairs = st.lists(st.tuples(header_names.map(lambda n: f"x-{n}"), header_values).map(list), max_size=3)
unique_headers = st.lists(header_names, max_size=4, unique=True)
urls = st.sampled_from(["http://127.0.0.1:9000", "https://upstream.test/base/?a=1", "http://[::1]:81/"])
bypass_uris = st.lists(st.sampled_from(["/live", "/a/{x}", "/a?b=1", "/Ä", "/off", "/503:2"]), max_size=4, unique=True)


def given(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A map with any of these keys."""
    return st.fixed_dictionaries({}, optional=keys)


def named(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    item = st.fixed_dictionaries({"name": names, **required}, optional=optional)
    return st.lists(item, max_size=3, unique_by=lambda target: target["name"])


proxy_targets = named(
    {"url": urls},
    match=given(uris=st.just(["/a/{x}", "/"]), headers=st.just([["x", "{v}"], ["y"]]), query=st.just([["q", "1"]])),
    sendId=st.booleans(),
    replaceURI=st.just("/b/{x}"),
    addHeaders=pairs,
    removeHeaders=unique_headers,
    addQuery=st.just([["a", "{x}"]]),
    replicas=counts,
    enabled=st.booleans(),
    requestTimeout=durations,
    verifyTLS=st.booleans(),
)
client_targets = named(
    {"url": urls, "method": st.sampled_from(["GET", "POST", "off"])},
    headers=pairs,
    body=st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    replicas=counts,
    requestCount=counts,
    delay=durations,
    sendId=st.booleans(),
    http2=st.booleans(),
)
tracks = st.one_of(st.just("all"), unique_headers, unique_headers.map(lambda names: ["all", *names]))
listener_settings: dict[str, st.SearchStrategy[Any]] = {
    "label": labels,
    "response": given(
        delay=st.one_of(durations, st.builds("{}:{}".format, durations, counts)),
        headers=pairs,
        status=st.one_of(st.integers(200, 599), st.builds("{}:{}".format, st.integers(200, 599), counts)),
    ),
    "request": given(
        headers=given(track=unique_headers),
        timeout=given(track=tracks),
        uri=given(bypass=given(uris=bypass_uris, status=st.integers(200, 599))),
        proxy=given(targets=proxy_targets),
    ),
    "client": given(track=given(headers=unique_headers), targets=client_targets, reporting=st.booleans()),
}
listeners = st.lists(
    st.fixed_dictionaries(
        {"port": st.integers(1, 65535).filter(lambda port: port != FIRST)},
        optional={
            **listener_settings,
            "open": st.booleans(),
            "protocol": st.just("http"),
        },
    ),
    max_size=2,
    unique_by=lambda item: item["port"],
)
peers = st.lists(
    st.fixed_dictionaries({"name": labels, "address": st.sampled_from(["10.255.0.7:80", "[::1]:9", "worker.invalid:8080"])}),
    max_size=3,
    unique_by=lambda peer: (peer["name"].strip(), peer["address"]),
)
documents = given(
    **listener_settings,
    listeners=listeners,
    registry=given(targets=st.dictionaries(labels, client_targets.filter(bool), max_size=2)),
)
"""Without peers, whom goto would push to."""
