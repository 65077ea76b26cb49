"""What is made of the declarations for those who use the API: pure functions."""
