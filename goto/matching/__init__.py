"""Templates, criteria, and the index that finds the targets that a request triggers."""
