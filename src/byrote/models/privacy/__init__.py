"""Differentially private training (DP-SGD), shared by the models that offer it."""

from byrote.models.privacy.dp import DP, DPGuarantee

__all__ = ["DP", "DPGuarantee"]
