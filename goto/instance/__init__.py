"""What a process has once, whichever listener is called."""
