"""What stands under `tls` in payloads and documents, checked as far as it can be without a look at the files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar

import msgspec

from goto.errors import BadInput
from goto.tls.client import ClientTls, client_tls
from goto.words import one_line

MOST_NAMES = 100

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})*")


class FilePath(str):
    """The path of a file, as this process sees it."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["/etc/goto/tls.pem"]}

    @classmethod
    def parse(cls, text: str) -> FilePath:
        if not one_line(text).strip():
            raise ValueError("must not be empty")
        return cls(text)


class ServerName(str):
    """A host name or an IP address, as a certificate has it."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["service.example"]}

    @classmethod
    def parse(cls, text: str) -> ServerName:
        name = CertName.parse(text)
        if name.startswith("*"):
            raise ValueError(f"{text!r} stands for many hosts: name one")
        return cls(name)


class CertName(str):
    """A host name, `*.` before it for all hosts of a domain, or an IP address."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["service.example", "*.example", "10.0.0.7"]}

    @classmethod
    def parse(cls, text: str) -> CertName:
        try:
            return cls(ip_address(text))
        except ValueError:
            pass
        try:
            name = text if text.isascii() else text.encode("idna").decode()
        except UnicodeError:
            name = ""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{text!r} is neither a host name nor an IP address")
        return cls(name)


class TargetTls(msgspec.Struct, omit_defaults=True):
    """What to trust and what to show where a target is https. Files are in PEM form, and read when the target is added."""

    ca: FilePath = FilePath("")
    """Certificates to trust instead of the system's."""
    cert: FilePath = FilePath("")
    """A certificate to show the server, with those between it and its CA."""
    key: FilePath = FilePath("")
    """Its key, without a password; in the file of `cert` if not given."""
    server_name: ServerName = msgspec.field(name="serverName", default=ServerName(""))
    """Asked for, and expected in the server's certificate, instead of the url's host."""

    def __post_init__(self) -> None:
        _check_key(self.cert, self.key)


class ListenerTls(msgspec.Struct, omit_defaults=True):
    """What a listener with protocol https shows. Without `cert` it is a certificate made by this process."""

    cert: FilePath = FilePath("")
    """A file in PEM form: the certificate, then those between it and its CA."""
    key: FilePath = FilePath("")
    """Its key, without a password; in the file of `cert` if not given."""
    names: Annotated[list[CertName], msgspec.Meta(max_length=MOST_NAMES)] = msgspec.field(default_factory=list)
    """What a certificate made here is valid for, besides this machine's own names."""

    def __post_init__(self) -> None:
        _check_key(self.cert, self.key)
        if self.cert and self.names:
            raise BadInput("tls.names: are for a certificate made here, and tls.cert is given")


def _check_key(cert: str, key: str) -> None:
    if key and not cert:
        raise BadInput("tls.key: is of no use without tls.cert")


def of_target(url: str, tls: TargetTls | None, *, verify: bool) -> ClientTls | None:
    """How connections to a target are secured, its files read now; None for the usual way. Raises `ApiError`."""
    if not url.lower().startswith("https:"):
        if tls is not None:
            raise BadInput("tls: the url is not https")
        return None
    if tls is None:
        return client_tls(verify=verify)
    return client_tls(ca=tls.ca, cert=tls.cert, key=tls.key, server_name=tls.server_name, verify=verify)


def as_option(reason: str, options: Mapping[str, str]) -> str:
    """What is wrong with a field, said of the option that stands for it on the command line."""
    field, colon, rest = reason.partition(": ")
    if not colon or field not in options:
        return reason
    for other, option in options.items():
        rest = re.sub(rf"(?<!\S){re.escape(other)}(?![\w.])", option, rest)
    return f"{options[field]}: {rest}"
