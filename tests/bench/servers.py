"""The servers that are measured, each on a free port of 127.0.0.1, in processes of their own."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from support.goto_process import Goto
from support.nginx import find_nginx
from support.ports import free_port
from support.waiting import PATIENCE, eventually

from bench.measure import Start
from bench.missing import Missing, find

LARGE = "/large"
LARGE_BYTES = 1 << 20


class Nginx(contextlib.AbstractContextManager["Nginx"]):
    """One process, no access log; `site` is the inside of its `server` block, `http` what stands before it."""

    def __init__(self, site: str, http: str = "", *, tls: bool = False) -> None:
        binary = find_nginx()
        if binary is None:
            raise Missing("nginx is not installed (Debian, Ubuntu: nginx-light)")
        self._folder = TemporaryDirectory(prefix="bench-nginx-")
        folder = Path(self._folder.name)
        (folder / "large").write_bytes(b"x" * LARGE_BYTES)
        self.port = free_port()
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        secure = f"ssl_certificate {folder}/pem; ssl_certificate_key {folder}/pem;" if tls else ""
        if tls:
            _certificate(folder / "pem")
        temporary = " ".join(
            f"{kind}_temp_path {folder}/{kind}_temp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
            "events { worker_connections 4096; }\n"
            f"http {{ {temporary} access_log off; keepalive_requests 1000000000; sendfile on; tcp_nopush on; {http}\n"
            f"server {{ listen 127.0.0.1:{self.port} backlog=1024 {'ssl' if tls else ''}; root {folder}; {secure} {site} }} }}\n"
        )
        self._process = subprocess.Popen([binary, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"])
        eventually(self._serves)

    def _serves(self) -> bool:
        assert self._process.poll() is None, f"nginx ended with exit status {self._process.returncode}"
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._folder.cleanup()


def answering(start: Start, *, tls: bool = False) -> Nginx:
    """An nginx that answers everything with two bytes, and LARGE with a file."""
    return start(Nginx(f"location / {{ return 200 'ok'; }} location = {LARGE} {{ }}", tls=tls))


def passing(start: Start, upstream: Nginx) -> Nginx:
    """An nginx that passes everything on, over connections that it keeps. Nothing goes through files."""
    return start(
        Nginx(
            f"location / {{ proxy_pass {upstream.base.split(':')[0]}://upstream; proxy_http_version 1.1;"
            " proxy_set_header Connection ''; proxy_max_temp_file_size 0; }",
            f"upstream upstream {{ server 127.0.0.1:{upstream.port}; keepalive 64; keepalive_requests 1000000000; }}",
        )
    )


def serving(start: Start, *flags: str, tracked: str = "", targets: list[dict[str, Any]] | None = None) -> Goto:
    """A goto with its access log in a file, that tracks headers and has proxy targets."""
    goto = start(Goto("bench", *flags))
    if tracked:
        goto.api("PUT", f"/request/headers/track/add/{tracked}")
    for target in targets or ():
        goto.api("POST", "/request/proxy/targets/add", target)
    return goto


def mitmdump(start: Start, upstream: Nginx, *, addon: bool) -> str:
    """The URL of a mitmdump in reverse mode in front of an upstream, with goto in it or without."""
    if importlib.util.find_spec("mitmproxy") is None:
        raise Missing("mitmproxy is not installed in this environment (pip install '.[mitmproxy]')")
    from support.mitm_process import ADDON, Mitmdump

    process: Goto = start(Mitmdump(f"reverse:{upstream.base}", addon=ADDON if addon else None))
    return process.base


def _certificate(pem: Path) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = [find("openssl"), "req", "-x509", *key, "-days", "2", "-subj", "/CN=bench"]
    subprocess.run([*command, "-keyout", str(pem), "-out", f"{pem}.crt"], check=True, capture_output=True)
    pem.write_text(pem.read_text() + Path(f"{pem}.crt").read_text())
