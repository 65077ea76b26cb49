"""`goto health`: ask an instance whether it is healthy."""

from __future__ import annotations

import http.client
import socket
import ssl
import sys
from threading import Thread

from goto import __version__
from goto.client.message import request_target
from goto.flow import Origin
from goto.words import http_url
from goto.words.failures import system_reason
from goto.words.hosts import missing_interface
from goto.words.unseen import escaped, escaped_lines
from goto.words.urls import with_scheme

SECONDS = 5.0
"""For all of it: looking the name up, connecting, and the whole answer."""

SHOWN_BYTES = 1 << 16
"""The most of an answer that is shown."""

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def health(url: str, *, insecure: bool = False) -> int:
    """0 if the instance at a URL answers that it is healthy, 1 if not, 2 for a URL that is not one.

    The certificate is checked by what the system trusts, or what `SSL_CERT_FILE` names. That of this machine itself is not: it
    may be for the names that others use. A proxy of the environment is not used: this asks the instance itself.
    """
    url = with_scheme(url)
    try:
        http_url(url)
    except ValueError as error:
        print(f"goto: {error}", file=sys.stderr)
        return 2
    if "/goto/" not in url:
        url = url.rstrip("/") + "/goto/health"
    answers: list[tuple[bool, str]] = []
    # nothing bounds how long a name is looked up, so this is done by a thread that can be left behind
    thread = Thread(target=lambda: answers.append(_ask(url, insecure=insecure)), daemon=True)
    thread.start()
    thread.join(SECONDS)
    healthy, text = answers[0] if answers else (False, f"no answer within {SECONDS:g}s")
    if healthy:
        print(text)
        return 0
    print(f"goto: {url}: {text}", file=sys.stderr)
    return 1


def _ask(url: str, *, insecure: bool) -> tuple[bool, str]:
    """Ask the instance. Returns whether it is healthy, and the body of its answer or the reason why there is none."""
    origin = Origin.of(url)
    if missing := missing_interface(origin.host):
        return False, f"no interface {missing}"
    try:
        with _connected(origin, insecure=insecure) as connection:
            lines = [
                f"GET {request_target(url)} HTTP/1.1",
                f"Host: {origin.authority}",
                f"User-Agent: goto/{__version__}",
                "Accept: text/plain, */*",
                "Connection: close",
            ]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            answer = http.client.HTTPResponse(connection, method="GET")
            answer.begin()
            body = answer.read(SHOWN_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return False, _reason(error)
    if not 200 <= answer.status < 300:
        return False, escaped(f"answered {answer.status} {answer.reason}".rstrip())
    return True, escaped_lines(body.strip())


def _connected(origin: Origin, *, insecure: bool) -> socket.socket:
    """Raises OSError."""
    connection = socket.create_connection((origin.resolvable, origin.port), SECONDS)
    if origin.scheme == "http":
        return connection
    context = ssl.create_default_context()
    if insecure or origin.server_name in THIS_MACHINE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(connection, server_hostname=origin.server_name)
    except BaseException:
        connection.close()
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:g}s"
    if isinstance(error, http.client.HTTPException):
        return "did not answer in HTTP"
    return system_reason(error)
