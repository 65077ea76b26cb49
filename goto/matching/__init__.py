"""Templates, criteria, and the index that finds what a request hits."""
