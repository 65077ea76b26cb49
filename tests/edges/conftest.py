"""What the tests of the edges share: a process, a listener of each kind, and clients of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.certificates import Authority
from support.client import Client
from support.goto_process import Goto
from support.ports import free_port
from support.secure import SecureClient


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("edges")


@pytest.fixture(scope="module")
def https_port(process: Goto, authority: Authority) -> int:
    """A listener with protocol https."""
    pair = authority.issue("127.0.0.1")
    port = free_port()
    process.api(
        "POST", "/listeners/add", {"port": port, "protocol": "https", "tls": {"cert": str(pair.cert), "key": str(pair.key)}}
    )
    process.api("PUT", f"/listeners/{port}/open")
    return port


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def secure(https_port: int, authority: Authority) -> Callable[[], Client]:
    """A client of it, for which a FIN without a close_notify is an error."""
    return lambda: SecureClient(https_port, authority.client, strict=True)
