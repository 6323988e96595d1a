"""Nearest-neighbour tests of memorization, and near-duplicates of the training set."""
