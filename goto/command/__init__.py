"""The `goto` command."""
