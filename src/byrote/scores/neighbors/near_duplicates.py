"""Near-duplicates: which training records have a copy or near copy among the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Columnar
from byrote.errors import InvalidInput
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.exact_copies import ExactCopies, copies_of
from byrote.scores.neighbors.space import Features, comparable, in_space, name_of
from byrote.stats.multiple_testing import q_values
from byrote.stats.near_duplicate_test import has_few_distances, near_duplicate_p_values
from byrote.stats.nearest import nearest
from byrote.stats.rows import Rows, blocks

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.intp]
NEIGHBORS = 20  # whose distances measure the local density
ENOUGH = 2 * NEIGHBORS  # distinct records needed for the test
SIGNIFICANCE = 0.01  # false discovery rate; strict, since the density is never uniform
_BLOCK = 1024  # records


class Kind(IntEnum):
    """How a record resembles its nearest neighbor."""

    NONE = 0
    COPY = 1
    NEAR = 2
    BRIGHTNESS = 3
    PASSAGE = 4

    def __str__(self) -> str:
        return _KINDS[self]


_KINDS = {
    Kind.NONE: "",
    Kind.COPY: "copy",
    Kind.NEAR: "near copy",
    Kind.BRIGHTNESS: "near copy but for brightness and contrast",
    Kind.PASSAGE: "shared passage",
}


@dataclass(frozen=True, eq=False, repr=False)
class NearDuplicates(Columnar):
    """The nearest other training record of each of n records, and whether it is a near copy.

    Attributes
    ----------
    ids, score
        (n,) record ids and memorization scores M (nats), as in the ``MemorizationResult``.
    neighbor
        (n,) row of the nearest other training record, the first of ties; -1 without one. For
        the kind BRIGHTNESS, the nearest by standardized pixels.
    distance
        (n,) the distance to it, in units of the data (of [0, 1] for images).
    q_value
        (n,) Benjamini-Hochberg q-values, over distinct records, of "no nearer than the density of
        the data explains"; 0 for copies, NaN where not judged, as for texts.
    kind
        (n,) ``Kind``: equal number for number (copy); q <= 0.01 (near copy), for images also after
        removing brightness and contrast.
    unjudged
        Why only exact copies were found; empty if near copies were tested for.
    description
        Sizes, dimensions and space.

    Examples
    --------
    See ``byrote.neighbors.near_duplicates``.
    """

    FORMAT = "byrote-near-duplicates-1"
    CONTENT = "near-duplicates"

    score: Array
    neighbor: NDArray[np.intp]
    distance: Array
    q_value: Array
    kind: NDArray[np.int8]
    unjudged: str
    description: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"NearDuplicates({len(self)} records, {int(self.hidden.sum())} with a near copy)"

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """(n,) whether a copy or near copy may hide memorization from hold-out scores."""
        hidden: NDArray[np.bool_] = self.kind != Kind.NONE
        return hidden

    def summary(self) -> dict[str, Any]:
        """Count each kind, with the median M of these records and of the others."""
        scored = ~np.isnan(self.score)
        return {
            "records": len(self),
            "hidden": int(self.hidden.sum()),
            "hidden_scored": int((self.hidden & scored).sum()),
            "copies": int((self.kind == Kind.COPY).sum()),
            "near": int((self.kind == Kind.NEAR).sum()),
            "near_but_for_brightness": int((self.kind == Kind.BRIGHTNESS).sum()),
            "shared_passages": int((self.kind == Kind.PASSAGE).sum()),
            "median_score_hidden": _median(self.score[self.hidden & scored]),
            "median_score_others": _median(self.score[~self.hidden & scored]),
            "unjudged": self.unjudged,
        }

    def order(self) -> NDArray[np.intp]:
        """Sort rows with a near copy: copies first, then by q-value and distance."""
        rows = np.flatnonzero(self.hidden)
        return rows[np.lexsort((rows, self.distance[rows], self.q_value[rows], self.kind[rows]))]

    def to_frame(self) -> "pd.DataFrame":
        """Return one row per record; ``nearest`` is the id of the neighbor."""
        frame = super().to_frame().assign(kind=[str(Kind(code)) for code in self.kind])
        frame.insert(2, "nearest", [self.ids[row] if row >= 0 else None for row in self.neighbor])
        return frame


def near_duplicates(
    result: MemorizationResult,
    train: Any,
    *,
    features: Features | None = None,
) -> NearDuplicates:
    """Find records with near copies in the training set, which hide memorization from scores.

    A score compares models with and without a record. If a copy of it stays in the training set,
    both have seen it, and the score is near 0 whatever was memorized. A record is a near copy of
    another if it is nearer than the local density of its 20 nearest neighbours explains, at a false
    discovery rate of 1 %: see ``byrote.stats.near_duplicate_test``.

    Parameters
    ----------
    result
        Memorization scores of the training records.
    train
        The training records, in the order of ``result``.
    features
        As for ``distance_ratio`` (default: rows as they are, and images at full size, which are
        also compared without brightness and contrast). Copies that are shifted, rotated or cropped
        need features that are invariant to it.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> import byrote
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> x[7], x[40] = x[3] + 1e-6, x[20]
    >>> scores = byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(5, repeats=2))
    >>> duplicates = near_duplicates(scores, x)
    >>> duplicates.order().tolist(), duplicates.neighbor[[3, 20]].tolist()
    ([20, 40, 3, 7], [7, 40])
    """
    (array,) = comparable(train=train)
    if len(array) != len(result):
        raise InvalidInput(
            f"train must be the {len(result)} records that were scored; got {len(array)}"
        )
    copies = copies_of(array)
    (rows,) = in_space([array], features=features, downsample=False)
    if copies.copied.any():
        rows = Rows(_Rows(rows.array, copies.first), rows.dtype, rows.change)
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


@dataclass(frozen=True)
class _Rows:
    """Some rows of an array, read on access."""

    array: Any
    rows: Index

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, where: Any) -> Any:
        return self.array[self.rows[where]]


@dataclass(frozen=True)
class _Nearest:
    """The nearest of distinct records, (g,) each, and the p-value; NaN if not judged."""

    distance: Array
    neighbor: Index
    p_value: Array
    unjudged: str = ""


def _judged(rows: Rows) -> _Nearest:
    """Find nearest neighbours of distinct records, and p-values of the nearest."""
    count = len(rows)
    k = min(NEIGHBORS, max(1, count - 1))
    distances, neighbors = nearest(rows, rows, k, exclude=np.arange(count))
    result = _Nearest(distances[:, 0], neighbors[:, 0], np.full(count, np.nan))
    if count < ENOUGH:
        return replace(result, unjudged=f"fewer than {ENOUGH} different records")
    if has_few_distances(distances):
        return replace(result, unjudged="distances take too few different values")
    return replace(result, p_value=near_duplicate_p_values(distances, neighbors))


def _joined(rows: Rows, plain: _Nearest, other: _Nearest | None) -> tuple[Any, Array, Index, Array]:
    """Combine one space or two into kinds, q-values, neighbors and distances."""
    if other is None or other.unjudged:
        q = q_values(plain.p_value)
        return np.where(q <= SIGNIFICANCE, Kind.NEAR, Kind.NONE), q, plain.neighbor, plain.distance
    smaller = np.fmin(plain.p_value, other.p_value)
    p = np.minimum(1.0, 2 * smaller)  # the better of two
    q = q_values(p)
    near = q <= SIGNIFICANCE
    cutoff = smaller[near].max() if near.any() else -1.0
    by_pixels = near & (plain.p_value <= cutoff)
    light = near & ~by_pixels
    neighbor = np.where(light, other.neighbor, plain.neighbor)
    distance = plain.distance.copy()
    distance[light] = _distances(rows, np.flatnonzero(light), neighbor[light])
    kind = np.where(by_pixels, Kind.NEAR, np.where(light, Kind.BRIGHTNESS, Kind.NONE))
    return kind, q, neighbor, distance


def _distances(rows: Rows, mine: Index, theirs: Index) -> Array:
    found = np.empty(len(mine))
    for part in blocks(len(mine), _BLOCK):
        difference = np.subtract(rows.take(mine[part]), rows.take(theirs[part]), dtype=np.float64)
        found[part] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return found


def _spread(
    copies: ExactCopies, kind: NDArray[Any], q: Array, neighbor: Index, distance: Array
) -> dict[str, Any]:
    """Extend from distinct records to all: a copy's nearest is its copy."""
    group, copied = copies.group, copies.copied
    nearest = neighbor[group]
    nearest_other = np.where(nearest >= 0, copies.first[nearest], -1)
    return {
        "kind": np.where(copied, Kind.COPY, kind[group]).astype(np.int8),
        "q_value": np.where(copied, 0.0, q[group]),
        "neighbor": np.where(copied, copies.other, nearest_other),
        "distance": np.where(copied, 0.0, distance[group]),
    }


def _contrast(rows: Rows) -> Rows:
    """Centre and normalize rows, which removes brightness and contrast."""
    return Rows(rows.array, rows.dtype, _changed(rows.change))


def _changed(change: Callable[[NDArray[Any]], NDArray[Any]] | None) -> Callable[..., NDArray[Any]]:
    def contrast(block: NDArray[Any]) -> NDArray[Any]:
        block = block if change is None else change(block)
        flat = block.reshape(len(block), -1).astype(np.float64)
        flat -= flat.mean(axis=1, keepdims=True)
        length = np.sqrt(np.einsum("ij,ij->i", flat, flat))[:, None]
        return np.divide(flat, length, out=np.zeros_like(flat), where=length > 1e-12)

    return contrast


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else np.nan
