"""Exposure: how much likelier a secret is to a model than other secrets of its format, in bits."""

from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.planting import score_exposure
from byrote.scores.exposure.rank import exposure_from_rank
from byrote.scores.exposure.result import Exposure
from byrote.scores.exposure.run import ExposureRun

__all__ = [
    "Exposure",
    "ExposureRun",
    "SkewNormalFit",
    "estimate_exposure",
    "exposure_from_rank",
    "score_exposure",
]
