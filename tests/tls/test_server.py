"""What a listener shows."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from support.certificates import Authority

from goto.errors import BadInput
from goto.instance.identity import own_names
from goto.tls import authority as own
from goto.tls.server import server_context


def test_a_pair_from_files_or_from_one(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("a")
    for context in (
        server_context(own.Authority(own_names), str(pair.cert), str(pair.key)),
        server_context(own.Authority(own_names), str(pair.both)),
        server_context(own.Authority(own_names)),
    ):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_NONE


def test_which_file_will_not_do(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("a")
    for cert, key, reason in (
        ("/nowhere", "", r"^tls\.cert: /nowhere: No such file"),
        (str(pair.cert), "/nowhere", r"^tls\.key: /nowhere: No such file"),
        (str(pair.cert), "", r"^tls\.cert: .*: holds no key"),
        (str(pair.key), str(pair.key), r"^tls\.cert: .*: holds no certificate"),
        (str(pair.cert), str(pair.encrypted), r"^tls\.key: .*: the key is encrypted"),
    ):
        with pytest.raises(BadInput, match=reason):
            server_context(own.Authority(own_names), cert, key)
