"""`make image-test`: the image is built from the Dockerfile as it is, and run as docs/container.md says.

Not among the tests of `make test`, since it needs root, podman and minutes. What was measured goes into that page, between marks,
with `SAVE=1`.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import ROOT
from support.calls import Answer, call
from support.ports import free_port, listens
from support.waiting import eventually

from goto import __version__
from image import base
from image.engine import Container, Engine, missing

WORK = Path(os.environ.get("IMAGE_WORK", ROOT / "build" / "image"))
PAGE = ROOT / "docs" / "container.md"
HARDENED = ("--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
REVISION, CREATED = "0123456789abcdef0123456789abcdef01234567", "2026-01-02T03:04:05Z"

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

Run = Callable[..., Container]


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, str]]:
    """What was measured, by what it is; printed at the end, and put into the page where that was asked for."""
    measured: dict[str, str] = {}
    yield measured
    table = "\n".join(["| what | measured |", "|---|---|", *(f"| {what} | {value} |" for what, value in measured.items())])
    print(f"\n{table}")
    if os.environ.get("SAVE"):
        page, count = re.subn("(<!-- image -->\n).*?(<!-- /image -->)", rf"\g<1>{table}\n\2", PAGE.read_text(), flags=re.S)
        assert count == 1, f"{PAGE}: the marks are not there once"
        PAGE.write_text(page)


@pytest.fixture(scope="session")
def engine(figures: dict[str, str]) -> Engine:
    """With both images built: `goto`, and `goto:mitmproxy`."""
    WORK.mkdir(parents=True, exist_ok=True)
    engine = Engine(WORK)
    version = base.make(engine)
    figures["with"] = f"{engine.versions()}, Python {version}"
    # the format of docker has health checks, that of OCI has none
    build = ["bud", "--layers", "--isolation", "chroot", "--format", "docker", "--pull-never", "--build-arg", f"PYTHON={version}"]
    build += base.pip_of_this_machine()
    labels = ["--build-arg", f"REVISION={REVISION}", "--build-arg", f"CREATED={CREATED}"]
    # the second takes the wheel of the first, which takes nothing of an earlier run
    for tag, extra in (("goto", ["--no-cache", *labels]), ("goto:mitmproxy", ["--build-arg", "EXTRAS=mitmproxy"])):
        began = time.monotonic()
        engine.buildah(*build, *extra, "-t", f"localhost/{tag}", ROOT)
        took = time.monotonic() - began
        above = engine.size(tag) - engine.size(f"localhost/python:{version}-slim")
        figures[f"`{tag}`"] = f"built in {took:.0f} s, {above:.0f} MiB above its base image"
    return engine


@pytest.fixture
def start(engine: Engine) -> Iterator[Run]:
    """`start(*options, image=…, args=…)` runs a container that is gone after the test."""
    started: list[Container] = []

    def run(*options: str, image: str = "goto", args: tuple[str, ...] = ()) -> Container:
        name = f"goto-test-{time.time_ns()}"
        started.append(Container(engine, name))
        return engine.start(name, image, *args, options=options)

    yield run
    for container in reversed(started):
        container.remove()


def serving(port: int) -> bool:
    """Whether a goto answers there. Its port may take connections before there is anybody behind it."""
    try:
        return listens(port) and call(port, "GET", "/goto/ready", timeout=1).status == 200
    except OSError:
        return False


def said(engine: Engine, what: str) -> str:
    return engine.podman("image", "inspect", "goto", "--format", f"{{{{{what}}}}}")


# ---------------------------------------------------------------- what the image says of itself
@pytest.mark.parametrize(
    ("what", "value"),
    [
        (".Config.User", "10001:10001"),
        (".Config.StopSignal", "SIGTERM"),
        (".Config.Entrypoint", "[goto]"),
        (".Config.Cmd", "[--port 8080]"),
        (".Config.ExposedPorts", "map[8080/tcp:{}]"),
        (".HealthCheck.Test", "[CMD goto health]"),
        ('index .Labels "org.opencontainers.image.title"', "goto"),
        ('index .Labels "org.opencontainers.image.version"', __version__),
        ('index .Labels "org.opencontainers.image.licenses"', "MIT AND Apache-2.0"),
        ('index .Labels "org.opencontainers.image.revision"', REVISION),
        ('index .Labels "org.opencontainers.image.created"', CREATED),
    ],
)
def test_it_says(engine: Engine, what: str, value: str) -> None:
    assert said(engine, what) == value


def test_it_is_compiled_without_a_compiler_in_it(engine: Engine) -> None:
    assert engine.once("goto", "--version") == f"goto {__version__} (compiled)"
    assert engine.once("goto", "-c", "command -v gcc cc pip || echo none", options=("--entrypoint", "sh")) == "none"


STALE = """
import importlib.util, struct, sys
import goto.command.cli, goto.instance.start, goto.hosts.standalone.exchange
for name, module in sorted(sys.modules.items()):
    spec = getattr(module, "__spec__", None)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        continue
    try:
        magic, flags = struct.unpack("<4sL", open(spec.cached, "rb").read(8))
        # 1: of the hash of the source, which nobody compares
        fresh = (magic, flags) == (importlib.util.MAGIC_NUMBER, 1)
    except OSError:
        fresh = False
    if not fresh:
        print(name)
