"""`goto addon`: where the mitmproxy addon lies."""

from __future__ import annotations

from pathlib import Path

NAME = "addons/goto_addon.py"


def addon_path() -> Path:
    """Beside the package in a checkout, within it where it was installed."""
    package = Path(__file__).resolve().parent.parent
    installed = package / NAME
    return installed if installed.exists() else package.parent / NAME


def addon() -> int:
    """Print the path; the exit status."""
    print(addon_path())
    return 0
