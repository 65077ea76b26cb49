"""The load client: targets, runs of them, what came of it, and its routes."""
