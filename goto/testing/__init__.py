"""What a test of a feature stands on: `run` lets an exchange go through its hooks."""

from goto.testing.running import run as run

__all__ = ["run"]
