"""What went through: entries within bounds, to be looked at, verified, waited for, watched and exported."""
