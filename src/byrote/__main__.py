"""``python -m byrote`` is the command ``byrote``."""

from byrote.cli import main

main()
