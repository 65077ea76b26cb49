"""TLS settings of connections to https origins."""

from __future__ import annotations

import hashlib
import ssl
from functools import lru_cache
from weakref import WeakValueDictionary

from goto.errors import Conflict
from goto.tls.files import load_authorities, load_pair, read_pem

MOST_SETTINGS = 256
"""Different settings that may be in use at a time. Each takes half a megabyte where it has the system's certificates."""


class ClientTls:
    """What to trust, and which certificate to show. Equal settings are one object, since it is part of the key of connections."""

    __slots__ = ("__weakref__", "context", "server_name")

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self.context = context
        self.server_name = str(server_name)  # uvloop accepts no subclass of str
        """The name that is asked for by SNI and checked in the certificate; empty for the host of the origin."""


_used: WeakValueDictionary[tuple[object, ...], ClientTls] = WeakValueDictionary()
"""The settings that a target or a connection still uses, by their values and by the content of their files."""


def client_tls(*, ca: str = "", cert: str = "", key: str = "", server_name: str = "", verify: bool = True) -> ClientTls | None:
    """The settings of a target, whose files are read now; None for the default ones. `key` is in the file of `cert` if not given.

    Raises `BadInput` where a file cannot be used, and `Conflict` where too many settings are in use.
    """
    if verify and not (ca or cert or server_name):
        return None
    key = key or cert
    files = ((ca, "tls.ca"), (cert, "tls.cert"), (key, "tls.key" if key != cert else "tls.cert"))
    contents = tuple(hashlib.sha256(read_pem(path, field)).digest() if path else b"" for path, field in files)
    mark = (verify, server_name, ca, cert, key, contents)
    there = _used.get(mark)
    if there is None:
        if len(_used) >= MOST_SETTINGS:
            raise Conflict(f"tls: {MOST_SETTINGS} different settings are in use already: remove a target that has some")
        there = _used[mark] = ClientTls(_context(ca, cert, key, verify=verify), server_name)
    return there


def _context(ca: str, cert: str, key: str, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context() if verify and not ca else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        load_authorities(context, ca, "tls.ca")
        # the file may hold the certificate of the server itself, as with curl
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        load_pair(context, cert, key, ("tls.cert", "tls.key" if key != cert else "tls.cert"))
    return context


@lru_cache(maxsize=1)
def usual_context() -> ssl.SSLContext:
    """The default: trusts what the system trusts, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name."""
    return ssl.create_default_context()
