"""Training records that come out of a generator: samples that are abnormally near to one."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.scores.neighbors.space import Features, comparable, in_space
from byrote.stats.estimate import Estimate, proportion
from byrote.stats.nearest import nearest
from byrote.stats.rows import Rows
from byrote.stats.unseen import chao1

Array = NDArray[np.float64]
NEIGHBORS = 50  # of Carlini et al.
THRESHOLD = 0.5  # of the adaptive distance


@dataclass(frozen=True, eq=False, repr=False)
class ExtractedRecords(Displayed):
    """Training records that samples reproduce.

    Attributes
    ----------
    distance
        (m,) adaptive distance of each sample to the nearest training record; small is near.
    record
        (m,) row of that record.
    counts
        (n,) number of samples that reproduce each training record.
    rate
        Share of the samples that reproduce a record.
    control
        The same share with held-out records in place of the training records, which no sample can
        reproduce but by chance; unknown without them.
    inside
        Number of records that ever more samples would bring out, those found included: estimated
        from below (Chao 1984), and never above n.
    threshold
        Adaptive distance below which a sample reproduces a record.
    """

    distance: Array
    record: NDArray[np.intp]
    counts: NDArray[np.intp]
    rate: Estimate
    control: Estimate
    inside: Estimate
    threshold: float

    def __repr__(self) -> str:
        return (
            f"ExtractedRecords({len(self.rows):,} of {len(self.counts):,} records in"
            f" {len(self.distance):,} samples)"
        )

    @property
    def rows(self) -> NDArray[np.intp]:
        """Rows of the reproduced training records, most often reproduced first."""
        return reproduced_rows(self.counts)

    @property
    def drawn(self) -> int:
        """Number of samples, m."""
        return len(self.distance)


def extracted_records(
    train: Any,
    samples: Any,
    *,
    validation: Any = None,
    neighbors: int = NEIGHBORS,
    alpha: float = 0.5,
    threshold: float = THRESHOLD,
    features: Features | None = None,
    downsample: bool = False,
) -> ExtractedRecords:
    """Find the training records that samples of a generator reproduce.

    The distance of a sample to its nearest training record is divided by ``alpha`` times the mean
    distance to its ``neighbors`` nearest, so that plain images, near to all, are not taken for
    copies (Carlini et al. 2023, section 5.1). A sample reproduces the record if this is below
    ``threshold``.

    Parameters
    ----------
    train, samples, validation
        Records as for ``distance_ratio``; ``validation`` are records outside the training, the
        control: at least ``neighbors`` of them, in number like the training records.
    neighbors, alpha, threshold
        Of the adaptive distance; the authors' values for the first two.
    features, downsample
        As for ``distance_ratio``; images are not halved by default.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> train, fresh = generator.normal(size=(2, 200, 10))
    >>> samples = np.concatenate([train[[5, 5, 8]] + 0.01, generator.normal(size=(97, 10))])
    >>> found = extracted_records(train, samples, validation=fresh)
    >>> found.rows.tolist(), found.rate.value, found.control.value
    ([5, 8], 0.03, 0.0)
    """
    alpha, threshold = checks.positive("alpha", alpha), checks.positive("threshold", threshold)
    neighbors = checks.integer("neighbors", neighbors, at_least=2)
    sets = {"train": train, "samples": samples}
    sets |= {} if validation is None else {"validation": validation}
    arrays = dict(zip(sets, comparable(**sets), strict=True))
    for name in sets.keys() - {"samples"}:
        if len(arrays[name]) < neighbors:
            raise InvalidInput(
                f"{name} must hold at least neighbors={neighbors} records; got {len(arrays[name])}"
            )
    space = in_space([*arrays.values()], features=features, downsample=downsample)
    rows = dict(zip(arrays, space, strict=True))
    distance, record = adaptive_distance(rows["samples"], rows["train"], neighbors, alpha)
    near = distance < threshold
    counts = np.bincount(record[near], minlength=len(rows["train"]))
    control = Estimate(np.nan, reason="no held-out records were given (validation)")
    if "validation" in rows:
        others, _ = adaptive_distance(rows["samples"], rows["validation"], neighbors, alpha)
        control = proportion(int((others < threshold).sum()), len(others))
    return ExtractedRecords(
        distance, record, counts, proportion(int(near.sum()), len(near)), control, _inside(counts),
        threshold,
    )  # fmt: skip


def memorization_ratio(
    train: Any,
    samples: Any,
    *,
    validation: Any = None,
    features: Features | None = None,
    downsample: bool = False,
) -> ExtractedRecords:
    """Find the training records to which samples are three times nearer than to any other.

    The share of such samples, ``rate``, is the memorization ratio of Yoon et al. (2023) and of Gu
    et al. (2023): the distance d1 to the nearest record is below a third of d2, that to the second
    nearest. It is ``extracted_records`` by two neighbours, as ``d1 / ((d1 + d2) / 2) < 1/2`` says
    the same. Of a record with a twin in the data only exact copies count.

    Parameters
    ----------
    train, samples, validation, features, downsample
        As for ``extracted_records``; two records at least.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> train, validation = np.array([[0.0], [10.0], [20.0]]), np.array([[4.0], [6.0]])
    >>> found = memorization_ratio(train, np.array([[1.0], [12.6]]), validation=validation)
    >>> found.rows.tolist(), found.rate.value, found.control.value
    ([0], 0.5, 0.0)
    """
    return extracted_records(
        train, samples, validation=validation, neighbors=2, alpha=1.0, features=features,
        downsample=downsample,
    )  # fmt: skip


def reproduced_rows(counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows with a count above 0, the largest counts first."""
    order = np.argsort(-counts, kind="stable")
    return order[: np.count_nonzero(counts)]


def _inside(counts: NDArray[np.intp]) -> Estimate:
    """Estimate how many records would come out: of n no more than n."""
    found, n = chao1(counts), float(len(counts))
    if np.isnan(found.value):
        return found
    value, low, high = (min(end, n) for end in (found.value, found.low, found.high))
    return replace(found, value=value, low=low, high=high)


def adaptive_distance(
    samples: Rows, records: Rows, neighbors: int, alpha: float
) -> tuple[Array, NDArray[np.intp]]:
    """Return the adaptive distance, (m,), of samples to their nearest records, and these rows.

    0 where a sample is nearest to several records at distance zero.
    """
    distances, indices = nearest(samples, records, neighbors)
    return relative_distance(distances, alpha), indices[:, 0]


def relative_distance(distances: Array, alpha: float = 1.0) -> Array:
    """Divide the first of ascending distances, (m, k), by ``alpha`` times their mean; 0/0 is 0."""
    scale = alpha * distances.mean(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scale > 0, distances[:, 0] / scale, 0.0)
