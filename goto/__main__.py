"""`python -m goto` is the `goto` command."""

from goto.command.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
