"""Certificates and keys in files, in PEM form.

What is wrong is said naming the field and the file, never with anything that is in the file.
"""

from __future__ import annotations

import os
import ssl
import stat

from goto.errors import BadInput

FILE_LIMIT = 1 << 20
"""Bytes of a file."""


def read_pem(path: str, field: str) -> bytes:
    """What a file holds. Raises `BadInput` where it cannot be read."""
    try:
        # a pipe would wait for its writer
        with open(path, "rb", opener=lambda path, flags: os.open(path, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadInput(f"{field}: {path}: not a file")
            data = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise BadInput(f"{field}: {path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > FILE_LIMIT:
        raise BadInput(f"{field}: {path}: more than {FILE_LIMIT} bytes")
    return data


def load_authorities(context: ssl.SSLContext, path: str, field: str) -> None:
    """Trust the certificates in a file. Raises `BadInput`."""
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ValueError):
        raise BadInput(f"{field}: {path}: holds no certificate in PEM form") from None


def load_pair(context: ssl.SSLContext, cert: str, key: str, fields: tuple[str, str]) -> None:
    """Show the certificate in one file, with the key in another or the same one. `fields` name the two. Raises `BadInput`."""
    in_cert, in_key = fields

    def encrypted() -> bytes:
        # without this OpenSSL would ask for the password on the terminal
        raise BadInput(f"{in_key}: {key}: the key is encrypted: give one without a password")

    try:
        context.load_cert_chain(cert, key, encrypted)
    except (OSError, ValueError) as error:
        if getattr(error, "reason", None) in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
            raise BadInput(f"{in_key}: {key}: does not belong to the certificate in {cert}") from None
        load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), cert, in_cert)  # says so where it is the certificate
        raise BadInput(f"{in_key}: {key}: holds no key in PEM form that can be used") from None
