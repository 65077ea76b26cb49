"""The TLS context of a listener with protocol https."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from goto.tls.authority import Authority
from goto.tls.files import load_pair, read_pem


def server_context(authority: Authority, cert: str = "", key: str = "", names: Sequence[str] = ()) -> ssl.SSLContext:
    """A context for TLS 1.2 and newer and for HTTP/1.1, with the pair in these files, read now, or one that the authority makes.

    Raises `BadInput` where a file cannot be used, or no certificate can be made.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    if cert:
        key = key or cert
        in_key = "tls.key" if key != cert else "tls.cert"
        read_pem(cert, "tls.cert")
        read_pem(key, in_key)
        load_pair(context, cert, key, ("tls.cert", in_key))
    else:
        authority.certify(context, names)
    return context
