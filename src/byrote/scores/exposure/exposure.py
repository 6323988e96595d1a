"""The exposure of each canary with its uncertainty, and summaries over canaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Columnar, Columns, PlainData
from byrote.scores.exposure.curve import SkewNormalFit

Array = NDArray[np.float64]
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class PValues:
    """Summary of the p-values; without memorization half of them lie below 0.5.

    Attributes
    ----------
    tested
        Number of canaries with a p-value.
    smallest, median
        NaN if there are none.
    significant
        Number of p-values of at most 0.05; about a twentieth without memorization.
    """

    tested: int
    smallest: float
    median: float
    significant: int


@dataclass(frozen=True)
class ExposureSummary(PlainData):
    """Exposures of canaries in a few numbers, in bits.

    Attributes
    ----------
    canaries, estimated, saturated
        Number of canaries, of those with an estimate, and of those whose estimate is a lower bound.
    mean, median, largest
        Statistics of the estimates, including saturated ones; NaN if there are none.
    methods
        Number of canaries by method.
    unknown
        Number of canaries without an estimate, by reason.
    p_values
        Their distribution.
    fits
        Each skew-normal curve, with its Kolmogorov-Smirnov test, quantile errors and verdict.
    """

    canaries: int
    estimated: int
    saturated: int
    mean: float
    median: float
    largest: float
    methods: Mapping[str, int]
    unknown: Mapping[str, int]
    p_values: PValues
    fits: tuple[SkewNormalFit, ...] = field(default=())


@dataclass(frozen=True, eq=False, repr=False)
class Exposure(Columnar):
    """Exposure of n canaries, in bits, in the order given.

    Attributes
    ----------
    ids
        (n,) names of the canaries.
    bits
        (n,) log2 of the number of candidates minus log2 of the canary's rank among them by
        log-perplexity, 1 being the most likely. NaN where unknown.
    low, high
        (n,) interval of ``bits`` at ``level``; ``high`` is infinite where unbounded.
    method
        (n,) source of ``bits``: "sampled", "skew_normal", "exact", "search" or "model_sampled".
    p_value
        (n,) probability of an exposure at least as high for a secret drawn at random from its space
        and never trained on. Exact for "search", "exact" and "sampled", approximate for
        "skew_normal" and "model_sampled"; meaningless for a secret that was not drawn.
    saturated
        (n,) whether ``bits`` is only a lower bound: no reference was as likely as the canary, or a
        search ended before it (then the bound is guaranteed).
    rank
        (n,) the rank behind ``bits``, ties counted against the canary: among all candidates, or, if
        sampled, in 1..N+1 among N references. NaN where unknown.
    log_perplexity
        (n,) bits of the canary's completion after its prefix; NaN where unknown.
    maximum
        (n,) log2 of the number of candidates; NaN where unknown.
    reason
        (n,) why ``bits`` is NaN, or how it is limited; "" otherwise.
    level
        Level of the intervals.
    fits
        The skew-normal curves behind "skew_normal": one for all canaries, or one each.

    Examples
    --------
    >>> import numpy as np
    >>> from byrote import Exposure
    >>> one, nothing = np.ones(1), np.full(1, np.nan)
    >>> exposure = Exposure(
    ...     ids=np.array(["pin"]), bits=3 * one, low=2 * one, high=4 * one,
    ...     method=np.array(["sampled"]), p_value=0.06 * one, saturated=np.array([False]),
    ...     rank=2 * one, log_perplexity=nothing, maximum=nothing, reason=np.array([""]))
    >>> exposure.interval.tolist(), exposure
    ([[2.0, 4.0]], Exposure(1 canary, mean 3 bits, 0 saturated))
    """

    FORMAT = "byrote-exposure-1"
    CONTENT = "exposures"

    bits: Array
    low: Array
    high: Array
    method: NDArray[np.str_]
    p_value: Array
    saturated: NDArray[np.bool_]
    rank: Array
    log_perplexity: Array
    maximum: Array
    reason: NDArray[np.str_]
    level: float = 0.95
    fits: tuple[SkewNormalFit, ...] = ()

    def __repr__(self) -> str:
        summary = self.summary()
        canaries = f"{len(self)} {'canary' if len(self) == 1 else 'canaries'}"
        mean = f"mean {summary.mean:.3g} bits" if summary.estimated else "no estimates"
        return f"Exposure({canaries}, {mean}, {summary.saturated} saturated)"

    @property
    def interval(self) -> Array:
        """(n, 2) interval of ``bits`` at ``level``."""
        return np.stack([self.low, self.high], axis=1)

    def summary(self) -> ExposureSummary:
        """Return the canaries in a few numbers."""
        known = self.bits[~np.isnan(self.bits)]
        tested = self.p_value[~np.isnan(self.p_value)]
        return ExposureSummary(
            canaries=len(self),
            estimated=len(known),
            saturated=int(np.count_nonzero(self.saturated)),
            mean=float(known.mean()) if len(known) else np.nan,
            median=float(np.median(known)) if len(known) else np.nan,
            largest=float(known.max()) if len(known) else np.nan,
            methods=_count(self.method),
            unknown=_count(self.reason[np.isnan(self.bits)]),
            p_values=PValues(
                tested=len(tested),
                smallest=float(tested.min()) if len(tested) else np.nan,
                median=float(np.median(tested)) if len(tested) else np.nan,
                significant=int(np.count_nonzero(tested <= SIGNIFICANCE)),
            ),
            fits=self.fits,
        )

    @classmethod
    def concat(cls, parts: Sequence["Exposure"]) -> "Exposure":
        """Put exposures of one level one after the other, with the curves of all."""
        curves = tuple(curve for part in parts for curve in part.fits)
        return replace(super().concat(parts), fits=curves)

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        return {"level": self.level, "fits": [fit.to_dict() for fit in self.fits]}

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> "Exposure":
        """Make a result from what ``columns`` and ``facts`` return."""
        fits = tuple(SkewNormalFit.from_dict(fit) for fit in facts["fits"])
        return super().from_columns(columns, {**facts, "fits": fits})


def _count(words: NDArray[np.str_]) -> dict[str, int]:
    names, counts = np.unique(words, return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}
