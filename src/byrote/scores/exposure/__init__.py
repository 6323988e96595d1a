"""Exposure: how much likelier a secret is to a model than other secrets of its format, in bits."""
