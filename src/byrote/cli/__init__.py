"""The command ``byrote``: arguments in, calls of the library, files and text out."""

from byrote.cli.app import main

__all__ = ["main"]
