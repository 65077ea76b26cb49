"""The options of `goto send` as client targets."""

from __future__ import annotations

import argparse
import sys
from base64 import b64encode
from collections.abc import Container
from pathlib import Path
from typing import Any

from goto.client.stages import stage_of
from goto.client.target import ClientTarget
from goto.errors import ApiError, BadInput
from goto.tls.settings import as_option
from goto.words.failures import system_reason
from goto.words.names import MOST_BYTES
from goto.words.reading import read_struct
from goto.words.unseen import escaped
from goto.words.urls import with_scheme

OPTIONS = {
    "method": "-m",
    "headers": "-H",
    "body": "-d",
    "bodyBase64": "-d",
    "replicas": "-c",
    "delay": "--delay",
    "rate": "--rate",
    "duration": "--duration",
    "stages": "--stage",
    "keepAlive": "--no-keep-alive",
    "requestsPerConnection": "--requests-per-connection",
    "urls": "--urls",
    "pick": "--pick",
    "variables": "--variables",
    "checks": "--check",
    "connectTo": "--connect-to",
    "proxy": "--proxy",
    "addresses": "--addresses",
    "reconcile": "--reconcile",
    "gaps": "--gaps",
    "requestTimeout": "--timeout",
    "connTimeout": "--connect-timeout",
    "maxTime": "--max-time",
    "tls.ca": "--cacert",
    "tls.cert": "--cert",
    "tls.key": "--key",
}
"""The command-line options of fields, for messages."""

LONGEST_NAME = MOST_BYTES - 20
"""Bytes of a URL that a target is named by; what follows has room for a number."""


def targets_of(options: argparse.Namespace) -> list[ClientTarget]:
    """A target for each URL, named as it is. Raises `BadInput`, which names the option that is wrong."""
    try:
        return _targets(options)
    except ApiError as error:
        raise BadInput(as_option(error.message, OPTIONS)) from None


def _targets(options: argparse.Namespace) -> list[ClientTarget]:
    headers = [_header(text) for text in options.header]
    # as curl has it: this is what the server is told
    closing = [header for header in headers if (header[0].lower(), header[1].lower()) == ("connection", "close")]
    document: dict[str, Any] = {
        "method": options.method or ("GET" if options.data is None else "POST"),
        "headers": [header for header in headers if header not in closing],
        **_body(options.data, variables=options.variables),
        "replicas": options.replicas,
        "delay": options.delay,
        "rate": options.rate,
        "duration": options.duration,
        "stages": [_stage(text) for text in options.stage],
        "keepAlive": not (options.no_keep_alive or closing),
        "requestsPerConnection": options.requests_per_connection,
        "urls": _further(options.urls),
        "pick": options.pick,
        "variables": options.variables,
        "checks": options.check,
        "connectTo": options.connect_to,
        "proxy": options.proxy and with_scheme(options.proxy),
        "sendId": options.send_id,
        "requestTimeout": options.timeout,
        "connTimeout": options.connect_timeout,
        "maxTime": options.max_time,
        "verifyTLS": not options.insecure,
        "addresses": options.addresses,
        "reconcile": options.reconcile is not None,
        "gaps": options.gaps,
    }
    # as in curl, these options are ignored where the url is not https
    tls = (
        {"ca": options.cacert, "cert": options.cert, "key": options.key}
        if options.cacert or options.cert or options.key
        else None
    )
    targets: dict[str, ClientTarget] = {}
    for url in map(with_scheme, options.places):
        name = _name_of(url, targets)
        secure = {"tls": tls} if url.lower().startswith("https:") else {}
        target = targets[name] = read_struct({**document, **secure, "name": name, "url": url}, ClientTarget)[0]
        if options.timeout and not target.request_timeout:
            # as a field it is what the original's instances send for *not given*
            raise BadInput(f"requestTimeout: {options.timeout!r} is no time to answer in: write more, or leave it out for 30s")
        _ = target.origin  # reads the files
    return list(targets.values())


def _name_of(url: str, others: Container[str]) -> str:
    """What the target of a URL is called: the URL as far as it may be a name, with a number where that is taken."""
    name = escaped(url).replace(",", "%2C").strip() or "-"
    if len(name.encode()) > LONGEST_NAME:
        name = name.encode()[:LONGEST_NAME].decode(errors="ignore") + "…"
    number, first = 1, name
    while name in others:
        number += 1
        name = f"{first} ({number})"
    return name


def _header(text: str) -> list[str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise BadInput(f"headers: {text!r} is not a header: write it like 'x: 1'")
    return [name.strip(), value.strip()]


def _body(data: str | None, *, variables: bool) -> dict[str, str]:
    """The fields of a body. What is in a file or comes by standard input goes out byte for byte."""
    if data is None or not data.startswith("@"):
        return {"body": data or ""}
    content = _read(data[1:], "body")
    if variables:
        try:
            return {"body": content.decode()}
        except UnicodeDecodeError:
            pass  # there are none in what is no text
    return {"bodyBase64": b64encode(content).decode()}


def _stage(text: str) -> dict[str, Any]:
    try:
        return stage_of(text)
    except ValueError as error:
        raise BadInput(f"stages: {error}") from None


def _further(file: str | None) -> list[str]:
    """The URLs in a file, one a line."""
    if file is None:
        return []
    try:
        lines = _read(file, "urls").decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise BadInput(f"urls: {file}: not UTF-8") from None
    return [with_scheme(line.strip()) for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _read(file: str, field: str) -> bytes:
    """All of a file, or of standard input, which is `-`."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise BadInput(f"{field}: {error.filename or 'standard input'}: {system_reason(error)}") from None
