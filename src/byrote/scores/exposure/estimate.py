"""Exposure from log-perplexities, computed anywhere, of canaries and of reference candidates."""

from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from byrote import checks
from byrote.errors import InvalidInput
from byrote.scores.exposure.curve import fit_curve
from byrote.scores.exposure.exposure import Exposure
from byrote.stats import exposure as formulas

Array = NDArray[np.float64]
METHODS = ("sampled", "skew_normal", "exact")
FEWEST = 1000  # references that can carry a skew-normal fit
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
    """Estimate the exposure of canaries from log-perplexities of canaries and references.

    The null hypothesis of the p-values: the secret was drawn at random from its space, as the
    references were, and never trained on.

    ``"sampled"``: references are random candidates other than the canary. The rank is one more than
    the number of references at most as costly, ties counting against exposure, and the exposure is
    log2 N − log2 rank: at most log2 N, where it is ``saturated``. The interval is exact
    (Clopper and Pearson's, of the share of candidates at most as costly); p = rank/(N + 1).

    ``"skew_normal"``: minus log2 of the lower tail of a skew-normal curve fitted to the references
    (Carlini et al. 2019, section 4.3), and p is that tail. The interval is the delta method's, for
    other references of the same curve. Where the curve does not fit, the bits are NaN, with the
    ``reason``.

    ``"exact"``: the references are all candidates of the space, the canary among them.
    p = rank/space_size.

    Parameters
    ----------
    canary_bits
        A number or (c,): −log2 of the probability of each canary's secret after its prefix, summed.
    reference_bits
        (N,) the same for candidates after the same prefix, or (c, N), a row for each canary.
    space_size
        Number of candidates, if known; whole numbers of any size.
    method
        ``"sampled"`` accepts any N, ``"skew_normal"`` needs 1,000 references or more.
    level
        Level of the intervals.
    ids
        (c,) names of the canaries (default: numbers from 0).

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
    >>> exposure = byrote.exposure.estimate_exposure([29.0, 12.0], references, space_size=10**9)
    >>> print(exposure.bits.round(3), exposure.p_value, exposure.saturated)
    [1.807 2.807] [0.25  0.125] [False  True]
    """
    problem = _checked(canary_bits, reference_bits, space_size, method, level, ids)
    return _METHODS[method](problem)


def estimate_by_group(
    canary_bits: Array,
    reference_bits: Array,
    canary_group: NDArray[Any],
    reference_group: NDArray[Any],
    *,
    ids: NDArray[Any],
    space_size: int | None = None,
    method: str = "sampled",
) -> Exposure:
    """Apply ``estimate_exposure`` to canaries and references, (c,) and (N,), group by group.

    Examples
    --------
    >>> import numpy as np
    >>> bits, groups = np.array([1.0, 5, 2, 6]), np.array(["x", "x", "y", "y"])
    >>> exposure = estimate_by_group(
    ...     np.array([5.5, 5.5]), bits, np.array(["y", "x"]), groups, ids=np.array(["a", "b"])
    ... )
    >>> exposure.rank.tolist()
    [2.0, 3.0]
    """
    parts, places = [], []
    for group in np.unique(canary_group):
        rows = np.flatnonzero(canary_group == group)
        references = reference_bits[reference_group == group]
        options: dict[str, Any] = {"space_size": space_size, "method": method, "ids": ids[rows]}
        parts.append(estimate_exposure(canary_bits[rows], references, **options))
        places.append(rows)
    return Exposure.concat(parts).take(np.argsort(np.concatenate(places)))


@dataclass(frozen=True)
class _Problem:
    """Canaries (c,) and their sorted references, (N,) for all or (c, N)."""

    canaries: Array
    references: Array
    size: int | None
    level: float
    ids: NDArray[Any]

    def exposure(self, method: str, bits: Array, **columns: Any) -> Exposure:
        """Make the result of a method."""
        c = len(self.canaries)
        rest: dict[str, Any] = {
            "saturated": np.zeros(c, dtype=bool),
            "rank": np.full(c, np.nan),
            "reason": np.full(c, ""),
            **columns,
        }
        return Exposure(
            ids=self.ids,
            bits=bits,
            method=np.full(c, method),
            log_perplexity=self.canaries,
            maximum=np.full(c, np.nan if self.size is None else log2(self.size)),
            level=self.level,
            **rest,
        )


