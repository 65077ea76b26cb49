"""goto in mitmproxy."""
