"""Configuration documents made up by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from support.lab import FIRST

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
