"""What tests of real processes and real connections share: a goto, an upstream, an nginx, ports, raw bytes.

Everything here listens on 127.0.0.1 and ends when it is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import unquote_plus

T = TypeVar("T")
Pairs = list[tuple[str, str]]

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 20.0
"""Seconds after which something that should have happened is given up; never a measure of how fast it is."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = range(12000 + _worker, 30000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
"""What tests listen on: below the range that outgoing connections take theirs from. Those that run beside these have others."""

_random = random.Random()
"""One of its own: hypothesis seeds the common one, and two runs on one machine would then take the same ports."""

_given: set[int] = set()


def free_port() -> int:
    """A port that nothing listens on; each only once a run."""
    while True:
        port = _random.choice(PORTS)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("0.0.0.0", port))
                return port


def eventually(read: Callable[[], T], holds: Callable[[T], object] = bool, seconds: float = PATIENCE) -> T:
    """Read until it holds; what was read. An AssertionError with the last value when it never does."""
    until = time.monotonic() + seconds
    while True:
        value = read()
        if holds(value):
            return value
        if time.monotonic() > until:
            raise AssertionError(f"still not so after {seconds:g} s: {value!r}")
        time.sleep(0.02)


async def until(holds: Callable[[], object]) -> None:
    """Wait, while this loop goes on, until it holds. An AssertionError when it never does."""
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up, f"still not so after {PATIENCE:g} s"
        await asyncio.sleep(0.005)


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def raw(port: int, data: bytes, *, until: bytes | None = None, half_close: bool = False) -> bytes:
    """Send these bytes on a connection of their own; what comes back until the other side closes, or `until` was seen.

    A server that keeps connections alive closes when the request says `Connection: close`.
    """
    got = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        while until is None or until not in got:
            try:
                chunk = connection.recv(65536)
            except ConnectionResetError:
                break
            except TimeoutError:
                raise AssertionError(f"neither closed nor {until!r} within {PATIENCE:g} s; got {got[:500]!r}") from None
            if not chunk:
                break
            got += chunk
    return got


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    reason: str
    headers: Pairs
    body: bytes
    took: float

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "surrogateescape")

    def json(self) -> Any:
        return json.loads(self.body)

    def values(self, name: str) -> list[str]:
        """All values of a header, in any letter case of its name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)


def call(
    port: int,
    method: str,
    path: str,
    body: bytes | str | dict[str, Any] | list[Any] | None = None,
    headers: dict[str, str] | Pairs | None = None,
    timeout: float = PATIENCE,
) -> Answer:
    """One request on a connection of its own. The path goes out byte for byte; a dict or list goes as JSON.

    PUT and POST without a body say `Content-Length: 0`, as curl does. TimeoutError when no response comes within `timeout`.
    """
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or ())
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    if body is None and method in ("PUT", "POST"):
        body = b""
    names = {name.lower() for name, _ in pairs}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    started = time.monotonic()
    try:
        connection.putrequest(method, path, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in pairs:
            connection.putheader(name, value)
        if body is not None and "content-length" not in names:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        data = response.read()
        return Answer(response.status, response.reason, response.getheaders(), data, time.monotonic() - started)
    finally:
        connection.close()


class Goto:
    """A goto process of its own, serving on its ports when the constructor returns. Ends by SIGTERM and must then exit with 0."""

    def __init__(
        self,
        label: str | None = "goto",
        *args: str,
        port: int | None = None,
        env: dict[str, str] | None = None,
        expect_errors: bool = False,
    ) -> None:
        self.label = label
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.expect_errors = expect_errors
        """Whether a traceback in the log is what the test provokes."""
        self._log = tempfile.NamedTemporaryFile(prefix=f"goto-{self.port}-", suffix=".log")  # noqa: SIM115  # closed by stop
        self.process = subprocess.Popen(
            [sys.executable, "-m", "goto", "--port", str(self.port), *(("--label", label) if label else ()), *args],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=ROOT,
        )
        # listeners that are configured are open before the first one is, and the admin port is afterwards
        admin = int(args[args.index("--admin-port") + 1]) if "--admin-port" in args else None
        try:
            eventually(lambda: self._serves() and (admin is None or listens(admin)))
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"goto does not listen on {self.port} within {PATIENCE:g} s:\n{self.log}") from None

    def _serves(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"goto ended with exit status {self.process.returncode}:\n{self.log}")
        return listens(self.port)

    @property
    def log(self) -> str:
        """All it has written so far, standard output and error together."""
        return Path(self._log.name).read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def call(
        self,
        method: str,
        path: str,
        body: bytes | str | dict[str, Any] | list[Any] | None = None,
        headers: dict[str, str] | Pairs | None = None,
        timeout: float = PATIENCE,
    ) -> Answer:
        """One request to this goto, see `call`."""
        return call(self.port, method, path, body, headers, timeout)

    def api(self, method: str, path: str, body: bytes | str | dict[str, Any] | list[Any] | None = None) -> Answer:
        """A management call that must succeed, and be answered by management."""
        answer = self.call(method, path, body)
        assert answer.status in (200, 202), f"{method} {path}: {answer}"
        assert b'"RequestURI"' not in answer.body, f"{method} {path} was answered as traffic"
        return answer

    def raw(self, data: bytes, **how: Any) -> bytes:
        """Bytes to this goto, see `raw`."""
        return raw(self.port, data, **how)

    def stop(self, sig: int = signal.SIGTERM) -> str:
        """End it by a signal; its whole log. It must exit with 0 and have logged no traceback that was not expected."""
        if self._log.closed:
            return ""
        if self.running:
            self.process.send_signal(sig)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"goto does not end on {signal.Signals(sig).name}") from None
        log = self.log
        self._log.close()
        assert self.process.returncode == 0, f"exit status {self.process.returncode}:\n{log}"
        assert self.expect_errors or "Traceback" not in log, log
        return log

    def kill(self) -> None:
        """End it as a crash would; nothing is expected of it."""
        self.process.kill()
        self.process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run_goto(*args: str) -> tuple[int, str, str]:
    """Run a goto command that ends by itself: exit status, standard output, standard error."""
    command = [sys.executable, "-m", "goto", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


@dataclass
class Received:
    """A request as it came to an upstream."""

    method: str
    target: str
    """The raw request target."""
    headers: Pairs
    """In order, names as they were spelled."""
    body: bytes = b""
    connection: int = 0
    """The number of the connection it came over, from 1."""
    aborted: threading.Event = field(default_factory=threading.Event)
    """Set when the sender leaves while its answer is held."""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> Pairs:
        """Parameters in order, decoded."""
        raw_query = self.target.partition("?")[2]
        pairs = [pair.partition("=") for pair in raw_query.split("&") if pair]
        return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Reply:
    """What an upstream answers."""

    status: int = 200
    body: bytes | Iterable[bytes] = b"hello\n"
    """An iterable goes out chunked, piece by piece."""
    headers: Pairs = field(default_factory=list)
    reason: str = "Fine"
    hold: threading.Event | None = None
    """Wait for it before the first byte."""
    verbatim: bytes | None = None
    """These bytes instead of all that, then the connection ends. Empty ones: an upstream that drops the request."""
    close: bool = False
    """End the connection afterwards, unannounced."""


class Upstream:
    """A real HTTP/1.1 server in a thread. It records what comes and answers what the test says.

        upstream.on("/slow", Reply(hold=event))
        upstream.on("/count", lambda received: Reply(body=str(len(upstream.received)).encode()))

    Paths nobody spoke about are answered 200 `hello`.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._replies: dict[str, Reply | Callable[[Received], Reply]] = {}
        self._lock = threading.Lock()
        upstream = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                upstream._serve(self.connection, self.rfile)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                if not isinstance(sys.exc_info()[1], OSError):  # a sender that left is no error
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def on(self, path: str, reply: Reply | Callable[[Received], Reply]) -> None:
        self._replies[path] = reply

    def take(self, count: int | None = None) -> list[Received]:
        """What came since the last look; with a count, wait until that many are there. There must be no more."""
        if count is not None:
            eventually(lambda: len(self.received), lambda there: there >= count)
        with self._lock:
            taken, self.received = self.received, []
        assert count is None or len(taken) == count, [f"{one.method} {one.target}" for one in taken]
        return taken

    def reset(self) -> None:
        """Forget what came and what was said about answers."""
        self.take()
        self._replies.clear()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self, connection: socket.socket, stream: Any) -> None:
        with self._lock:
            self.connections += 1
            number = self.connections
        while line := stream.readline():
            received = self._read(line, stream, number)
            with self._lock:
                self.received.append(received)
            said = self._replies.get(received.path, Reply())
            reply = said(received) if callable(said) else said
            if reply.hold is not None and not _held(connection, reply.hold):
                received.aborted.set()
                return
            if reply.verbatim is not None:
                connection.sendall(reply.verbatim)
                return
            self._write(connection, received, reply)
            if reply.close or "close" in " ".join(received.values("connection")).lower():
                return

    @staticmethod
    def _read(line: bytes, stream: Any, number: int) -> Received:
        method, target, _ = line.decode("latin-1").rstrip("\r\n").split(" ")
        headers: Pairs = []
        while field_line := stream.readline().decode("utf-8", "surrogateescape").rstrip("\r\n"):
            name, _, value = field_line.partition(":")
            headers.append((name, value.strip()))
        received = Received(method, target, headers, connection=number)
        if "chunked" in " ".join(received.values("transfer-encoding")).lower():
            while size := int(stream.readline().partition(b";")[0], 16):
                received.body += stream.read(size)
                stream.readline()
            while stream.readline().strip():  # trailers
                pass
        elif length := received.values("content-length"):
            received.body = stream.read(int(length[0]))
        return received

    @staticmethod
    def _write(connection: socket.socket, received: Received, reply: Reply) -> None:
        head = f"HTTP/1.1 {reply.status} {reply.reason}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
        bodiless = received.method == "HEAD" or reply.status in (204, 304)
        if not isinstance(reply.body, bytes):
            connection.sendall((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
            for piece in () if bodiless else reply.body:
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            if not bodiless:
                connection.sendall(b"0\r\n\r\n")
            return
        if reply.status not in (204, 304):
            head += f"Content-Length: {len(reply.body)}\r\n"
        connection.sendall((head + "\r\n").encode() + (b"" if bodiless else reply.body))


def _held(connection: socket.socket, event: threading.Event) -> bool:
    """Wait for an event; whether it came before the other side left."""
    until = time.monotonic() + 3 * PATIENCE
    while not event.wait(0.01):
        readable, _, _ = select.select([connection], [], [], 0)
        if readable:
            try:
                if not connection.recv(1, socket.MSG_PEEK):
                    return False
            except OSError:
                return False
        if time.monotonic() > until:
            raise AssertionError("an answer was held and never let go")
    return True


NGINX_SITE = """
    client_max_body_size 0;
    default_type text/plain;
    location / { return 200 'ok'; }
    location /files/ { alias %(files)s/; }
    location /status/418 { return 418; }
    location /status/503 { return 503; }
    location /headers {
        add_header X-Upstream nginx;
        add_header Set-Cookie a=1;
        add_header Set-Cookie b=2;
        return 200 '$request_method $request_uri $http_host';
    }
    # read to its end before it is answered
    location /upload { proxy_http_version 1.1; proxy_pass http://127.0.0.1:%(port)s/; }
"""


class Nginx:
    """A real nginx with one site, in a folder of its own. `files` holds what it serves under /files/."""

    def __init__(self, folder: Path, site: str = NGINX_SITE) -> None:
        binary = find_nginx()
        assert binary, "no nginx here"
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.files = folder / "files"
        self.files.mkdir()
        site = site.replace("%(files)s", str(self.files)).replace("%(port)s", str(self.port))
        temporary = "".join(
            f"  {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = folder / "nginx.conf"
        # one process and all its temporary files here, so that no privilege is needed
        config.write_text(
            f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n"
            "events { worker_connections 1024; }\n"
            f"http {{\n{temporary}  access_log {folder}/access.log;\n  keepalive_requests 100000;\n"
            f"  server {{\n    listen 127.0.0.1:{self.port} backlog=1024;\n{site}  }}\n}}\n"
        )
        self._process = subprocess.Popen(
            [binary, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            eventually(self._serves)
        except AssertionError:
            self.stop()
            raise

    def _serves(self) -> bool:
        if self._process.poll() is not None:
            assert self._process.stderr is not None
            raise RuntimeError(f"nginx ended: {self._process.stderr.read().decode()}{self.errors}")
        return listens(self.port)

    @property
    def requests(self) -> list[str]:
        """The request lines it has logged."""
        log = self.folder / "access.log"
        return re.findall(r'"([A-Z]+ [^"]*)"', log.read_text()) if log.exists() else []

    @property
    def errors(self) -> str:
        log = self.folder / "error.log"
        return log.read_text() if log.exists() else ""

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(PATIENCE)
        if self._process.stderr is not None:
            self._process.stderr.close()


def find_nginx() -> str | None:
    """The nginx binary; Debian keeps it where only root's PATH looks."""
    return shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))


@contextlib.contextmanager
def held() -> Iterator[threading.Event]:
    """An event for `Reply.hold`, let go at the end whatever happens."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()
