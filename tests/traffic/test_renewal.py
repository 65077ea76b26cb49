"""Certificates that change while they are shown."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority, Pair
from support.ports import free_port
from support.waiting import PATIENCE, until

from goto.hosts.standalone.host import StandaloneHost
from goto.tls.settings import FilePath, ListenerTls
from goto.traffic import renewal
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener, ListenerSpec
from goto.traffic.renewal import Renewal
from goto.words import Port


class Shown:
    """A listener over TLS, its files, and pairs to put in their place."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        self.pairs = [authority.issue("localhost", file=f"pair{number}") for number in range(3)]
        self.cert, self.key = folder / "shown.pem", folder / "shown.key"
        self.put(self.pairs[0])
        self.port = free_port()

    def put(self, pair: Pair) -> None:
        """As whoever renews them does: in place."""
        shutil.copy(pair.cert, self.cert)
        shutil.copy(pair.key, self.key)

    def _certificate(self) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port)) as client, context.wrap_socket(client) as secure:
            return secure.getpeercert(binary_form=True) or b""

    async def shows(self, pair: Pair) -> bool:
        """Whether a new handshake is shown the certificate of a pair."""
        pem = pair.cert.read_text().partition("-----END")[0] + "-----END CERTIFICATE-----\n"
        return await asyncio.to_thread(self._certificate) == ssl.PEM_cert_to_DER_cert(pem)


def serving(folder: Path, check: Callable[[Shown, Listener, Renewal], Awaitable[Any]]) -> None:
    async def run() -> None:
        shown = Shown(folder)
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        tls = ListenerTls(FilePath(str(shown.cert)), FilePath(str(shown.key)))
        listener = await host.instance.listeners.start(ListenerSpec(Port(shown.port), "https", tls=tls))
        try:
            async with asyncio.timeout(PATIENCE):
                await check(shown, listener, Renewal(host.instance.listeners))
        finally:
            await host.stop(0)

    asyncio.run(run())


def test_new_handshakes_are_shown_what_is_new(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def check(shown: Shown, listener: Listener, renewing: Renewal) -> None:
        secure = listener.secure
        await renewing.look(listener)
        assert listener.secure is secure, "nothing has changed"
        for pair in shown.pairs[1:]:
            shown.put(pair)
            await renewing.look(listener)
            assert await shown.shows(pair)

    with caplog.at_level(logging.WARNING, "goto"):
        serving(tmp_path, check)
    assert len(caplog.messages) == 2
    assert caplog.messages[0].endswith(f": shows the certificate that is in {tmp_path}/shown.pem now")


def test_what_is_bad_is_said_once_and_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def check(shown: Shown, listener: Listener, renewing: Renewal) -> None:
        shutil.copy(shown.pairs[1].cert, shown.cert)  # its key has yet to come
        await renewing.look(listener)
        await renewing.look(listener)
        assert await shown.shows(shown.pairs[0])
        shown.cert.unlink()
        await renewing.look(listener)
        await renewing.look(listener)
        assert await shown.shows(shown.pairs[0])
        shown.put(shown.pairs[1])
        await renewing.look(listener)
        assert await shown.shows(shown.pairs[1])

    with caplog.at_level(logging.WARNING, "goto"):
        serving(tmp_path, check)
    mismatch, missing, good = caplog.messages
    assert "tls.key: " in mismatch
    assert "does not belong to the certificate" in mismatch
    assert mismatch.endswith(": the certificate before stays")
    assert "tls.cert: " in missing
    assert "No such file" in missing
    assert ": shows the certificate " in good


def test_it_is_looked_at_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "LOOK_SECONDS", 0.01)

    async def check(shown: Shown, listener: Listener, _: Renewal) -> None:
        for pair in shown.pairs[1:]:
            before = listener.secure
            shown.put(pair)
            # a look in between the two files finds what is bad, and the next one what is good
            await until(lambda before=before: listener.secure is not before)  # type: ignore[misc]  # mypy infers no type of a lambda with a default
            assert await shown.shows(pair)

    serving(tmp_path, check)


def test_one_that_was_made_here_is_left_alone(tmp_path: Path) -> None:
    async def run() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        listener = await host.instance.listeners.start(ListenerSpec(Port(free_port()), "https"))
        before = listener.secure
        await Renewal(host.instance.listeners).look(listener)
        assert listener.secure is before
        await host.stop(0)

    asyncio.run(run())
