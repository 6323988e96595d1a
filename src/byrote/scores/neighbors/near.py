"""Near-duplicates: which training records have a copy or near copy among the others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.copies import Copies, copies_of
from byrote.scores.neighbors.near_result import Kind, NearDuplicates
from byrote.scores.neighbors.space import Features, comparable, in_space, name_of
from byrote.stats.multiple_testing import q_values
from byrote.stats.near_duplicates import has_few_distances, near_duplicate_p_values
from byrote.stats.nearest import nearest
from byrote.stats.rows import Rows, blocks

Array = NDArray[np.float64]
Index = NDArray[np.intp]
NEIGHBORS = 20  # whose distances tell the density about a record
ENOUGH = 2 * NEIGHBORS  # different records for nearness to be judged
SIGNIFICANCE = 0.01  # false discovery rate; strict, for the density is never quite even
_BLOCK = 1024  # records


@dataclass(frozen=True)
class _Picked:
    """Some rows of an array, read when they are asked for."""

    array: Any
    rows: Index

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, where: Any) -> Any:
        return self.array[self.rows[where]]


@dataclass(frozen=True)
class _Judged:
    """The nearest of different records, (g,) each, and the p-value; NaN if not judged."""

    distance: Array
    neighbor: Index
    p_value: Array
    unjudged: str = ""


def near_duplicates(
    result: MemorizationResult,
    train: Any,
    *,
    features: Features | None = None,
) -> NearDuplicates:
    """Which records have a copy so near in the training set that hold-out scores cannot see them?

    A score compares models with and without a record. Where a copy of it stays in the training set,
    both have seen it, and the score is near 0 whatever was memorized. A record is a near copy of
    another if it is nearer to it than the density about it, as its 20 nearest neighbours show it,
    lets expect, at a false discovery rate of 1 %: see ``byrote.stats.near_duplicates``.

    Parameters
    ----------
    result
        Memorization scores of the training records.
    train
        The training records, in the order of ``result``.
    features
        As for ``distance_ratio``; else rows as they are, and images at their full size. These are
        also compared with brightness and contrast taken out; copies that are shifted, turned or
        cropped take ``features`` that do not see this.

    Raises
    ------
    InvalidInput
        If an argument cannot be used.

    Examples
    --------
    >>> import byrote
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> x[7], x[40] = x[3] + 1e-6, x[20]
    >>> scores = byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(5, repeats=2))
    >>> found = near_duplicates(scores, x)
    >>> found.order().tolist(), found.neighbor[[3, 20]].tolist()
    ([20, 40, 3, 7], [7, 40])
    """
    (array,) = comparable(train=train)
    if len(array) != len(result):
        raise InvalidInput(
            f"train must hold the {len(result)} records that were scored; got {len(array)}"
        )
    copies = copies_of(array)
    (rows,) = in_space([array], features=features, downsample=False)
    if copies.copied.any():
        rows = Rows(_Picked(rows.array, copies.first), rows.dtype, rows.change)
    judged = _judged(rows)
    contrast = _contrast(rows) if array.ndim > 2 and features is None else None
    other = None if contrast is None or judged.unjudged else _judged(contrast)
    kind, q, neighbor, distance = _joined(rows, judged, other)
    description = {
        "train": len(array),
        "different": len(copies.first),
        "dimensions": rows.width,
        "space": name_of(features, images=array.ndim > 2, downsample=False),
        "brightness": other is not None,
    }
    return NearDuplicates(
        ids=result.ids,
        score=result.score,
        **_spread(copies, kind, q, neighbor, distance),
        unjudged=judged.unjudged,
        description=description,
    )


def _judged(rows: Rows) -> _Judged:
    """Nearest neighbours of different records, and how surprising the nearest is."""
    count = len(rows)
    k = min(NEIGHBORS, max(1, count - 1))
    distances, neighbors = nearest(rows, rows, k, exclude=np.arange(count))
    found = _Judged(distances[:, 0], neighbors[:, 0], np.full(count, np.nan))
    if count < ENOUGH:
        return replace(found, unjudged=f"fewer than {ENOUGH} different records")
    if has_few_distances(distances):
        return replace(found, unjudged="distances take too few different values")
    return replace(found, p_value=near_duplicate_p_values(distances, neighbors))


def _joined(rows: Rows, plain: _Judged, other: _Judged | None) -> tuple[Any, Array, Index, Array]:
    """Kinds, q-values, nearest records and distances to them, from one space or two."""
    if other is None or other.unjudged:
        q = q_values(plain.p_value)
        return np.where(q <= SIGNIFICANCE, Kind.NEAR, Kind.NONE), q, plain.neighbor, plain.distance
    both = np.fmin(plain.p_value, other.p_value)
    p = np.minimum(1.0, 2 * both)  # the better of two
    q = q_values(p)
    near = q <= SIGNIFICANCE
    bar = both[near].max() if near.any() else -1.0
    by_pixels = near & (plain.p_value <= bar)
    light = near & ~by_pixels
    neighbor = np.where(light, other.neighbor, plain.neighbor)
    distance = plain.distance.copy()
    distance[light] = _distances(rows, np.flatnonzero(light), neighbor[light])
    return (
        np.where(by_pixels, Kind.NEAR, np.where(light, Kind.BRIGHTNESS, 0)),
        q,
        neighbor,
        distance,
    )


def _distances(rows: Rows, mine: Index, theirs: Index) -> Array:
    found = np.empty(len(mine))
    for part in blocks(len(mine), _BLOCK):
        difference = np.subtract(rows.take(mine[part]), rows.take(theirs[part]), dtype=np.float64)
        found[part] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return found


def _spread(
    copies: Copies, kind: NDArray[Any], q: Array, neighbor: Index, distance: Array
) -> dict[str, Any]:
    """From different records to all: a copy's nearest is its copy."""
    group, copied = copies.group, copies.copied
    met = neighbor[group]
    nearest_other = np.where(met >= 0, copies.first[met], -1)
    return {
        "kind": np.where(copied, Kind.COPY, kind[group]).astype(np.int8),
        "q_value": np.where(copied, 0.0, q[group]),
        "neighbor": np.where(copied, copies.other, nearest_other),
        "distance": np.where(copied, 0.0, distance[group]),
    }


def _contrast(rows: Rows) -> Rows:
    """The rows less their mean, of length 1: equal where only brightness and contrast differ."""
    return Rows(rows.array, rows.dtype, _changed(rows.change))


def _changed(change: Callable[[NDArray[Any]], NDArray[Any]] | None) -> Callable[..., NDArray[Any]]:
    def contrast(block: NDArray[Any]) -> NDArray[Any]:
        block = block if change is None else change(block)
        flat = block.reshape(len(block), -1).astype(np.float64)
        flat -= flat.mean(axis=1, keepdims=True)
        length = np.sqrt(np.einsum("ij,ij->i", flat, flat))[:, None]
        return np.divide(flat, length, out=np.zeros_like(flat), where=length > 1e-12)

    return contrast
