"""The load engine: targets, runs of them, and what came of it. No routes."""
