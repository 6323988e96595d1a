"""Scores: from the table of log-likelihoods to memorization, exposure, privacy and comparisons."""
