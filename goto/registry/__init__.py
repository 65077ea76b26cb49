"""One instance handing targets to others: who they are, what they get, and the worker's side of it. No routes."""
