"""Exposure from ranks, and the best estimate from ranks and references together."""

from dataclasses import replace
from math import log2
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks
from byrote.attacks.ranks import Ranks
from byrote.errors import InvalidInput
from byrote.scores.exposure.estimate import FEWEST, estimate_exposure
from byrote.scores.exposure.exposure import Exposure
from byrote.stats.exposure import from_rank

Array = NDArray[np.float64]
UNFINISHED = "at least: the search ended before it came to the canary"
UNSUPPORTED = "too few samples of the model are as likely as the canary"
EXCLUDED = "the model excludes some references: no curve goes through infinite log-perplexities"
_LARGEST_BITS = 1e100  # in place of infinity where numbers must be finite


def exposure_from_rank(rank: ArrayLike, space_size: int) -> Any:
    """Convert ranks among all candidates to exposure in bits: log2 of their number minus log2 rank.

    Definition 4 of Carlini et al. (2019).

    Parameters
    ----------
    rank
        Whole numbers, an array of any shape or a single one: 1 is the most likely candidate.
    space_size
        The number of candidates; whole numbers of any size.

    Returns
    -------
    A float, or an array of the shape of ``rank``.

    Raises
    ------
    InvalidInput
        If a rank is not a whole number from 1 to ``space_size``.

    Examples
    --------
    >>> from byrote.exposure import exposure_from_rank
    >>> exposure_from_rank(4, 16)
    2.0
    >>> print(exposure_from_rank([1, 2, 10**9], 10**9).round(3))
    [29.897 28.897  0.   ]
    """
    space_size = checks.size("space_size", space_size)
    checks.array("rank", rank)
    ranks = np.asarray(rank, dtype=object)  # of any length of integer
    for value in ranks.ravel():
        if not _whole(value) or not 1 <= _plain(value) <= space_size:
            raise InvalidInput(
                f"rank must be a whole number from 1 to space_size = {checks.brief(space_size)};"
                f" got {checks.brief(value)}"
            )
    bits: NDArray[np.float64] = from_rank(ranks.ravel(), space_size).reshape(ranks.shape)
    return float(bits) if bits.ndim == 0 else bits


def _whole(value: Any) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool) and _plain(value) % 1 == 0


def _plain(value: Any) -> int | float:
    return int(value) if isinstance(value, int | np.integer) else float(value)


def exposure_of_ranks(
    ranks: Ranks, ids: NDArray[Any] | None = None, *, level: float = 0.95
) -> Exposure:
    """Convert ranks to exposures: lower bounds where only bounds of a rank are known."""
    known, whole = ~np.isnan(ranks.rank), log2(ranks.size)
    rank = np.where(known, ranks.rank, ranks.high)
    method = np.where(known, ranks.method, "search")
    method = np.where(method == "enumeration", "exact", method)
    return Exposure(
        ids=np.arange(len(ranks)) if ids is None else ids,
        bits=whole - np.log2(rank),
        low=whole - np.log2(ranks.high),
        high=whole - np.log2(ranks.low),
        method=method.astype(object).astype(str),  # no wider than its words
        p_value=rank / ranks.size,
        saturated=~known,
        rank=ranks.rank,
        log_perplexity=ranks.bits,
        maximum=np.full(len(ranks), whole),
        reason=np.where(known, "", UNFINISHED),
        level=level,
    )


def model_sampled_only(exposure: Exposure) -> Exposure:
    """Drop the lower bounds of canaries that samples from the model do not support."""
    unsupported = exposure.saturated
    names = ("bits", "low", "high", "p_value")
    columns: dict[str, Any] = {
        name: np.where(unsupported, np.nan, getattr(exposure, name)) for name in names
    }
    return replace(
        exposure,
        **columns,
        method=np.where(unsupported, "model_sampled", exposure.method),
        saturated=np.zeros_like(unsupported),
        reason=np.where(unsupported, UNSUPPORTED, exposure.reason),
    )


def estimate_from_references(
    bits: Array, references: Array, size: int, *, method: str, level: float
) -> Exposure:
    """Apply ``estimate_exposure`` to log-perplexities some of which may be infinite."""
    excluded = method == "skew_normal" and not np.isfinite(references).all()
    exposure = estimate_exposure(
        np.minimum(bits, _LARGEST_BITS),
        np.minimum(references, _LARGEST_BITS),
        space_size=size,
        method="sampled" if excluded else method,
        level=level,
    )
    exposure = replace(exposure, log_perplexity=bits)
    if not excluded:
        return exposure
    unknown, c = np.full(len(exposure), np.nan), len(exposure)
    return replace(
        exposure,
        bits=unknown,
        low=unknown,
        high=unknown,
        p_value=unknown,
        rank=unknown,
        method=np.full(c, "skew_normal"),
        saturated=np.zeros(c, dtype=bool),
        reason=np.full(c, EXCLUDED),
    )


def within_certain_ranks(exposure: Exposure, ranks: Ranks) -> Exposure:
    """Clip estimates and intervals to the guaranteed bounds on the ranks."""
    low, high = (log2(ranks.size) - np.log2(rank) for rank in (ranks.most, ranks.least))
    bits = np.clip(exposure.bits, low, high)
    return replace(
        exposure,
        bits=bits,
        low=np.minimum(np.clip(exposure.low, low, high), bits),
        high=np.maximum(np.clip(exposure.high, low, high), bits),
    )


def best_estimate(ranks: Ranks, bits: Array, references: Array, *, level: float) -> Exposure:
    """Select for each canary the best of its rank, the references and their curve.

    Guaranteed ranks come first; else the narrower interval of ranks and references. The interval of
    a curve assumes that the curve is right, and would always be the narrowest: it is used where
    samples of either kind give only a lower bound. All are clipped to the guaranteed bounds on the
    ranks. ``bits`` are those of the canaries, computed as those of the references are.
    """
    ranked = exposure_of_ranks(ranks, level=level)
    size = ranks.size
    sampled = estimate_from_references(bits, references, size, method="sampled", level=level)
    sampled = within_certain_ranks(sampled, ranks)
    certain = np.isin(ranked.method, ("search", "exact")) & ~ranked.saturated
    best = ranked.where(certain | ~(_width(sampled) < _width(ranked)), sampled)
    if len(references) >= FEWEST and np.isfinite(references).all() and np.isfinite(bits).all():
        curve = estimate_from_references(bits, references, size, method="skew_normal", level=level)
        clipped = within_certain_ranks(curve, ranks)
        use_curve = best.saturated & ~np.isnan(clipped.bits)
        best = best.where(~use_curve, clipped)
        best = replace(best, fits=curve.fits if use_curve.any() else ())
    return replace(best, log_perplexity=ranks.bits)


def _width(exposure: Exposure) -> Array:
    """Width of the intervals; a lower bound is wider than any estimate."""
    width = np.where(np.isnan(exposure.bits), np.inf, exposure.high - exposure.low)
    return width + 1e6 * exposure.saturated
