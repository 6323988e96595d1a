"""Exposure: how much likelier a secret is to a model than other secrets of its format, in bits."""

from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.result import Exposure

__all__ = ["Exposure", "SkewNormalFit"]
