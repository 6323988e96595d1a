"""rho and the nearest-neighbour tests of n training records, with their memorization scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.scores.neighbors.authenticity import Authenticity
from byrote.scores.neighbors.copying_test import CopyingTest

if TYPE_CHECKING:
    import pandas as pd
from byrote.columnar import Columnar, Columns, PlainData
from byrote.stats.estimate import Estimate, proportion

Array = NDArray[np.float64]
_NONE = float("nan")


@dataclass(frozen=True)
class MeanRatio(PlainData):
    """The mean of rho over records at positive distances, tested against no memorization.

    Attributes
    ----------
    value
        The mean.
    interval
        95 % interval by jackknife over blocks of samples and of validation records, which all
        ratios share: for other draws of both sets and these training records.
    p_value
        One-sided exact p-value: the share of the ways to swap paired blocks of the two sets that
        give a mean as large. At least 1/1024.
    exchanged
        The mean over all swaps, its null expectation: the mean ratio of equal sets exceeds 1.
    left_out
        Number of records left out, at distance zero from a sample or a validation record.
    """

    value: float = _NONE
    interval: tuple[float, float] = (_NONE, _NONE)
    p_value: float = _NONE
    exchanged: float = _NONE
    left_out: int = 0


@dataclass(frozen=True)
class SampleCopies(PlainData):
    """Samples nearer to a record than a third of the distance to the second nearest.

    As ``memorization_ratio`` counts them, in the space of the other tests.

    Attributes
    ----------
    samples
        Number of samples.
    training, validation
        Number of them that copy a training record, and a validation record: the control, which no
        sample can copy but by chance. The latter is None for a single validation record.
    """

    samples: int
    training: int
    validation: int | None

    @property
    def rate(self) -> Estimate:
        """Share of samples that copy a training record, with Wilson's interval."""
        return proportion(self.training, self.samples)

    @property
    def control(self) -> Estimate:
        """Share of samples that copy a validation record."""
        if self.validation is None:
            return Estimate(_NONE, reason="a ratio of distances needs two validation records")
        return proportion(self.validation, self.samples)


@dataclass(frozen=True, eq=False, repr=False)
class NeighborResult(Columnar):
    """rho of n training records, eq. (6), with their memorization scores.

    Attributes
    ----------
    ids, score
        (n,) record ids and memorization scores M (nats), as in the ``MemorizationResult``.
    ratio
        (n,) rho: above 1 the nearest sample is nearer than the nearest validation record. Infinite
        at distance zero from a sample, 1 at distance zero from both.
    distance_validation, distance_sample
        (n,) the two distances, in units of the data (of [0, 1] for images).
    nearest_sample
        (n,) index of the nearest sample, the first of ties.
    mean_ratio
        Mean of rho, with interval and p-value.
    correlation, correlation_interval
        Spearman's correlation of rho and score, with Fisher's 95 % interval after Bonett & Wright
        (2000), for other records and these samples, which all records share.
    copying
        The data-copying test, validation records against samples.
    authenticity
        Share of samples that are not noisy copies.
    copies
        Samples that copy a training record, by the ratio of distances, and a validation record.
    description
        Sizes, dimensions, space and seed. ``compared`` is the common size of the two sets for rho.

    Examples
    --------
    See ``byrote.neighbors.compare_neighbors``.
    """

    FORMAT = "byrote-neighbors-1"
    CONTENT = "nearest-neighbour distances"

    score: Array
    ratio: Array
    distance_validation: Array
    distance_sample: Array
    nearest_sample: NDArray[np.intp]
    mean_ratio: MeanRatio
    correlation: float
    correlation_interval: tuple[float, float]
    copying: CopyingTest
    authenticity: Authenticity
    copies: SampleCopies
    description: Mapping[str, Any]

    def __repr__(self) -> str:
        return (
            f"NeighborResult({len(self)} records, mean ratio {self.mean:.3g},"
            f" correlation {self.correlation:.2g})"
        )

    @property
    def mean(self) -> float:
        """Mean of rho."""
        return self.mean_ratio.value

    @property
    def copied(self) -> int:
        """Number of training records of which a sample is an exact copy."""
        return int(np.count_nonzero(self.distance_sample == 0))

    def summary(self) -> dict[str, Any]:
        """Return the tests in a few numbers."""
        return {
            "records": len(self),
            "median": float(np.quantile(self.ratio, 0.5, method="lower")),
            "above_one": float((self.ratio > 1).mean()),
            "copied": self.copied,
            "mean": self.mean_ratio.to_dict(),
            "correlation": self.correlation,
            "correlation_interval": self.correlation_interval,
            "copying": self.copying.to_dict(),
            "authenticity": float(self.authenticity),
            "authenticity_interval": self.authenticity.interval,
            "memorization_ratio": vars(self.copies.rate),
            "memorization_ratio_control": vars(self.copies.control),
        }

    def order(self) -> NDArray[np.intp]:
        """Return row indices by decreasing ratio; ties by distance to the sample, then by row."""
        return np.lexsort((np.arange(len(self)), self.distance_sample, -self.ratio))

    def nearly_reproduced(self, count: int = 10) -> "pd.DataFrame":
        """Return the training records nearest to samples, relative to validation records.

        Columns as in ``to_frame``; the index is the record's row. Compare it with its
        ``nearest_sample`` to see whether the model reproduces it (Supplement A of the paper).

        Raises
        ------
        InvalidInput
            If ``count`` is not an integer of at least 1.
        """
        count = checks.integer("count", count, at_least=1)
        return self.to_frame().iloc[self.order()[:count]]

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        return {
            **super().facts(),
            "mean_ratio": self.mean_ratio.to_dict(),
            "copying": self.copying.to_dict(),
            "authenticity": [self.authenticity.authentic, self.authenticity.samples],
            "copies": self.copies.to_dict(),
            "description": dict(self.description),
        }

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> "NeighborResult":
        """Make a result from what ``columns`` and ``facts`` return."""
        mean = facts["mean_ratio"]
        values = {
            **facts,
            "mean_ratio": MeanRatio(**{**mean, "interval": tuple(mean["interval"])}),
            "correlation_interval": tuple(facts["correlation_interval"]),
            "copying": CopyingTest.from_dict(facts["copying"]),
            "authenticity": Authenticity(*facts["authenticity"]),
            "copies": SampleCopies(**facts["copies"]),
        }
        return super().from_columns(columns, values)
