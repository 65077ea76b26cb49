"""Files that a test gives, and those that it gets."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

Name = str | os.PathLike[str]


def certificate_file(certificate: str) -> str:
    """The name of a new file with a certificate in PEM."""
    number, name = tempfile.mkstemp(prefix="goto-ca-", suffix=".pem", text=True)
    with os.fdopen(number, "w") as stream:
        stream.write(certificate + "\n")
    return name


def remove(file: Name) -> None:
    """One that is gone already is no error."""
    Path(file).unlink(missing_ok=True)


def content(file: Name) -> bytes:
    return Path(file).read_bytes()


def write_json(file: Name, data: Any) -> None:
    Path(file).write_text(json.dumps(data, ensure_ascii=False, indent=1), "utf-8")
