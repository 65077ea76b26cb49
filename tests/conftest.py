"""Fixtures: real processes and real connections, each ended by whoever started it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from support.browser import Browser, find_chromium
from support.goto_process import Goto
from support.nginx import NGINX_SITE, Nginx, find_nginx
from support.upstream import Upstream

# a run in the background ignores these, and every process it starts would inherit that
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

# a busy machine is no bug, and a run can be repeated
settings.register_profile("goto", deadline=None, derandomize=True)
settings.load_profile("goto")


@pytest.fixture(scope="module")
def goto() -> Iterator[Callable[..., Goto]]:
    """`goto(label, *args)` starts a goto process; all of a module's end with it, by SIGTERM and with exit status 0."""
    with contextlib.ExitStack() as stack:

        def start(label: str | None = "goto", *args: str, **how: object) -> Goto:
            return stack.enter_context(Goto(label, *args, **how))

        yield start


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser, which takes its time to start: one for all tests of a process."""
    if find_chromium() is None:
        pytest.skip("no browser is installed (Debian, Ubuntu: chromium)")
    with Browser(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """An HTTP server that records what comes to it."""
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Nginx]]:
    """`nginx()`, or `nginx(site)` with the inside of a `server` block, starts an nginx."""
    if find_nginx() is None:
        pytest.skip("nginx is not installed (Debian, Ubuntu: nginx-light)")
    with contextlib.ExitStack() as stack:

        def start(site: str = NGINX_SITE) -> Nginx:
            folder: Path = tmp_path_factory.mktemp("nginx")
            server = Nginx(folder, site)
            stack.callback(server.stop)
            return server

        yield start
