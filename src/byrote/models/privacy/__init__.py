"""Differentially private training (DP-SGD), shared by the models that offer it.

A record's contribution to a step is the clipped gradient of its own loss; noise is added to the
sum. The resulting (epsilon, delta) guarantee is about the released weights.
"""

from byrote.models.privacy.dp import DP
from byrote.models.privacy.guarantee import DPGuarantee

__all__ = ["DP", "DPGuarantee"]
