"""Differentially private training (DP-SGD), shared by the models that offer it.

A record's part in a step is the gradient of its own loss, clipped; noise is added to the sum. What
that promises about a record, whoever looks at the weights, is an (epsilon, delta).
"""

from byrote.models.privacy.dp import DP

__all__ = ["DP"]
