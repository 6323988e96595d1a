"""Nearest-neighbour tests next to the memorization scores of the same records."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.authenticity import share_of_distances
from byrote.scores.neighbors.copying_test import compare_distances
from byrote.scores.neighbors.distance_ratio import ratio_of
from byrote.scores.neighbors.extracted_records import THRESHOLD, relative_distance
from byrote.scores.neighbors.neighbor_result import MeanRatio, NeighborResult, SampleCopies
from byrote.scores.neighbors.space import (
    Features,
    comparable,
    in_space,
    name_of,
    random_subset,
)
from byrote.seeds import Purpose, generator
from byrote.stats.block_permutation import block_jackknife_interval, swapped_means
from byrote.stats.estimate import spearman
from byrote.stats.nearest import nearest, nearest_in_each
from byrote.stats.rows import Rows

Array = NDArray[np.float64]
Index = NDArray[np.intp]
BLOCKS = 10  # of each set: 2^10 ways to swap them


def compare_neighbors(
    result: MemorizationResult,
    train: Any,
    validation: Any,
    samples: Any,
    *,
    features: Features | None = None,
    downsample: bool = True,
    cells: int = 3,
    seed: int = 0,
) -> NeighborResult:
    """Run the nearest-neighbour tests on a model whose training records were scored.

    Parameters
    ----------
    result
        Memorization scores of the training records.
    train
        The training records, in the order of ``result``.
    validation
        Records not in the training set.
    samples
        Records drawn from the model trained on all of ``train``, as ``Run.sample`` gives them.
        All as for ``distance_ratio``.
    features, downsample, seed
        As for ``distance_ratio``.
    cells
        As for ``copying_test``, which uses all of ``validation`` and ``samples``.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> import byrote
    >>> from sklearn.neighbors import KernelDensity
    >>> x, validation, samples = np.random.default_rng(0).normal(size=(3, 40, 2))
    >>> scores = byrote.score_memorization(KernelDensity(), x, plan=byrote.LeaveOneOut())
    >>> samples[3] = x[7]
    >>> tests = byrote.neighbors.compare_neighbors(scores, x, validation, samples)
    >>> tests.nearly_reproduced(1)[["id", "nearest_sample", "ratio"]].values.tolist()
    [[7.0, 3.0, inf]]
    """
    seed = checks.seed("seed", seed)
    cells = checks.integer("cells", cells, at_least=1)
    arrays = comparable(train=train, validation=validation, samples=samples)
    _check_lengths(result, arrays[0], cells)
    space = in_space(arrays, features=features, downsample=downsample)
    size = min(len(space[1]), len(space[2]))
    distances = _block_distances(space, size, seed)
    nearest_of = distances.validation.min(axis=1), distances.sample.min(axis=1)
    ratio = ratio_of(*nearest_of)
    to_test = nearest(space[1], space[0])[0][:, 0]
    to_two, records = nearest(space[2], space[0], 2)
    to_samples = to_two[:, 0]
    correlation = spearman(ratio, result.score)
    return NeighborResult(
        ids=result.ids,
        score=result.score,
        ratio=ratio,
        distance_validation=nearest_of[0],
        distance_sample=nearest_of[1],
        nearest_sample=distances.nearest_sample,
        mean_ratio=_mean_of(distances),
        correlation=correlation.value,
        correlation_interval=correlation.interval,
        copying=compare_distances(space, to_test, to_samples, cells=cells, seed=seed),
        authenticity=share_of_distances(space[0], to_samples, records[:, 0]),
        copies=_copies(to_two, space),
        description=_description(space, size, features, downsample, seed),
    )


@dataclass(frozen=True)
class _BlockDistances:
    """Distances of n training records to each of the G blocks of both sets, (n, G) each.

    nearest_sample: (n,) index among all samples.
    """

    validation: Array
    sample: Array
    nearest_sample: Index


def _check_lengths(result: MemorizationResult, train: NDArray[Any], cells: int) -> None:
    if len(train) != len(result):
        raise InvalidInput(
            f"train must be the {len(result)} records that were scored; got {len(train)}"
        )
    if len(train) < max(2, cells):
        raise InvalidInput(
            f"train must have at least {max(2, cells)} records, one per cell; got {len(train)}"
        )


def _block_distances(space: list[Rows], size: int, seed: int) -> _BlockDistances:
    """Cut both sets to one size and into random blocks; find the nearest in each."""
    shuffle = generator(seed, Purpose.EVALUATION, repeat=1)
    members: list[Index] = []
    for rows in space[1:]:
        order = shuffle.permutation(random_subset(len(rows), size, seed))
        members += [np.sort(part) for part in np.array_split(order, min(BLOCKS, size))]
    half = len(members) // 2
    sets = [
        Rows(space[1 if which < half else 2].take(part), space[0].dtype)
        for which, part in enumerate(members)
    ]
    distances, places = nearest_in_each(space[0], sets)
    sample = distances[:, half:]
    indices = np.stack([part[places[:, half + i]] for i, part in enumerate(members[half:])], axis=1)
    # the first of equally near samples, in any block
    tied = np.where(sample == sample.min(axis=1, keepdims=True), indices, len(space[2]))
    return _BlockDistances(distances[:, :half], sample, tied.min(axis=1))


def _mean_of(distances: _BlockDistances) -> MeanRatio:
    """Average the ratio over records at positive distances from both sets."""
    apart = (distances.validation.min(axis=1) > 0) & (distances.sample.min(axis=1) > 0)
    left_out = int(np.count_nonzero(~apart))
    if not apart.any():
        return MeanRatio(left_out=left_out)
    above, below = (
        np.ascontiguousarray(d[apart].T) for d in (distances.validation, distances.sample)
    )
    means = swapped_means(above, below)
    return MeanRatio(
        value=float(means[0]),
        interval=block_jackknife_interval(above, below),
        p_value=float((means >= means[0] * (1 - 1e-12)).mean()),
        exchanged=float(means.mean()),
        left_out=left_out,
    )


def _copies(to_training: Array, space: list[Rows]) -> SampleCopies:
    """Count copies by the distances of samples, (m, 2), to their two nearest training records."""
    _, validation, samples = space
    known = len(validation) > 1
    to_validation = nearest(samples, validation, 2)[0] if known else None
    return SampleCopies(
        samples=len(samples),
        training=_below_a_third(to_training),
        validation=None if to_validation is None else _below_a_third(to_validation),
    )


def _below_a_third(distances: Array) -> int:
    return int(np.count_nonzero(relative_distance(distances) < THRESHOLD))


def _description(
    space: list[Rows], size: int, features: Features | None, downsample: bool, seed: int
) -> Mapping[str, Any]:
    images = space[0].array.ndim > 2
    return {
        "train": len(space[0]),
        "validation": len(space[1]),
        "samples": len(space[2]),
        "compared": size,
        "dimensions": space[0].width,
        "space": name_of(features, images=images, downsample=downsample),
        "seed": seed,
    }
