"""The start of a process, as both hosts go through it. What a command line or mitmdump makes of it is in their tests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.lab import Carrier

from goto.api.access import EXPOSED, Hosts
from goto.config.errors import ConfigError
from goto.errors import ApiError
from goto.features.delay import Delay
from goto.instance.start import MOST_NOTES, Start, StartOptions
from goto.instance.wiring import Instance
from goto.registry.address import Address
from goto.registry.worker import RegistryUrl
from goto.tls.settings import as_option
from goto.traffic.limits import LIMITS, ConfiguredLimits
from goto.words import Label, Port

PORT = Port(8080)
REGISTRY = RegistryUrl("http://127.0.0.1:1")


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    """Those of this process stay as they were."""
    before = dict(vars(LIMITS))
    yield
    vars(LIMITS).update(before)


class Admin:
    """In place of an admin port."""

    def __init__(self, error: OSError | None = None) -> None:
        self.ports: list[int] = []
        self.error = error

    async def open(self, port: int) -> None:
        if self.error is not None:
            raise self.error
        self.ports.append(port)


def with_instance(check: Callable[[Instance], Awaitable[None]]) -> None:
    async def run() -> None:
        instance = Instance(Carrier())
        try:
            await check(instance)
        finally:
            await instance.stop()

    asyncio.run(run())


def taken(options: StartOptions, **first: Any) -> Instance:
    """The instance once all has been taken over that has to hold before anything is served."""
    instances = []

    async def check(instance: Instance) -> None:
        Start(instance, options).take(PORT, **first)
        instances.append(instance)

    with_instance(check)
    return instances[0]


def refused(options: StartOptions, **first: Any) -> str:
    with pytest.raises(ApiError) as raised:
        taken(options, **first)
    return raised.value.message


def write(folder: Path, text: str) -> str:
    file = folder / "goto.yaml"
    file.write_text(text)
    return str(file)


# ---------------------------------------------------------------- what holds before anything is served
def test_what_was_not_given_is_as_it_is() -> None:
    before = vars(LIMITS).copy()
    instance = taken(StartOptions(settings={"label": None, "registry.url": None, "admin.off": False}))
    assert (instance.registry.url, instance.access.port, instance.access.off) == (None, None, None)
    assert vars(LIMITS) == before


def test_options_win_over_files(tmp_path: Path) -> None:
    text = "registry: {url: 'http://file:1'}\nadmin: {port: 81, host: file.test}\nlimits: {fields: 7, head: 32KiB}\n"
    options = StartOptions(
        [write(tmp_path, text)],
        {"registry.url": REGISTRY, "admin.host": Hosts.parse("given.test")},
        [ConfiguredLimits.parse("fields=9")],
    )
    instance = taken(options)
    assert (instance.registry.url, instance.access.hosts, instance.access.port) == (REGISTRY, {"given.test"}, 81)
    assert (LIMITS.fields, LIMITS.head) == (9, 32 << 10)


def test_a_file_that_is_wrong_changes_nothing(tmp_path: Path) -> None:
    async def check(instance: Instance) -> None:
        with pytest.raises(ConfigError, match=r"goto\.yaml:1:1: lable: "):
            Start(instance, StartOptions([write(tmp_path, "lable: x")]))
        assert instance.listeners.by_port == {}

    with_instance(check)


def test_the_first_listener_is_as_it_was_given() -> None:
    async def check(instance: Instance) -> None:
        spec = Start(instance, StartOptions(settings={"label": Label("edge"), "admin.off": True})).take(PORT, "HTTPS")
        assert (spec.port, spec.protocol, spec.label, spec.admin) == (PORT, "https", "edge", False)
        assert Start(instance, StartOptions()).take(PORT).admin

    with_instance(check)


# ---------------------------------------------------------------- where the registry reaches it
@pytest.mark.parametrize(
    ("ip", "port", "protocol", "reached"),
    [
        ("10.0.0.7", None, "http", "10.0.0.7:8080"),
        ("10.0.0.7", None, "https", "https://10.0.0.7:8080"),
        ("::1", None, "http", "[::1]:8080"),
        ("10.0.0.7", Port(81), "https", "10.0.0.7:81"),  # the admin port speaks http
    ],
)
def test_a_worker_says_where_it_is_managed(
    monkeypatch: pytest.MonkeyPatch, ip: str, port: Port | None, protocol: str, reached: str
) -> None:
    monkeypatch.setenv("POD_IP", ip)

    async def check(instance: Instance) -> None:
        settings = {"registry.url": REGISTRY, "admin.port": port, "admin.host": port and Hosts.parse("none")}
        start = Start(instance, StartOptions(settings=settings))
        start.take(PORT, protocol)
        assert start._address == reached
        assert instance.access.own_host == ip

    with_instance(check)


def test_an_address_that_is_given_is_the_one() -> None:
    options = StartOptions(settings={"registry.url": REGISTRY}, address=Address.parse("Worker.Test:1"))
    assert taken(options).access.own_host == "worker.test"


OPTIONS = {"address": "--address", "registry.url": "--registry", "admin.port": "--admin-port"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            StartOptions(settings={"registry.url": REGISTRY, "admin.off": True}),
            "--registry: the registry's calls need a port, and management is off: give an admin port",
        ),
        (StartOptions(address=Address.parse("a:1")), "--address: says what is registered, so it needs a registry"),
    ],
)
def test_what_does_not_go_together_is_said_of_the_options(options: StartOptions, says: str) -> None:
    assert as_option(refused(options), OPTIONS) == says


def test_an_own_address_that_is_not_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_IP", "a b")
    assert refused(StartOptions(settings={"registry.url": REGISTRY})).startswith("POD_IP: 'a b:8080' ")


# ---------------------------------------------------------------- serving
def served(options: StartOptions, check: Callable[[Instance], None], admin: Admin | None = None) -> None:
    """Go through a whole start, and look at the instance before and after its end."""

    async def run(instance: Instance) -> None:
        start = Start(instance, options)
        spec = start.take(PORT)

        async def seed() -> None:
            assert not instance.about.ready
            await start.seed()

        first = await instance.listeners.start(spec, seed)
        assert not instance.about.ready
        try:
            await start.serve(first, (admin or Admin()).open)
            assert instance.about.ready
            check(instance)
        finally:
            await start.stop()

    with_instance(run)


def test_what_files_say_is_there_before_the_first_listener_serves(tmp_path: Path) -> None:
    def check(instance: Instance) -> None:
        first = instance.listeners.first
        assert first is not None
        assert (first.name, first.feature(Delay).active) == ("given", True)

    options = StartOptions([write(tmp_path, "label: seeded\nresponse: {delay: 5ms}")], {"label": Label("given")})
    served(options, check)


def test_the_admin_port_is_opened() -> None:
    admin = Admin()
    served(StartOptions(settings={"admin.port": Port(81)}), lambda _: None, admin)
    assert admin.ports == [81]


def test_an_admin_port_that_is_taken() -> None:
    seen: list[Instance] = []
    with pytest.raises(ApiError) as raised:
        served(StartOptions(settings={"admin.port": Port(81)}), seen.append, Admin(OSError(98, "Address already in use")))
    assert raised.value.message == "admin.port: cannot listen on 81: Address already in use"
    assert seen == []


async def warn(instance: Instance, options: StartOptions, on: str | None) -> None:
    start = Start(instance, options)
    await instance.listeners.start(start.take(PORT))
    instance.access.interface = on
    start.warn()


@pytest.mark.parametrize(
    ("options", "on", "warned"),
    [
        (StartOptions(), None, True),
        (StartOptions(), "0.0.0.0", True),
        (StartOptions(), "127.0.0.1", False),
        (StartOptions(settings={"admin.off": True}), None, False),
    ],
)
def test_who_is_open_to_all_is_warned(
    caplog: pytest.LogCaptureFixture, options: StartOptions, on: str | None, warned: bool
) -> None:
    with caplog.at_level(logging.WARNING, "goto"):
        with_instance(lambda instance: warn(instance, options, on))
    assert (EXPOSED in caplog.messages) is warned


def test_it_registers_and_deregisters(upstream: Any) -> None:
    def check(instance: Instance) -> None:
        assert instance.registry.url == upstream.base

    options = StartOptions(settings={"registry.url": RegistryUrl(upstream.base), "label": Label("worker")})

    async def run(instance: Instance) -> None:
        start = Start(instance, options)
        first = await instance.listeners.start(start.take(PORT), start.seed)
        await start.serve(first, Admin().open)
        check(instance)
        while not upstream.received:
            await asyncio.sleep(0)
        await start.stop()

    with_instance(run)
    registered, deregistered = upstream.take(2)
    assert (registered.method, registered.target) == ("POST", "/registry/peers/add")
    assert b'"name":"worker"' in registered.body
    assert deregistered.target.startswith("/registry/peers/worker/remove/")


def test_a_start_logs_what_may_be_meant_otherwise_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    targets = ", ".join(f"{{name: t{n}, url: 'http://h'}}" for n in range(MOST_NOTES + 5))
    text = f"request: {{proxy: {{targets: [{targets}]}}}}"

    async def check(instance: Instance) -> None:
        start = Start(instance, StartOptions([write(tmp_path, text)]))
        instance.listeners.adopt(start.take(PORT))
        assert not caplog.messages
        await start.seed()

    with_instance(check)
    assert len(caplog.messages) == MOST_NOTES + 1
    assert caplog.messages[0].endswith("request.proxy.targets: t0: matches nothing: it is called by hand only")
    assert caplog.messages[0].startswith(f"note: {tmp_path}/goto.yaml:1:")
    assert caplog.messages[-1] == "note: and 5 more like these, see goto check"
