"""Student's interval of a mean."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

Interval = tuple[float, float]


def of_mean(values: ArrayLike, level: float = 0.95) -> Interval:
    """Student's interval of the mean of a sample; NaN for fewer than two values.

    Examples
    --------
    >>> low, high = of_mean([1.0, 2.0, 3.0])
    >>> print(round(low, 3), round(high, 3))
    -0.484 4.484
    """
    sample = np.asarray(values, dtype=np.float64)
    if len(sample) < 2:
        return float("nan"), float("nan")
    half = t.ppf((1 + level) / 2, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample))
    return float(sample.mean() - half), float(sample.mean() + half)
