"""Settings of upstreams: equal ones are one, and files are read when asked."""

from __future__ import annotations

import gc
import ssl
from pathlib import Path

import pytest
from support.certificates import Authority

from goto.errors import BadInput, Conflict
from goto.tls import client
from goto.tls.client import client_tls, usual_context


def test_the_usual_way_has_no_settings() -> None:
    assert client_tls() is None
    assert usual_context().verify_mode is ssl.CERT_REQUIRED


def test_equal_settings_are_one_object_for_as_long_as_somebody_has_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    before = len(client._used)
    first = client_tls(ca=str(authority.file))
    assert first is client_tls(ca=str(authority.file))
    other = client_tls(ca=str(authority.file), server_name="a")
    assert other is not first
    assert len(client._used) == before + 2
    del first, other
    gc.collect()
    assert len(client._used) == before


def test_a_file_that_has_changed_is_read_anew(tmp_path: Path) -> None:
    first = client_tls(ca=str(Authority(tmp_path).file))
    second = client_tls(ca=str(Authority(tmp_path).file))  # another CA in the same file
    assert first is not None
    assert second is not None
    assert first is not second
    assert first.context.get_ca_certs() != second.context.get_ca_certs()


def test_there_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(Authority(tmp_path).file)
    gc.collect()
    monkeypatch.setattr(client, "MOST_SETTINGS", len(client._used) + 2)
    held = [client_tls(ca=file, server_name=name) for name in ("a", "b")]
    with pytest.raises(Conflict, match=r"^tls: \d+ different settings are in use already: remove a target that has some$"):
        client_tls(ca=file, server_name="c")
    assert client_tls(ca=file, server_name="b") is held.pop()


def test_a_certificate_unchecked_is_shown_all_the_same(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("me")
    tls = client_tls(cert=str(pair.cert), key=str(pair.key), verify=False)
    assert tls is not None
    assert tls.context.verify_mode is ssl.CERT_NONE


def test_which_file_will_not_do(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("me")
    with pytest.raises(BadInput, match=r"^tls\.cert: .*: holds no key"):
        client_tls(cert=str(pair.cert))
    with pytest.raises(BadInput, match=r"^tls\.key: /nowhere: No such file"):
        client_tls(cert=str(pair.cert), key="/nowhere")
