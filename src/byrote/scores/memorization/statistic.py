"""A number over all scored records with its error over retrainings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Statistic:
    """A statistic over all scored records, with the standard error if it is a mean.

    The error is a jackknife over retrainings (repeats, pairs or fits): it measures other seeds and
    partitions, for these same records. NaN with one repeat, and for all but means: a jackknife
    misjudges quantiles and extremes, whose spread ``reliability`` shows better.
    """

    value: float
    standard_error: float = float("nan")
