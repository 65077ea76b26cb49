"""`goto health`: ask an instance whether it is healthy."""

from __future__ import annotations

import http.client
import ssl
import sys
import urllib.request
from urllib.parse import urlsplit

from goto.words import http_url
from goto.words.unseen import escaped, escaped_lines

TIMEOUT = 5.0
"""Seconds."""


def health(url: str, *, insecure: bool = False) -> int:
    """0 if the instance at a URL answers that it is healthy, 1 if not, 2 for a URL that is none.

    The certificate is checked by what the system trusts, or what `SSL_CERT_FILE` names. That of this machine itself is not: it
    may be for the names that others use.
    """
    try:
        http_url(url)
    except ValueError as error:
        print(escaped(f"goto: {error}"), file=sys.stderr)
        return 2
    if "/goto/" not in url:
        url = url.rstrip("/") + "/goto/health"
    # no proxy of the environment: this asks the instance itself
    context = ssl.create_default_context()
    if insecure or urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            print(escaped_lines(answer.read().decode("utf-8", "replace").strip()))
            return 0
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(escaped(f"goto: {url}: {' '.join(str(error).split())}"), file=sys.stderr)
        return 1
