"""The `goto` command, and what it starts."""
