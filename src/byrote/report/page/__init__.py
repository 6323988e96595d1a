"""The page of a run: one file that a browser shows without a network."""
