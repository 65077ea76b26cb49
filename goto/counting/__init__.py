"""How anything is counted, and what bounds it."""
