"""Exposure from ranks that were found in the model, and the best of several estimates."""

from collections.abc import Sequence
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.exposure.result import Exposure

Array = NDArray[np.float64]

EXACT = ("search", "enumeration", "exact")  # methods after which nothing is left to estimate
_UNKNOWN = "the model was not searched far enough to find the rank"


def from_ranks(
    ids: NDArray[Any],
    log_perplexity: Array,
    rank: Array,
    low: Array,
    high: Array,
    method: Sequence[str],
    *,
    size: int,
    level: float = 0.95,
) -> Exposure:
    """Exposure of c canaries by their ranks among all ``size`` completions of their format.

    Parameters
    ----------
    log_perplexity
        (c,) bits of the canaries themselves.
    rank, low, high
        (c,) the rank, NaN where unknown, and bounds of it: equal to it where it is exact.
    method
        (c,) how each rank was found; "" where it was not.

    Returns
    -------
    The p-value is rank / size. Where the rank is unknown ``bits`` is NaN; bounds of it remain.
    """
    maximum = log2(size)
    unknown = np.isnan(rank)
    with np.errstate(divide="ignore"):
        bits, most, least = (maximum - np.log2(values) for values in (rank, low, high))
    return Exposure(
        ids=np.asarray(ids),
        bits=bits,
        low=np.clip(least, 0, None),
        high=np.clip(most, None, maximum),
        method=np.asarray(method, dtype=np.str_),
        p_value=np.minimum(1, rank / size),
        saturated=np.zeros(len(rank), dtype=bool),
        rank=rank,
        log_perplexity=log_perplexity,
        maximum=np.full(len(rank), maximum),
        reason=np.where(unknown, _UNKNOWN, ""),
        level=level,
    )


def best_of(estimates: Sequence[Exposure]) -> Exposure:
    """For each canary the most trustworthy of several estimates.

    An exact rank before all; then an estimate by chance, from samples of the model or from random
    candidates, the one with the narrower interval; a curve, whose interval does not know whether it
    is the right one, only where chance has nothing but a lower bound; then that bound.

    The estimates are of the same canaries in the same order. A canary that none of them knows keeps
    the first one's reason.
    """
    chosen = np.argmin(np.stack([_distrust(each) for each in estimates]), axis=0)

    def pick(name: str) -> NDArray[Any]:
        values = np.stack([getattr(each, name) for each in estimates])
        return values[chosen, np.arange(values.shape[1])]

    names = ("bits", "low", "high", "method", "p_value", "saturated", "rank", "log_perplexity")
    return Exposure(
        ids=estimates[0].ids,
        **{name: pick(name) for name in (*names, "maximum", "reason")},
        level=estimates[0].level,
        fits=tuple(fit for each in estimates for fit in each.fits),
    )


def _distrust(estimate: Exposure) -> Array:
    """The kind of estimate, then its width as a part of one kind; infinite where unknown."""
    width = estimate.high - estimate.low
    part = np.where(np.isfinite(width), width / (1 + np.abs(width)), 1.0)
    kind = np.select(
        [np.isin(estimate.method, EXACT), estimate.method == "skew_normal", estimate.saturated],
        [0.0, 2.0, 3.0],
        default=1.0,
    )
    return np.where(np.isnan(estimate.bits), np.inf, np.where(kind == 1, kind + part / 2, kind))
