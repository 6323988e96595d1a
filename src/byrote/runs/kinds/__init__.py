"""Kinds of runs: all that depends on what the records are, one file for each kind."""
