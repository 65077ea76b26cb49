"""`goto addon`: the path of the mitmproxy addon."""

from __future__ import annotations

from pathlib import Path

NAME = "addons/goto_addon.py"


def addon_path() -> Path:
    """The addon: beside the package in a checkout, within it where goto is installed."""
    package = Path(__file__).resolve().parent.parent
    installed = package / NAME
    return installed if installed.exists() else package.parent / NAME


def addon() -> int:
    """Print the path of the addon. Returns the exit status."""
    print(addon_path())
    return 0
