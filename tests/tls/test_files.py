"""What is said of files that will not do."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from support.certificates import Authority, Pair

from goto.errors import BadInput
from goto.tls.files import FILE_LIMIT, load_authorities, load_pair, read_pem


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("localhost")


def refused(cert: Path, key: Path) -> str:
    with pytest.raises(BadInput) as refusal:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), str(cert), str(key), ("tls.cert", "tls.key"))
    return refusal.value.message


def test_what_is_no_file_that_can_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * (FILE_LIMIT + 1))
    for name, reason in (
        ("gone", "No such file or directory"),
        ("pipe", "not a regular file"),
        ("large", f"more than {FILE_LIMIT} bytes, which is the limit"),
    ):
        with pytest.raises(BadInput) as refusal:
            read_pem(str(tmp_path / name), "tls.ca")
        assert refusal.value.message == f"tls.ca: {tmp_path / name}: {reason}"
    with pytest.raises(BadInput, match=r"^tls\.ca: .*: (not a regular file|Is a directory)$"):
        read_pem(str(tmp_path), "tls.ca")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list open files")
def test_a_file_that_is_refused_is_not_left_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = os.listdir("/proc/self/fd")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(BadInput):
            read_pem(str(path), "tls.ca")
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_pair_that_fits_and_one_that_does_not(authority: Authority, pair: Pair) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    load_pair(context, str(pair.cert), str(pair.key), ("tls.cert", "tls.key"))
    load_pair(context, str(pair.both), str(pair.both), ("tls.cert", "tls.cert"))
    other = authority.issue("localhost", file="other")
    assert refused(pair.cert, other.key) == f"tls.key: {other.key}: does not belong to the certificate in {pair.cert}"


def test_an_encrypted_key_is_refused_and_no_password_asked_for(pair: Pair) -> None:
    assert refused(pair.cert, pair.encrypted) == f"tls.key: {pair.encrypted}: the key is encrypted: give one without a password"


def test_what_holds_something_else_is_named_and_not_shown(pair: Pair, tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    assert refused(pair.cert, junk) == f"tls.key: {junk}: holds no key in PEM form that can be used"
    assert refused(pair.key, pair.key) == f"tls.cert: {pair.key}: holds no certificate in PEM form"
    with pytest.raises(BadInput) as refusal:
        load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), str(junk), "tls.ca")
    assert refusal.value.message == f"tls.ca: {junk}: holds no certificate in PEM form"
