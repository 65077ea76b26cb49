"""Counters, and the bounds of their memory."""
