"""Canaries of one format beside references drawn at random, and beside their ranks in the model."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.ranks import Ranks
from byrote.scores.exposure.answers import Answers, answers_of, best_of, by_rank
from byrote.scores.exposure.arguments import FEWEST
from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.result import Exposure

Array = NDArray[np.float64]
_DEAREST = 1e100  # bits that stand for infinity where a finite number is asked for
EXCLUDED = "the model excludes some references: no curve goes through infinite log-perplexities"


def estimate(bits: Array, references: Array, size: int, *, method: str, level: float) -> Exposure:
    """``estimate_exposure``, where what the model excludes costs more than all else."""
    excluded = method == "skew_normal" and not np.isfinite(references).all()
    found = estimate_exposure(
        np.minimum(bits, _DEAREST),
        np.minimum(references, _DEAREST),
        space_size=size,
        method="sampled" if excluded else method,
        level=level,
    )
    return _without_curve(found) if excluded else found


def _without_curve(found: Exposure) -> Exposure:
    """The same canaries without an estimate."""
    nothing, c = np.full(len(found), np.nan), len(found)
    return replace(
        found,
        bits=nothing,
        low=nothing,
        high=nothing,
        p_value=nothing,
        rank=nothing,
        method=np.full(c, "skew_normal"),
        saturated=np.zeros(c, dtype=bool),
        reason=np.full(c, EXCLUDED),
    )


def best_beside(
    ranks: Ranks, bits: Array, references: Array, *, level: float
) -> tuple[Answers, tuple[SkewNormalFit, ...]]:
    """The best of what ranks and references say, within what is certain of the ranks.

    ``bits`` are the canaries' by the arithmetic of the references. The curve comes too, if asked.
    """
    sampled = estimate(bits, references, ranks.size, method="sampled", level=level)
    curve: Exposure | None = None
    if len(references) >= FEWEST and np.isfinite(references).all() and np.isfinite(bits).all():
        curve = estimate(bits, references, ranks.size, method="skew_normal", level=level)
    chosen = best_of(
        by_rank(ranks),
        answers_of(sampled).within(ranks),
        None if curve is None else answers_of(curve).within(ranks),
    )
    used = curve is not None and "skew_normal" in chosen.method
    return chosen, curve.fits if curve is not None and used else ()
