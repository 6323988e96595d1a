"""Comparison of runs with a baseline."""
