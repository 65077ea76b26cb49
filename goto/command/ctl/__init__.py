"""`goto ctl`: management calls whose words are the path."""
