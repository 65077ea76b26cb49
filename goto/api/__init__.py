"""Management calls: found by the table of routes, let in, served, and described."""
