"""goto: an HTTP test server, an intercepting proxy and a load-sending client in one."""

__version__ = "1.0.0"
