"""goto on sockets of its own, on aiohttp's server."""
