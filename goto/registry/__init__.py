"""One instance hands targets to others: the registry with its routes, the pushes it makes, and the worker's side."""
