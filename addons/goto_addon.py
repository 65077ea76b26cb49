"""goto as a mitmproxy addon: mitmdump -s addons/goto_addon.py"""

import sys
from pathlib import Path

# mitmproxy puts this folder on sys.path, not the one above it, where a checkout has goto
ROOT = Path(__file__).resolve().parent.parent
if (ROOT / "goto" / "__init__.py").exists():
    sys.path.append(str(ROOT))

from goto.hosts.mitm.host import MitmHost  # noqa: E402  # found by what was added

addons = [MitmHost()]
