"""The result of a test of exposure: every canary's bits with their uncertainty."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Columnar, Columns
from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.summary import ExposureSummary, summarize

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Exposure(Columnar):
    """Exposure of n canaries, in the order in which they came. Bits.

    Attributes
    ----------
    ids
        (n,) what each canary is called.
    bits
        (n,) log2 of the number of candidates minus log2 of the canary's rank among them by
        log-perplexity, 1 being the likeliest. NaN where there is no estimate.
    low, high
        (n,) interval of ``bits`` at ``level``; ``high`` is infinite where nothing bounds it.
    method
        (n,) where ``bits`` comes from: "sampled", "skew_normal", "exact", or how a rank was found.
    p_value
        (n,) probability of an exposure as high if the secret was drawn at random from its space and
        never trained on. Valid for "search", "exact" and "sampled"; as good as the estimate for
        "skew_normal" and "model_sampled"; it says nothing of a secret that somebody chose.
    saturated
        (n,) whether ``bits`` is no estimate but the most that could be seen: no reference was as
        likely as the canary, or a search ended before it (then it is a certain lower bound).
    rank
        (n,) the rank that gave ``bits``, ties counted against the canary: among all candidates,
        or, if sampled, in 1..N+1 beside N references. NaN where it is not known.
    log_perplexity
        (n,) bits of the canary itself, summed over what follows its prefix; NaN where unknown.
    maximum
        (n,) log2 of the number of candidates in the space; NaN where unknown.
    reason
        (n,) why ``bits`` is NaN, or what to beware of; "" otherwise.
    level
        Of the intervals.
    fits
        The skew-normal curves behind "skew_normal": one for all canaries, or one each, else none.

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
        found = self.summary()
        canaries = f"{len(self)} {'canary' if len(self) == 1 else 'canaries'}"
        mean = f"mean {found.mean:.3g} bits" if found.estimated else "no estimates"
        return f"Exposure({canaries}, {mean}, {found.saturated} saturated)"

    @property
    def interval(self) -> Array:
        """(n, 2) interval of ``bits`` at ``level``."""
        return np.stack([self.low, self.high], axis=1)

    def summary(self) -> ExposureSummary:
        """The canaries in a few numbers."""
        return summarize(
            self.bits, self.saturated, self.p_value, self.method, self.reason, self.fits
        )

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        return {"level": self.level, "fits": [fit.to_dict() for fit in self.fits]}

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> "Exposure":
        """Make a result from what ``columns`` and ``facts`` return."""
        fits = tuple(SkewNormalFit.from_dict(fit) for fit in facts["fits"])
        return super().from_columns(columns, {**facts, "fits": fits})