def _sampled(problem: _Problem) -> Exposure:
    n = problem.references.shape[-1]
    below = formulas.at_most(problem.canaries, problem.references)
    low, high = formulas.sampled_interval(below, n, size=problem.size, level=problem.level)
    return problem.exposure(
        "sampled",
        formulas.sampled(below, n),
        low=low,
        high=high,
        p_value=(below + 1) / (n + 1),
        saturated=below == 0,
        rank=(below + 1).astype(np.float64),
        reason=np.where(below == 0, AT_LEAST, ""),
    )


def _exact(problem: _Problem) -> Exposure:
    n = problem.references.shape[-1]
    rank = formulas.at_most(problem.canaries, problem.references)
    rows = np.broadcast_to(problem.references, (len(rank), n))
    nearest = np.array([row[max(r - 1, 0)] for row, r in zip(rows, rank, strict=True)])
    missing = np.flatnonzero(nearest != problem.canaries)
    if len(missing):
        raise InvalidInput(
            "canary_bits must be among reference_bits, bit for bit, for method='exact';"
            f" got one in row {missing[0]} that is not"
        )
    bits = formulas.from_rank(rank.tolist(), n)
    p_value, rank = rank / n, rank.astype(np.float64)
    return problem.exposure("exact", bits, low=bits, high=bits, p_value=p_value, rank=rank)


def _skew_normal(problem: _Problem) -> Exposure:
    canaries, c = problem.canaries, len(problem.canaries)
    curves = tuple(fit_curve(row) for row in np.atleast_2d(problem.references))
    bits, error = np.full((2, c), np.nan)
    reason = np.full(c, "", dtype=object)
    rows = [slice(None)] if problem.references.ndim == 1 else [slice(i, i + 1) for i in range(c)]
    for curve, row in zip(curves, rows, strict=True):
        reason[row] = curve.reason
        if curve.accepted:
            bits[row] = curve.exposure(canaries[row])
            error[row] = curve.standard_error(canaries[row])
    if problem.size is not None:
        reason[bits > log2(problem.size)] = BEYOND
    half = float(ndtri((1 + problem.level) / 2)) * error
    low, high = np.maximum(bits - half, 0.0), bits + half
    p_value, reason = np.exp2(-bits), reason.astype(str)
    ends: dict[str, Any] = {"low": low, "high": high, "p_value": p_value}
    return problem.exposure("skew_normal", bits, **ends, reason=reason, fits=curves)


_METHODS = {"sampled": _sampled, "skew_normal": _skew_normal, "exact": _exact}


def _checked(
    canary_bits: ArrayLike,
    reference_bits: ArrayLike,
    space_size: int | None,
    method: str,
    level: float,
    ids: ArrayLike | None,
) -> _Problem:
    method = checks.choice("method", method, METHODS)
    level = checks.fraction("level", level)
    size = None if space_size is None else checks.size("space_size", space_size)
    canaries = np.atleast_1d(checks.numbers("canary_bits", canary_bits))
    references = checks.numbers("reference_bits", reference_bits)
    c = len(canaries)
    if canaries.ndim != 1 or c == 0:
        raise InvalidInput(f"canary_bits must be a number or (c,); got shape {canaries.shape}")
    if references.ndim not in (1, 2) or references.shape[:-1] not in ((), (c,)):
        raise InvalidInput(
            "reference_bits must be (N,) for all canaries or (c, N), a row for each of"
            f" {c}; got shape {references.shape}"
        )
    n = references.shape[-1]
    _check_count(n, size, method)
    checks.finite("canary_bits", canaries)
    checks.finite("reference_bits", references)
    names = np.arange(c) if ids is None else checks.ids(ids, c, "canaries")
    size = n if method == "exact" else size
    return _Problem(canaries, np.sort(references), size, float(level), names)


def _check_count(n: int, size: int | None, method: str) -> None:
    if n == 0:
        raise InvalidInput("reference_bits must hold at least one reference; got none")
    if method == "skew_normal" and n < FEWEST:
        raise InvalidInput(
            f"reference_bits must hold {FEWEST:,} references or more for method='skew_normal'"
            f" ('sampled' accepts any number); got {n}"
        )
    if method == "sampled" and size is not None and n > size:
        raise InvalidInput(
            f"space_size must be at least the number of references for method='sampled', which are"
            f" candidates of that space; got {size:,} with {n:,} references"
        )
    if method == "exact" and size not in (None, n):
        raise InvalidInput(
            f"reference_bits must be the whole space for method='exact': space_size ="
            f" {checks.brief(size)}"
            f" of them; got {n}"
        )
