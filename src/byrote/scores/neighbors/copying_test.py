"""The data-copying test of Meehan, Chaudhuri & Dasgupta (2020)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from byrote import checks
from byrote.errors import InvalidInput
from byrote.scores.neighbors.space import Features, cells_of, comparable, in_space
from byrote.stats.nearest import nearest
from byrote.stats.ranks import mann_whitney_z
from byrote.stats.rows import Rows

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
ENOUGH = 20  # samples for a cell to count, as in the authors' experiments


@dataclass(frozen=True, eq=False)
class CopyingTest:
    """Test of whether samples are nearer to the training set than fresh records are.

    Attributes
    ----------
    statistic
        C_T, the mean of the cells' z weighted by their share of test records. Far below 0 the model
        copies, far above 0 it underfits. NaN if no cell counts.
    p_value
        One-sided p-value of "samples are no nearer": small means copying. The training set and the
        cells are held fixed; sum(w z) has variance sum(w^2).
    z
        (cells,) Z_U of each cell; NaN where it does not count.
    test_count, sample_count, train_count
        (cells,) records in each cell. A cell counts with 20 samples or more and one test record.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> train, test = generator.normal(size=(2, 200, 2))
    >>> result = copying_test(train, test, samples=train[:100] + 0.01)
    >>> result.statistic < -5, result.p_value < 1e-6
    (True, True)
    """

    statistic: float
    p_value: float
    z: Array
    test_count: Counts
    sample_count: Counts
    train_count: Counts

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data."""
        values = {name: getattr(self, name) for name in ("statistic", "p_value")}
        arrays = ("z", "test_count", "sample_count", "train_count")
        return {**values, **{name: getattr(self, name).tolist() for name in arrays}}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "CopyingTest":
        """Restore a test from what ``to_dict`` returned."""
        arrays = {name: np.array(value) for name, value in data.items() if isinstance(value, list)}
        return cls(**{**data, **arrays})


def copying_test(
    train: Any,
    test: Any,
    samples: Any,
    *,
    cells: int = 3,
    features: Features | None = None,
    downsample: bool = True,
    seed: int = 0,
) -> CopyingTest:
    """Test region by region whether samples are nearer to training records than test records.

    Distances to the nearest training record are compared by a Mann-Whitney test in each cell,
    ``Z_U = (U - mn/2) / sqrt(mn(m + n + 1) / 12)`` with U the pairs in which a sample is farther
    and half of the ties (the variance corrected for them), and averaged with the cells' share of
    test records as weights: Meehan, Chaudhuri & Dasgupta (2020). Distances are to the whole
    training set; the authors' code uses the training records of the cell alone.

    Parameters
    ----------
    train, test, samples
        Records of one shape, as for ``distance_ratio``.
    cells
        Number of cells of a k-means partition of the training set (of at most 20,000 of its
        records). One cell gives the plain Z_U.
    features, downsample
        As for ``distance_ratio``.
    seed
        Seed of the partition.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> import byrote
    >>> generator = np.random.default_rng(0)
    >>> train, test, samples = generator.normal(size=(3, 300, 2))
    >>> abs(byrote.neighbors.copying_test(train, test, samples).statistic) < 2
    True
    """
    seed = checks.seed("seed", seed)
    cells = checks.integer("cells", cells, at_least=1)
    arrays = comparable(train=train, test=test, samples=samples)
    if cells > len(arrays[0]):
        raise InvalidInput(
            f"cells must be at most the {len(arrays[0])} training records; got {cells}"
        )
    space = in_space(arrays, features=features, downsample=downsample)
    distances = [nearest(each, space[0])[0][:, 0] for each in space[1:]]
    return compare_distances(space, distances[0], distances[1], cells=cells, seed=seed)


def compare_distances(
    space: list[Rows], test: Array, sample: Array, *, cells: int, seed: int
) -> CopyingTest:
    """Compute the test from the distances of test records and samples to the training set.

    ``space``: rows of the training set, the test set and the samples.
    """
    train_cell, test_cell, sample_cell = cells_of(space, cells, seed)
    train_count, test_count, sample_count = (
        np.bincount(cell, minlength=cells) for cell in (train_cell, test_cell, sample_cell)
    )
    z = np.full(cells, np.nan)
    for cell in np.flatnonzero((sample_count >= ENOUGH) & (test_count > 0)):
        z[cell] = mann_whitney_z(sample[sample_cell == cell], test[test_cell == cell])
    statistic, p_value = _combined(z, test_count)
    return CopyingTest(statistic, p_value, z, test_count, sample_count, train_count)


def _combined(z: Array, test_count: Counts) -> tuple[float, float]:
    counted = ~np.isnan(z)
    if not counted.any():
        return float("nan"), float("nan")
    weight = test_count[counted] / test_count[counted].sum()
    statistic = float(weight @ z[counted])
    return statistic, float(ndtr(statistic / np.sqrt((weight**2).sum())))
