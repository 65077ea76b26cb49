"""`goto send`: the client as a command."""
