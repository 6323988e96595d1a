"""Generators without a density: statistics of a record and the samples of a fit."""
