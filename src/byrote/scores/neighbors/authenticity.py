"""Authenticity of samples, after Alaa et al. (2022)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.scores.neighbors.space import Features, comparable, in_space
from byrote.stats.estimate import proportion
from byrote.stats.nearest import nearest
from byrote.stats.rows import Rows


class Authenticity(float):
    """The share of authentic samples: a float in [0, 1] with an interval.

    Attributes
    ----------
    authentic, samples
        Number of authentic samples, and of all samples.
    interval
        95 % Wilson interval, for other samples of the same model and the same training set.

    Examples
    --------
    >>> share = Authenticity(90, 100)
    >>> share, share.samples, [round(limit, 3) for limit in share.interval]
    (0.9, 100, [0.826, 0.945])
    """

    authentic: int
    samples: int

    def __new__(cls, authentic: int, samples: int) -> "Authenticity":
        """Compute the share from its counts."""
        share = super().__new__(cls, authentic / samples)
        share.authentic, share.samples = int(authentic), int(samples)
        return share

    def __getnewargs__(self) -> tuple[int, int]:  # type: ignore[override]  # for copies and pickles
        return self.authentic, self.samples

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the share."""
        return proportion(self.authentic, self.samples).interval


def authenticity(
    train: Any,
    samples: Any,
    *,
    features: Features | None = None,
    downsample: bool = True,
) -> Authenticity:
    """Estimate the share of samples that are not noisy copies of a training record.

    A sample g is authentic if its nearest training record t is farther from g than from t's own
    nearest neighbour in the training set: Alaa et al. (2022). Euclidean distances.

    Parameters
    ----------
    train, samples
        Records of one shape, as for ``distance_ratio``; two training records or more.
    features, downsample
        As for ``distance_ratio``.

    Returns
    -------
    Authenticity
        A float in [0, 1] with ``interval``, ``authentic`` and ``samples``.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> import byrote
    >>> train = np.array([[0.0], [1.0], [5.0]])
    >>> byrote.neighbors.authenticity(train, samples=np.array([[0.5], [-3.0], [5.1], [20.0]]))
    0.5
    """
    arrays = comparable(train=train, samples=samples)
    if len(arrays[0]) < 2:
        raise InvalidInput("train must have at least two records; got 1")
    rows, drawn = in_space(arrays, features=features, downsample=downsample)
    distances, neighbors = nearest(drawn, rows)
    return share_of_distances(rows, distances[:, 0], neighbors[:, 0])


def share_of_distances(
    train: Rows, distances: NDArray[np.float64], neighbors: NDArray[np.intp]
) -> Authenticity:
    """Compute the share from the samples' nearest training records and their distances."""
    distinct, which = np.unique(neighbors, return_inverse=True)
    between, _ = nearest(train.take(distinct), train, exclude=distinct)
    return Authenticity(int((distances > between[which, 0]).sum()), len(distances))
