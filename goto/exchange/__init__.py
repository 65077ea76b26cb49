"""What a flow is made of besides its messages: its calls, its waits, and how its answer is delivered."""
