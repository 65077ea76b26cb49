"""`goto health`: ask an instance whether it is healthy."""

from __future__ import annotations

import http.client
import sys
import urllib.request

from goto.words import http_url

TIMEOUT = 5.0
"""Seconds."""


def health(url: str) -> int:
    """0 if the instance at a URL answers that it is healthy, 1 if not, 2 for a URL that is none."""
    try:
        http_url(url)
    except ValueError as error:
        print(f"goto: {error}", file=sys.stderr)
        return 2
    if "/goto/" not in url:
        url = url.rstrip("/") + "/goto/health"
    # no proxy of the environment: this asks the instance itself
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            print(answer.read().decode("utf-8", "replace").strip())
            return 0
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"goto: {url}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
