"""The host in mitmproxy."""
