"""Certificates and keys in files, in PEM form. Errors name the field and the file, and never repeat what is in the file."""

from __future__ import annotations

import hashlib
import os
import ssl
import stat

from goto.errors import BadInput

FILE_LIMIT = 1 << 20
"""Bytes that a file may have."""


def read_pem(path: str, field: str) -> bytes:
    """The content of a file. Raises `BadInput` where it cannot be read."""
    try:
        # opening a pipe would block until it has a writer
        with open(path, "rb", opener=lambda path, flags: os.open(path, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadInput(f"{field}: {path}: not a regular file")
            data = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise BadInput(f"{field}: {path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > FILE_LIMIT:
        raise BadInput(f"{field}: {path}: more than {FILE_LIMIT} bytes, which is the limit")
    return data


def pair_digest(cert: str, key: str) -> bytes:
    """What a certificate and its key hold, to tell whether they have changed. A file that cannot be read holds nothing."""
    digest = hashlib.sha256()
    for path in (cert, key or cert):
        try:
            data = read_pem(path, "")
        except BadInput:
            data = b""
        digest.update(b"%d:%b" % (len(data), data))
    return digest.digest()


def load_authorities(context: ssl.SSLContext, path: str, field: str) -> None:
    """Have a context trust the certificates in a file. Raises `BadInput`."""
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ValueError):
        raise BadInput(f"{field}: {path}: holds no certificate in PEM form") from None


def load_pair(context: ssl.SSLContext, cert: str, key: str, fields: tuple[str, str]) -> None:
    """Load the certificate in one file and the key in the same or another one. `fields` are their names. Raises `BadInput`."""
    in_cert, in_key = fields

    def encrypted() -> bytes:
        # without this callback OpenSSL asks for the password on the terminal
        raise BadInput(f"{in_key}: {key}: the key is encrypted: give one without a password")

    try:
        context.load_cert_chain(cert, key, encrypted)
    except (OSError, ValueError) as error:
        if getattr(error, "reason", None) in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
            raise BadInput(f"{in_key}: {key}: does not belong to the certificate in {cert}") from None
        load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), cert, in_cert)  # raises where the fault is in the certificate
        raise BadInput(f"{in_key}: {key}: holds no key in PEM form that can be used") from None
