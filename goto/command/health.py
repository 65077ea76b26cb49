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
"""How long to wait for the instance, in seconds."""


def health(url: str, *, insecure: bool = False) -> int:
    """Returns 0 if the instance at a URL answers that it is healthy, 1 if it does not, and 2 if the URL is not valid.

    The certificate must be trusted by the system, or by what `SSL_CERT_FILE` names. That of an instance on this machine is not
    checked, since it may be valid only for the names that others use.
    """
    try:
        http_url(url)
    except ValueError as error:
        print(escaped(f"goto: {error}"), file=sys.stderr)
        return 2
    if "/goto/" not in url:
        url = url.rstrip("/") + "/goto/health"
    # without a proxy that the environment may name, since this asks the instance itself
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
