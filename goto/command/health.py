"""`goto health`: ask an instance whether it is healthy."""

from __future__ import annotations

import http.client
import sys
from threading import Thread

from goto import __version__
from goto.client.message import request_target
from goto.testing.asking import Place, connected, reason
from goto.words import http_url
from goto.words.unseen import escaped, escaped_lines
from goto.words.urls import with_scheme

SECONDS = 5.0
"""For all of it: looking the name up, connecting, and the whole answer."""

SHOWN_BYTES = 1 << 16
"""The most of an answer that is shown."""


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
    place = Place(url)
    try:
        with connected(place, SECONDS, insecure=insecure) as connection:
            lines = [
                f"GET {request_target(url)} HTTP/1.1",
                f"Host: {place.authority}",
                f"User-Agent: goto/{__version__}",
                "Accept: text/plain, */*",
                "Connection: close",
            ]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            answer = http.client.HTTPResponse(connection, method="GET")
            answer.begin()
            body = answer.read(SHOWN_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return False, reason(error, SECONDS)
    if not 200 <= answer.status < 300:
        return False, escaped(f"answered {answer.status} {answer.reason}".rstrip())
    return True, escaped_lines(body.strip())
