"""Fits: train, then score every record, and keep the log-likelihoods."""
