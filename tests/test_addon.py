"""Where the mitmproxy addon lies."""

from __future__ import annotations

import subprocess
import sys

from support import ROOT

from goto.addon import addon_path


def test_a_checkout_has_it_beside_the_package() -> None:
    assert addon_path() == ROOT / "addons" / "goto_addon.py"
    assert "MitmHost()" in addon_path().read_text()


def test_the_command_prints_the_path() -> None:
    done = subprocess.run([sys.executable, "-m", "goto", "addon"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"{addon_path()}\n"
