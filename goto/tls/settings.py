"""The settings under `tls` in payloads and documents, checked as far as possible without reading the files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar

import msgspec

from goto.errors import BadInput
from goto.tls.client import ClientTls, client_tls
from goto.words import one_line
from goto.words.hosts import lookup_host

MOST_NAMES = 100
"""Names that a certificate made by goto can have, besides those of this machine."""

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})*")


class FilePath(str):
    """The path of a file on the machine that goto runs on."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["/etc/goto/tls.pem"]}

    @classmethod
    def parse(cls, text: str) -> FilePath:
        if not one_line(text).strip():
            raise ValueError("must not be empty")
        return cls(text)


class ServerName(str):
    """A host name or an IP address that a certificate is checked for."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["service.example"]}

    @classmethod
    def parse(cls, text: str) -> ServerName:
        name = CertName.parse(text)
        if name.startswith("*"):
            raise ValueError(f"{text!r} stands for many hosts: write the name of one")
        return cls(name)


class CertName(str):
    """A host name, with `*.` before it for all hosts of a domain, or an IP address."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["service.example", "*.example", "10.0.0.7"]}

    @classmethod
    def parse(cls, text: str) -> CertName:
        try:
            return cls(ip_address(text))
        except ValueError:
            pass
        name = lookup_host(text) if ":" not in text else ""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{text!r} is neither a host name nor an IP address")
        return cls(name)


class TargetTls(msgspec.Struct, omit_defaults=True):
    """For an https target: what to trust and what to show. Files are in PEM form, and are read when the target is added."""

    ca: FilePath = FilePath("")
    """Certificates to trust instead of the system's."""
    cert: FilePath = FilePath("")
    """A certificate to show the server, followed by the intermediate ones."""
    key: FilePath = FilePath("")
    """Its key, without a password; in the file of `cert` if not given."""
    server_name: ServerName = msgspec.field(name="serverName", default=ServerName(""))
    """The name to ask for, and to expect in the server's certificate, instead of the host of the url."""

    def __post_init__(self) -> None:
        _check_key(self.cert, self.key)


class ListenerTls(msgspec.Struct, omit_defaults=True):
    """The certificate that a listener with protocol https shows. Without `cert`, goto makes one."""

    cert: FilePath = FilePath("")
    """A file in PEM form: the certificate, followed by the intermediate ones."""
    key: FilePath = FilePath("")
    """Its key, without a password; in the file of `cert` if not given."""
    names: Annotated[list[CertName], msgspec.Meta(max_length=MOST_NAMES)] = msgspec.field(default_factory=list)
    """Names that a certificate made by goto is valid for, besides those of this machine."""

    def __post_init__(self) -> None:
        _check_key(self.cert, self.key)
        if self.cert and self.names:
            raise BadInput("tls.names: cannot be given together with a certificate")


def _check_key(cert: str, key: str) -> None:
    if key and not cert:
        raise BadInput("tls.key: cannot be used without a certificate")


def of_target(url: str, tls: TargetTls | None, *, verify: bool) -> ClientTls | None:
    """The TLS settings of connections to a target, whose files are read now; None for the default ones. Raises `ApiError`."""
    if not url.lower().startswith("https:"):
        if tls is not None:
            raise BadInput("tls: the url is not https: leave tls out, or write https")
        return None
    if tls is None:
        return client_tls(verify=verify)
    return client_tls(ca=tls.ca, cert=tls.cert, key=tls.key, server_name=tls.server_name, verify=verify)


def as_option(reason: str, options: Mapping[str, str]) -> str:
    """The message of a wrong field, with the command-line option in place of the field. The rest stays as it is."""
    field, colon, rest = reason.partition(": ")
    option = options.get(field.partition("[")[0])
    return f"{option}: {rest}" if colon and option else reason
