"""A CA that lives as long as the process, for https listeners that have no certificate of their own."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from goto.errors import BadInput, NotFound

if TYPE_CHECKING:
    import trustme

LEAF_DAYS = 397
"""How long a certificate is valid: some clients refuse one that is valid for longer. A listener gets a new one when it opens."""

MISSING = "certificates are made by the extra tls, which is not installed: pip install '.[tls]' in a checkout of goto"


class Authority:
    """The CA. It makes its key and certificate when they are first needed, and its key never leaves the process."""

    def __init__(self, own_names: Callable[[], Iterable[str]] = tuple) -> None:
        """`own_names` returns the names of this machine. It is called whenever a certificate is made."""
        self._own_names = own_names
        self.names: list[str] = []
        """Names that every certificate is valid for, besides those of this machine."""
        self._ca: trustme.CA | None = None

    @property
    def certificate(self) -> bytes:
        """The certificate of the CA in PEM form, which clients have to trust. Raises `NotFound` without the extra `tls`."""
        try:
            return self._made().cert_pem.bytes()
        except ImportError:
            raise NotFound(MISSING) from None

    def certify(self, context: ssl.SSLContext, names: Sequence[str] = ()) -> None:
        """Load a new certificate for this machine and some names into a context. Raises `BadInput` without the extra `tls`."""
        try:
            ca = self._made()
        except ImportError:
            raise BadInput(f"tls.cert: not given, and {MISSING}") from None
        own = [name for name in (*self._own_names(), *self.names) if _certifiable(name)]
        start = datetime.now(UTC) - timedelta(days=1)  # the clock of a client may be slow
        end = start + timedelta(days=LEAF_DAYS)
        leaf = ca.issue_cert(*dict.fromkeys([*own, *names]), organization_name="goto", not_before=start, not_after=end)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        with _as_file(leaf.private_key_pem.bytes() + chain) as path:
            context.load_cert_chain(path)

    def _made(self) -> trustme.CA:
        if self._ca is None:
            # imported only where it is needed: it takes as long as everything else together
            import trustme

            self._ca = trustme.CA(path_length=0, organization_name="goto")
        return self._ca


def _certifiable(name: str) -> bool:
    """Whether a certificate can be made for a name; the name of a machine need not be one of the DNS."""
    try:
        address = ip_address(name)
    except ValueError:
        return name.isascii() and name.replace("-", "").replace(".", "").isalnum() and not name.startswith(("-", "."))
    return not address.is_unspecified and "%" not in name


@contextlib.contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """The path of a file with this data, since OpenSSL reads keys from files only. The file is in memory where that is possible,
    since a container may be read-only."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        with open(os.memfd_create("goto"), "wb", buffering=0) as file:
            file.write(data)
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pair.pem")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(data)
            yield path
