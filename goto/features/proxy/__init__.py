"""Send traffic on to targets that match it."""
