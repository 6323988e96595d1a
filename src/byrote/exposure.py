"""Exposure of secrets: estimates from log-perplexities, and exposure over training."""

from byrote.scores.exposure.best_estimate import exposure_from_rank
from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.trajectory import ExposureOverTraining

__all__ = [
    "ExposureOverTraining",
    "SkewNormalFit",
    "estimate_exposure",
    "exposure_from_rank",
]
