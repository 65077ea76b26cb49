"""A real nginx."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from support.ports import free_port, listens
from support.waiting import PATIENCE, eventually

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
