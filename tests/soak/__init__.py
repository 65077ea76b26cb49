"""Everything at once for minutes: clients that hang up, upstreams that die, listeners and targets that come and go."""
