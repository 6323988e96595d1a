"""Student's interval of a mean."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

Interval = tuple[float, float]


def of_mean(values: ArrayLike, level: float = 0.95, *, groups: ArrayLike | None = None) -> Interval:
    """Student's interval of the mean of a sample; NaN for fewer than two values.

    Parameters
    ----------
    values
        (n,) independent of one another, but for those of one group.
    level
        Of the interval.
    groups
        (n,) the group of each; those of one group may depend on each other. The error is then that
        of the groups' sums (cluster-robust), with one degree of freedom less than there are groups.

    Examples
    --------
    >>> low, high = of_mean([1.0, 2.0, 3.0])
    >>> print(round(low, 3), round(high, 3))
    -0.484 4.484
    >>> twice = of_mean([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], groups=[0, 0, 1, 1, 2, 2])
    >>> print(np.allclose(twice, (low, high)))
    True
    """
    sample = np.asarray(values, dtype=np.float64)
    group = np.arange(len(sample))
    if groups is not None:
        _, group = np.unique(np.asarray(groups), return_inverse=True)
    count = len(np.unique(group))
    if count < 2:
        return float("nan"), float("nan")
    mean = sample.mean()
    sums = np.bincount(group, sample - mean)
    error = np.sqrt(count / (count - 1) * (sums @ sums)) / len(sample)
    half = t.ppf((1 + level) / 2, count - 1) * error
    return float(mean - half), float(mean + half)
