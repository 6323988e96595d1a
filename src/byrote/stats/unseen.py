"""How many kinds there are, seen or not, from how often those seen occurred."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from byrote.stats.estimate import LEVEL, Estimate


def chao1(counts: ArrayLike, *, level: float = LEVEL) -> Estimate:
    """Estimate the number of kinds from below, by those seen once and twice (Chao 1984).

    With s kinds seen, a of them once and b twice, s + a^2 / (2b), or where b is 0 the form without
    bias s + a (a - 1) / 2. The interval, above s, is that of Chao (1987), which takes the logarithm
    of the number unseen for normal.

    Parameters
    ----------
    counts
        (n,) how often each kind occurred; zeros are kinds that were not seen.
    level
        Confidence level.

    Examples
    --------
    >>> found = chao1([1, 1, 1, 1, 2, 2, 5, 0])
    >>> found.value, found.bound, round(found.low, 2), round(found.high, 2)
    (11.0, 'at least', 7.56, 35.72)
    """
    values = np.asarray(counts)
    seen, once, twice = (int(np.count_nonzero(k)) for k in (values, values == 1, values == 2))
    if not seen:
        return Estimate(np.nan, level=level, bound="at least", reason="nothing was seen")
    if twice:
        ratio = once / twice
        unseen = once**2 / (2 * twice)
        variance = twice * (ratio**4 / 4 + ratio**3 + ratio**2 / 2)
    else:
        unseen = once * (once - 1) / 2
        total = seen + unseen
        variance = unseen + once * (2 * once - 1) ** 2 / 4 - once**4 / (4 * total)
    if unseen == 0:
        return Estimate(
            float(seen), level=level, bound="at least", reason="hardly any was seen only once"
        )
    spread = math.exp(ndtri((1 + level) / 2) * math.sqrt(math.log1p(variance / unseen**2)))
    return Estimate(
        seen + unseen, seen + unseen / spread, seen + unseen * spread, level, bound="at least"
    )
