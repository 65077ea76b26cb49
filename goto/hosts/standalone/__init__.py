"""The host on sockets of its own, with aiohttp."""
