"""What is released: the wheel and the sources, built and installed as users do."""
