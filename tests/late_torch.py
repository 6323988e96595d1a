"""A run that goes on in a process where a fit in its middle is the first to load torch."""

import sys

import numpy as np

import byrote
from byrote.runs.paths import RunPaths

from estimators import LoadsTorch

X = np.random.default_rng(0).normal(size=(40, 2))


def score(store):
    """The bytes of the scores."""
    plan = byrote.KFold(2, 2)
    return byrote.score_memorization(LoadsTorch(), X, plan=plan, out=store).score.tobytes()


def begin(store):
    """Leave a run without two fits in its middle; returns the scores of all four."""
    whole = score(store)
    for fit in (1, 2):
        RunPaths(store).fit(fit).unlink()
    return whole


def resume(store):
    """Do the two fits in a process that has not loaded torch yet."""
    assert "torch" not in sys.modules
    return score(store)