"""


def test_there_is_byte_code_of_all_that_it_imports(engine: Engine) -> None:
    assert engine.once("goto", "-c", STALE, options=("--entrypoint", "python")) == ""


# ---------------------------------------------------------------- as it runs
def test_it_runs_with_nothing_to_write_to_and_no_rights(start: Run) -> None:
    port = free_port()
    container = start("-p", f"{port}:8080", *HARDENED, args=("--label", "edge"))
    eventually(lambda: serving(port))
    assert call(port, "GET", "/label").text == "Label: edge\n"
    assert container.exec("id", "-u") == "10001"
    assert container.exec("cat", "/proc/1/comm") == "goto"
    assert container.exec("sh", "-c", "grep CapEff /proc/1/status").split()[1] == "0" * 16
    assert container.exec("sh", "-c", "touch /tmp/x 2>/dev/null && echo yes || echo no") == "no"
    assert container.exec("goto", "health") == f"goto {__version__} is healthy"
    assert container.stop() == 0, container.logs()


def test_an_exchange_in_flight_is_answered(start: Run, figures: dict[str, str]) -> None:
    port = free_port()
    container = start("-p", f"{port}:8080")
    eventually(lambda: serving(port))
    call(port, "PUT", "/response/delay/set/3s")
    answers: list[Answer] = []
    client = threading.Thread(target=lambda: answers.append(call(port, "GET", "/slow")))
    client.start()
    # it is in flight, since it is delayed
    eventually(lambda: 'goto_exchanges_in_flight{listener="8080"} 1' in call(port, "GET", "/goto/metrics").text or answers)
    assert answers == []
    status = container.stop()
    client.join()
    assert [answer.status for answer in answers] == [200]
    assert status == 0, container.logs()


def test_without_exchanges_it_ends_at_once(start: Run, figures: dict[str, str]) -> None:
    port = free_port()
    container = start("-p", f"{port}:8080")
    eventually(lambda: serving(port))
    began = time.monotonic()
    assert container.stop() == 0
    figures["SIGTERM to the end, nothing in flight"] = f"{time.monotonic() - began:.1f} s"


def test_sigterm_while_it_starts_ends_it(start: Run) -> None:
    """PID 1 is spared the signals that it has not asked for: without a handler it would be killed only after the time given."""
    container = start()
    assert container.stop(seconds=10) in (0, 128 + 15), container.logs()


def test_it_starts_again_after_it_was_stopped(start: Run, figures: dict[str, str]) -> None:
    port = free_port()
    began = time.monotonic()
    container = start("-p", f"{port}:8080", *HARDENED)
    took = []
    for last in (False, False, True):
        eventually(lambda: serving(port))
        took.append(time.monotonic() - began)
        container.stop()
        if not last:
            began = time.monotonic()
            container.restart()
    figures["from `podman run` until it serves; from `podman start`, twice"] = ", ".join(f"{seconds:.2f} s" for seconds in took)


def test_its_health_check_is_run(engine: Engine, start: Run) -> None:
    port = free_port()
    container = start("-p", f"{port}:8080")
    eventually(lambda: serving(port))
    engine.podman("healthcheck", "run", container.name)


def test_another_port_inside_needs_another_health_check(engine: Engine, start: Run) -> None:
    port = free_port()
    container = start("-p", f"{port}:9000", "--health-cmd", "goto health http://127.0.0.1:9000", args=("--port", "9000"))
    eventually(lambda: serving(port))
    engine.podman("healthcheck", "run", container.name)


def test_a_registry_and_its_worker_find_each_other_by_name(engine: Engine, start: Run) -> None:
    network, port = f"goto-test-{time.time_ns()}", free_port()
    engine.podman("network", "create", network)
    try:
        registry = start("--network", network, "--network-alias", "registry", "-p", f"{port}:8080", args=("--label", "registry"))
        eventually(lambda: serving(port))
        worker = start("--network", network, args=("--label", "web", "--registry", "http://registry:8080"))
        (peer,) = eventually(lambda: call(port, "GET", "/registry/peers").json())
        address = engine.podman(
            "inspect", worker.name, "--format", f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
        )
        assert (peer["name"], peer["address"]) == ("web", f"{address}:8080")
        target = b'{"name": "t1", "method": "GET", "url": "http://registry:8080/hello", "requestCount": 10, "autoInvoke": true}'
        assert call(port, "POST", "/registry/peers/web/targets/add", body=target).status == 200
        assert "200" in eventually(lambda: call(port, "GET", "/registry/results").text, lambda text: '"200"' in text)
        assert worker.stop() == 0, worker.logs()
        assert call(port, "GET", "/registry/peers").json() == []
        registry.remove()
    finally:
        engine.podman("network", "rm", "-f", network)


def test_it_runs_in_mitmproxy(start: Run) -> None:
    port = free_port()
    command = 'exec mitmdump -q -s "$(goto addon)" --mode reverse:http://127.0.0.1:1'
    home = ("--read-only", "--tmpfs", "/home/goto:U")
    container = start("-p", f"{port}:8080", "--entrypoint", "sh", *home, image="goto:mitmproxy", args=("-c", command))
    eventually(lambda: serving(port), seconds=60)
    assert call(port, "GET", "/status/418").status == 418
    assert container.exec("goto", "health") == f"goto {__version__} is healthy"
    assert container.stop() == 0, container.logs()


def test_pip_has_only_what_is_there_and_may_change_none_of_it() -> None:
    options = base.pip_of_this_machine()
    assert set(options[::2]) == {"-v"}
    for mount in options[1::2]:
        outside, inside, how = mount.split(":")
        assert (outside == inside, how, Path(outside).exists()) == (True, "ro", True)
