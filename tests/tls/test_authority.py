"""The CA of a process."""

from __future__ import annotations

import os
import socket
import ssl
import sys
import time
from pathlib import Path

import pytest
from support.scripted import Scripted

from goto.errors import BadInput, NotFound
from goto.instance.identity import own_names
from goto.tls.authority import Authority


def served_by(authority: Authority, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.certify(context, names)
    return context


def shakes_hands(server: Scripted, name: str, certificate: bytes) -> bool:
    context = ssl.create_default_context(cadata=certificate.decode())
    with socket.create_connection(("127.0.0.1", server.port)) as bare:
        try:
            context.wrap_socket(bare, server_hostname=name).close()
        except ssl.SSLCertVerificationError:
            return False
    return True


@pytest.mark.parametrize("in_memory", [True, False])
def test_its_certificates_are_for_this_machine_and_the_names_given(in_memory: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setenv("POD_IP", "10.1.2.3")
    monkeypatch.setattr(socket, "gethostname", lambda: "my-machine")
    authority = Authority(own_names)
    authority.names += ["192.0.2.7", "0.0.0.0", "fe80::1%eth0", "not a name"]
    with Scripted(lambda _: None, tls=served_by(authority, "web.example", "*.sub.example")) as server:
        good = (*own_names(), "10.1.2.3", "my-machine", "192.0.2.7", "web.example", "a.sub.example")
        for name in good:
            assert shakes_hands(server, name, authority.certificate), name
        for name in ("other.example", "192.0.2.8"):
            assert not shakes_hands(server, name, authority.certificate), name
        assert not shakes_hands(server, "localhost", Authority(own_names).certificate)


def test_they_are_valid_for_no_longer_than_clients_take() -> None:
    authority = Authority(own_names)
    context = ssl.create_default_context(cadata=authority.certificate.decode())
    with (
        Scripted(lambda _: None, tls=served_by(authority)) as server,
        socket.create_connection(("127.0.0.1", server.port)) as bare,
        context.wrap_socket(bare, server_hostname="::1") as tls,
    ):
        shown = tls.getpeercert()
    assert shown is not None
    start, end = (ssl.cert_time_to_seconds(str(shown[key])) for key in ("notBefore", "notAfter"))
    assert start < time.time() < end
    assert end - start <= 398 * 24 * 3600


def test_there_is_one_and_its_certificate_alone_is_given_away() -> None:
    authority = Authority(own_names)
    assert authority.certificate == authority.certificate
    assert authority.certificate.startswith(b"-----BEGIN CERTIFICATE-----")
    assert b"PRIVATE" not in authority.certificate


def test_no_key_is_left_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    served_by(Authority(own_names))
    assert list(tmp_path.iterdir()) == []


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(BadInput, match=r"^tls\.cert: not given, .* pip install '\.\[tls\]' in a checkout of goto$"):
        served_by(Authority(own_names))
    with pytest.raises(NotFound, match=r"\.\[tls\]"):
        _ = Authority(own_names).certificate
