"""How connections to https origins are secured."""

from __future__ import annotations

import hashlib
import ssl
from functools import lru_cache
from weakref import WeakValueDictionary

from goto.errors import Conflict
from goto.tls.files import load_authorities, load_pair, read_pem

MOST = 256
"""Different settings in use at a time. With the system's certificates, each takes half a megabyte."""


class ClientTls:
    """What to trust and what to show. Equal settings are one object: it is part of what connections are looked up by."""

    __slots__ = ("__weakref__", "context", "server_name")

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self.context = context
        self.server_name = str(server_name)  # uvloop takes no subclass
        """Asked for, and checked in the certificate, instead of the host; empty for the host."""


_used: WeakValueDictionary[tuple[object, ...], ClientTls] = WeakValueDictionary()
"""What is held by a target or a connection, by settings and by what the files held."""


def client_tls(*, ca: str = "", cert: str = "", key: str = "", server_name: str = "", verify: bool = True) -> ClientTls | None:
    """The settings of a target, its files read now; None for the usual ones. `key` is in the file of `cert` if not given.

    Raises `BadInput` where a file will not do, and `Conflict` where there are too many.
    """
    if verify and not (ca or cert or server_name):
        return None
    key = key or cert
    files = ((ca, "tls.ca"), (cert, "tls.cert"), (key, "tls.key" if key != cert else "tls.cert"))
    contents = tuple(hashlib.sha256(read_pem(path, field)).digest() if path else b"" for path, field in files)
    mark = (verify, server_name, ca, cert, key, contents)
    there = _used.get(mark)
    if there is None:
        if len(_used) >= MOST:
            raise Conflict(f"tls: {MOST} different settings are in use already")
        there = _used[mark] = ClientTls(_context(ca, cert, key, verify=verify), server_name)
    return there


def _context(ca: str, cert: str, key: str, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context() if verify and not ca else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        load_authorities(context, ca, "tls.ca")
        # the certificate of a server may be named itself, as curl has it
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        load_pair(context, cert, key, ("tls.cert", "tls.key" if key != cert else "tls.cert"))
    return context


@lru_cache(maxsize=1)
def usual_context() -> ssl.SSLContext:
    """Trusts what the system trusts, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name."""
    return ssl.create_default_context()
