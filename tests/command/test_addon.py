"""Where the mitmproxy addon lies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support import ROOT

import goto
from goto.command.addon import addon_path


def test_a_checkout_has_it_beside_the_package_and_an_installation_inside() -> None:
    package = Path(goto.__file__).parent
    assert addon_path() == (ROOT if package.parent == ROOT else package) / "addons" / "goto_addon.py"
    assert "MitmHost()" in addon_path().read_text()


def test_the_command_prints_the_path() -> None:
    done = subprocess.run([sys.executable, "-m", "goto", "addon"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"{addon_path()}\n"
