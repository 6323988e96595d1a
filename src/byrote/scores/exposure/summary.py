"""Exposures in a few numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.exposure.curve import SkewNormalFit

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class PValues:
    """How p-values are distributed; without memorization half of them lie below 0.5.

    Attributes
    ----------
    tested
        Canaries that have one.
    smallest, median
        NaN where none has.
    significant
        Those of at most 0.05, about a twentieth of them without memorization.
    """

    tested: int
    smallest: float
    median: float
    significant: int


@dataclass(frozen=True)
class ExposureSummary:
    """Exposures in a few numbers. Bits.

    Attributes
    ----------
    canaries, estimated, saturated
        How many there are, have an estimate, and have one that is a lower bound.
    mean, median, largest
        Of the estimates, saturated ones as they are; NaN where there is none.
    methods
        Number of canaries by method.
    unknown
        Number of canaries without an estimate by reason.
    p_values
        How they are distributed.
    fits
        Kolmogorov-Smirnov test and quantile errors of each skew-normal curve, and the verdict.
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

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain data."""
        return asdict(self)


def summarize(
    bits: NDArray[np.float64],
    saturated: NDArray[np.bool_],
    p_value: NDArray[np.float64],
    method: NDArray[np.str_],
    reason: NDArray[np.str_],
    fits: Sequence[SkewNormalFit],
) -> ExposureSummary:
    """The summary of n canaries; all arrays (n,)."""
    known, tested = bits[~np.isnan(bits)], p_value[~np.isnan(p_value)]
    return ExposureSummary(
        canaries=len(bits),
        estimated=len(known),
        saturated=int(np.count_nonzero(saturated)),
        mean=float(known.mean()) if len(known) else np.nan,
        median=float(np.median(known)) if len(known) else np.nan,
        largest=float(known.max()) if len(known) else np.nan,
        methods=_count(method),
        unknown=_count(reason[np.isnan(bits)]),
        p_values=PValues(
            tested=len(tested),
            smallest=float(tested.min()) if len(tested) else np.nan,
            median=float(np.median(tested)) if len(tested) else np.nan,
            significant=int(np.count_nonzero(tested <= SIGNIFICANCE)),
        ),
        fits=tuple(fits),
    )


def _count(words: NDArray[np.str_]) -> dict[str, int]:
    names, counts = np.unique(words, return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}
