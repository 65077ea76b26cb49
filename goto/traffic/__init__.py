"""What every exchange goes through, whichever host carries it."""
