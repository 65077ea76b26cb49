"""An instance that lives as long as a block: in a thread of this process, or a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Self

from goto.hosts.standalone.ports import LOOPBACK
from goto.testing.failures import ApiFailure, BadInput


class InThread:
    """An instance with an event loop of its own, in a thread of its own, on a port that the system chooses."""

    def __init__(self, files: Sequence[str] = ()) -> None:
        """Serves when it returns. Raises `BadInput` for files of configuration that will not do."""
        self._files = files
        self._port: Future[int] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="goto", daemon=True)
        self._thread.start()
        try:
            self.port = self._port.result()
        except BaseException:
            self._thread.join()
            raise
        self.url = f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:
                if self._port.done():
                    raise
                self._port.set_exception(error)

    async def _serve(self) -> None:
        from goto.config.errors import ConfigError
        from goto.errors import ApiError
        from goto.hosts.standalone.host import StandaloneHost
        from goto.instance.start import Start, StartOptions
        from goto.traffic.accesslog import AccessLog
        from goto.words import Port

        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        host = StandaloneHost(AccessLog(enabled=False), LOOPBACK)
        start: Start | None = None
        try:
            try:
                start = Start(host.instance, StartOptions(self._files))
                first = await host.instance.listeners.start(start.take(Port(await host.reserve())), start.seed)
                await start.serve(first, host.open_admin)
            except (ConfigError, ApiError) as error:
                raise BadInput(str(error), 400) from None
            self._port.set_result(first.port)
            await self._end.wait()
            await start.stop()
        finally:
            await host.stop(0)

    def stop(self) -> None:
        """Accept no more, and break off what is in flight."""
        if self._loop is not None and self._end is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class InProcess:
    """An instance in a process of its own, on a port that the system chooses."""

    def __init__(self) -> None:
        """Serves when it returns. Raises `ApiFailure` where it does not."""
        command = [sys.executable, "-m", "goto", "--port", "0", "--host", LOOPBACK]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        where = first.partition(" serves ")[2].split(" ")[0]
        if not where:
            _, said = self._process.communicate()
            raise ApiFailure(f"goto does not serve: {said.strip() or first.strip()}")
        self.port = int(where.rpartition(":")[2])
        self.url = f"http://127.0.0.1:{self.port}"
        # its access log has to go somewhere, or it would wait in the end
        self._drains = [
            threading.Thread(target=_drain, args=[stream], daemon=True) for stream in (self._process.stdout, self._process.stderr)
        ]
        for drain in self._drains:
            drain.start()

    def stop(self) -> None:
        """End it as a signal does."""
        self._process.terminate()
        self._process.wait()
        for drain in self._drains:
            drain.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _drain(stream: Iterable[str] | None) -> None:
    for _ in stream or ():
        pass
