"""Certificates for tests, made anew for each run."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass
class Pair:
    """A certificate and its key, as files."""

    cert: Path
    key: Path

    @property
    def both(self) -> Path:
        """One file with the two."""
        path = self.cert.with_name(f"{self.cert.stem}-both.pem")
        path.write_bytes(self.cert.read_bytes() + self.key.read_bytes())
        return path

    @property
    def encrypted(self) -> Path:
        """The key with a password."""
        path = self.key.with_name(f"{self.key.stem}-encrypted.pem")
        made = ["openssl", "pkey", "-in", str(self.key), "-aes256", "-passout", "pass:secret", "-out", str(path)]
        subprocess.run(made, check=True, capture_output=True)
        return path


class Authority:
    """A CA, and what it has signed, in a folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._name = name
        self._ca = trustme.CA()
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, *names: str, file: str = "leaf") -> Pair:
        leaf = self._ca.issue_cert(*names)
        pair = Pair(self._folder / f"{self._name}-{file}.pem", self._folder / f"{self._name}-{file}.key")
        pair.cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(pair.key)
        return pair

    def server(self, pair: Pair, *, ask: bool = False) -> ssl.SSLContext:
        """For a server that shows a pair, and may ask for a certificate of this CA."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert, pair.key)
        if ask:
            context.load_verify_locations(self.file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    @property
    def client(self) -> ssl.SSLContext:
        """For a client that trusts it."""
        return ssl.create_default_context(cafile=self.file)
