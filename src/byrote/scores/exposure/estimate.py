"""Exposure from log-perplexities, computed anywhere, of canaries and of reference candidates."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from byrote.errors import InvalidInput
from byrote.scores.exposure.arguments import Arguments, check
from byrote.scores.exposure.curve import SkewNormalFit, fit_curve
from byrote.scores.exposure.result import Exposure
from byrote.stats import exposure as formulas

Array = NDArray[np.float64]
AT_LEAST = "at least: no reference is as likely"
BEYOND = "more than log2 of the number of candidates: the curve reaches beyond the space"


def estimate_exposure(
    canary_bits: ArrayLike,
    reference_bits: ArrayLike,
    *,
    space_size: int | None = None,
    method: str = "sampled",
    level: float = 0.95,
    ids: ArrayLike | None = None,
) -> Exposure:
    """Exposure of canaries from log-perplexities, theirs and those of reference candidates.

    The null hypothesis of the p-values is that the secret was drawn at random from its space, as
    the references were, and never trained on.

    ``"sampled"``: references are random candidates other than the canary. The rank is one more than
    the number of references at most as costly, ties counting against exposure, and the exposure
    log2 N − log2 rank: at most log2 N, and where it is that, ``saturated``. The interval is exact
    (Clopper and Pearson's, of the share of candidates at most as costly); p = rank/(N + 1).

    ``"skew_normal"``: minus log2 of the lower tail of a skew-normal curve fitted to the references
    (Carlini et al. 2019, section 4.3), and p is that tail. The interval is the delta method's: of
    other references, the curve taken as right. Where the curve does not fit, the bits are NaN and
    ``reason`` says so.

    ``"exact"``: the references are all candidates of the space, the canary among them.
    p = rank/space_size.

    Parameters
    ----------
    canary_bits
        A number or (c,): −log2 of the probability of each canary's secret after its prefix, summed.
    reference_bits
        (N,) the same of candidates after the same prefix, or (c, N), a row for each canary.
    space_size
        Number of candidates in the space, where it is known; whole numbers of any size.
    method
        ``"sampled"`` takes any N, ``"skew_normal"`` 1,000 references or more.
    level
        Of the intervals.
    ids
        (c,) what the canaries are called; numbers from 0 if not given.

    Raises
    ------
    InvalidInput
        If values are NaN or infinite, shapes disagree, references are too few for the method or,
        for "sampled", more than the space has, or, for "exact", they are not as many as the space
        or the canary is not among them.

    Examples
    --------
    >>> import byrote
    >>> references = [31.0, 29.5, 30.2, 33.1, 28.7, 30.9, 32.4]
    >>> exposure = byrote.estimate_exposure([29.0, 12.0], references, space_size=10**9)
    >>> print(exposure.bits.round(3), exposure.p_value, exposure.saturated)
    [1.807 2.807] [0.25  0.125] [False  True]
    """
    given = check(canary_bits, reference_bits, space_size, method, level, ids)
    found = _METHODS[method](given)
    size, c = given.size, len(given.canaries)
    return Exposure(
        ids=given.ids,
        bits=found.bits,
        low=found.low,
        high=found.high,
        method=np.full(c, method),
        p_value=found.p_value,
        saturated=found.saturated,
        rank=found.rank,
        log_perplexity=given.canaries,
        maximum=np.full(c, np.nan if size is None else log2(size)),
        reason=found.reason,
        level=given.level,
        fits=found.fits,
    )


@dataclass(frozen=True)
class _Found:
    """What a method makes of c canaries; each (c,)."""

    bits: Array
    low: Array
    high: Array
    p_value: Array
    saturated: NDArray[np.bool_]
    rank: Array
    reason: NDArray[np.str_]
    fits: tuple[SkewNormalFit, ...] = ()


def _sampled(given: Arguments) -> _Found:
    n = given.references.shape[-1]
    below = formulas.at_most(given.canaries, given.references)
    low, high = formulas.sampled_interval(below, n, size=given.size, level=given.level)
    saturated = below == 0
    return _Found(
        bits=formulas.sampled(below, n),
        low=low,
        high=high,
        p_value=(below + 1) / (n + 1),
        saturated=saturated,
        rank=(below + 1).astype(np.float64),
        reason=np.where(saturated, AT_LEAST, ""),
    )


def _exact(given: Arguments) -> _Found:
    n = given.references.shape[-1]
    rank = formulas.at_most(given.canaries, given.references)
    rows = np.broadcast_to(given.references, (len(rank), n))
    nearest = np.array([row[max(r - 1, 0)] for row, r in zip(rows, rank, strict=True)])
    strange = np.flatnonzero(nearest != given.canaries)
    if len(strange):
        raise InvalidInput(
            "canary_bits must be among reference_bits, bit for bit, for method='exact';"
            f" got one in row {strange[0]} that is not"
        )
    bits = formulas.from_rank(rank.tolist(), n)
    never = np.zeros(len(rank), dtype=bool)
    return _Found(
        bits, bits, bits, rank / n, never, rank.astype(np.float64), np.where(never, "", "")
    )


def _skew_normal(given: Arguments) -> _Found:
    canaries, c = given.canaries, len(given.canaries)
    curves = tuple(fit_curve(row) for row in np.atleast_2d(given.references))
    bits, error = np.full((2, c), np.nan)
    reason = np.full(c, "", dtype=object)
    rows = [slice(None)] if given.references.ndim == 1 else [slice(i, i + 1) for i in range(c)]
    for curve, row in zip(curves, rows, strict=True):
        reason[row] = curve.reason
        if curve.accepted:
            bits[row] = curve.exposure(canaries[row])
            error[row] = curve.standard_error(canaries[row])
    if given.size is not None:
        reason[bits > log2(given.size)] = BEYOND
    half = float(ndtri((1 + given.level) / 2)) * error
    return _Found(
        bits=bits,
        low=np.maximum(bits - half, 0.0),
        high=bits + half,
        p_value=np.exp2(-bits),
        saturated=np.zeros(c, dtype=bool),
        rank=np.full(c, np.nan),
        reason=reason.astype(str),
        fits=curves,
    )


_METHODS: dict[str, Callable[[Arguments], Any]] = {
    "sampled": _sampled,
    "skew_normal": _skew_normal,
    "exact": _exact,
}
