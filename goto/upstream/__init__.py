"""Sending requests on: connections, the pool, and the answers."""
