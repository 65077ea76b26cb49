"""goto as a mitmproxy addon: mitmdump -s addons/goto_addon.py"""

import sys
from pathlib import Path

# mitmproxy puts this folder on sys.path, not the one above it, where a checkout has goto
sys.path.append(str(Path(__file__).resolve().parent.parent))

from goto.hosts.mitm import MitmHost

addons = [MitmHost()]
