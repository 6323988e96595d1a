"""Nearest-neighbour tests of one synthetic table, without its generator."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.columns import is_frame
from byrote.data.frames import comparable_frames
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.models.samples.space import Gower, Space, space_of
from byrote.scores.neighbors.exact_copies import copies_of
from byrote.scores.neighbors.space import comparable
from byrote.scores.neighbors.synthetic_result import Attribution, SyntheticResult
from byrote.seeds import Purpose, integer
from byrote.stats.label_permutation import (
    beyond_maximum,
    conformal_p_values,
    excess,
    permutation_p_values,
)
from byrote.stats.multiple_testing import q_values

Array = NDArray[np.float64]
DRAWS = 9999  # of permuted labels
RATIO = 1 / 3  # of the distances to the nearest and to the second nearest real row, of a copy
_BREAKS_TIES = 1e-7  # of 1 - ratio: sums of whole numbers are often equal
_KINDS = ("nearest", "copies", "exact_copies")


def compare_synthetic(
    train: Any, holdout: Any, synthetic: Any, *, seed: int = 0
) -> SyntheticResult:
    """Test whether a synthetic table is nearer to its training rows than to a holdout.

    For each synthetic row the nearest real row is found, in training or holdout. If training left
    no trace, the labels training and holdout are a random choice among the real rows, so their
    permutation gives the p-values, at any two sizes. A synthetic row is a copy of its nearest real
    row if it is nearer than a third of the distance to the second nearest.

    The test sees copies of rows. What a generator learned of a record by other ways shows only when
    it is trained without it: ``byrote.models.FromSamples``.

    Parameters
    ----------
    train, holdout
        Rows that the generator was trained on, and rows from the same source that it has not seen:
        data frames, or Records of tables, with the same columns of numbers and categories (Gower's
        distance, ranges over all three tables); or arrays or other Records (Euclidean distance).
    synthetic
        The synthetic table.
    seed
        Seed of the permutations.

    Returns
    -------
    SyntheticResult
        One row per training row.

    Raises
    ------
    InvalidInput
        If an argument is invalid, or columns differ.

    Examples
    --------
    >>> import byrote
    >>> train, holdout, synthetic = np.random.default_rng(0).normal(size=(3, 200, 4))
    >>> synthetic[:60] = train[:60]
    >>> result = byrote.neighbors.compare_synthetic(train, holdout, synthetic)
    >>> share = result.attributions["nearest"]
    >>> share.training, share.p_value, len(result.found)
    (125.0, 0.0002, 65)
    """
    seed = checks.seed("seed", seed)
    tables = {"train": train, "holdout": holdout, "synthetic": synthetic}
    rows = comparable_frames(**tables) or comparable(**tables)
    tables = dict(zip(tables, rows, strict=True))
    space = space_of(**tables)
    _check_values(train=tables["train"], holdout=tables["holdout"])
    neighbors = _neighbors_of(space, tables)
    included = np.arange(len(neighbors.group)) < len(train)
    if not 2 <= included.sum() <= len(included) - 2:
        raise InvalidInput(
            "train and holdout must have two rows or more each;"
            f" got {included.sum()} and {(~included).sum()}"
        )
    counts, closeness = neighbors.counts(), -neighbors.smallest_ratio()
    ordered = counts + _BREAKS_TIES * (1 + closeness)
    occurs, p_values = counts.any(axis=1), np.full(len(_KINDS), np.nan)
    p_values[occurs], p_value_combined = permutation_p_values(
        ordered[occurs], included, draws=DRAWS, seed=integer(seed, Purpose.EVALUATION)
    )
    beyond, p_value_beyond = beyond_maximum(closeness, included)
    p_value = conformal_p_values(closeness, included)
    copied = neighbors.share_of_copy(included)
    shares = copied, 1.0, copied  # a copy by its ratio is nearest to one row alone
    return SyntheticResult(
        ids=train.ids if isinstance(train, Records) else _ids_of(tables["train"]),
        **dict(zip(_KINDS, counts[:, included], strict=True)),
        ratio=-closeness[included],
        p_value=p_value,
        q_value=q_values(p_value),
        beyond_holdout=beyond,
        p_value_beyond=p_value_beyond,
        p_value_combined=p_value_combined,
        attributions={
            kind: _attribution(count, included, float(p), share)
            for kind, count, p, share in zip(_KINDS, counts, p_values, shares, strict=True)
        },
        description={
            **{name: len(data) for name, data in tables.items()},
            "space": space.NAME,
            "dimensions": space.dimensions,
            "equal": neighbors.equal_to_training(included),
            "divided": int(np.count_nonzero(neighbors.tied() > 1)),
            "seed": seed,
        },
    )


def _check_values(**real: Any) -> None:
    """Refuse real tables in which a column lacks all values, which would tell them apart."""
    for name, table in real.items():
        for column in table.columns if is_frame(table) else ():
            if table[column].isna().all():
                raise InvalidInput(
                    f"{name}: column {column!r} must hold values; all are missing (--drop {column})"
                )


@dataclass(frozen=True, eq=False)
class _Neighbors:
    """The nearest real rows of m synthetic rows; equal real rows are a group.

    distance: (m, 2) to the nearest and the second nearest row. synthetic, nearest: (p,) each
    synthetic row with all groups at the smallest distance. group: (N,) group of each real row.
    """

    distance: Array
    synthetic: NDArray[np.intp]
    nearest: NDArray[np.intp]
    group: NDArray[np.intp]

    def counts(self) -> Array:
        """Count synthetic rows by their nearest real row, (3, N): all, copies, exact copies."""
        first, second = self.distance.T
        weight, groups = 1 / self.tied()[self.synthetic], self.group.max() + 1
        kinds = np.ones(len(first), bool), first < RATIO * second, first == 0
        return np.stack(
            [
                np.bincount(self.nearest, weight * kind[self.synthetic], groups)[self.group]
                for kind in kinds
            ]
        )

    def tied(self) -> Array:
        """Return the number of real rows at the smallest distance of each synthetic row, (m,)."""
        size = np.bincount(self.group)
        return np.asarray(np.bincount(self.synthetic, size[self.nearest]), np.float64)

    def share_of_copy(self, included: NDArray[np.bool_]) -> float:
        """Return the mean share of a copy of an included row that goes to included rows.

        It is divided among all rows that equal its original.
        """
        share = np.bincount(self.group, included) / np.bincount(self.group)
        return float(share[self.group[included]].mean())

    def equal_to_training(self, included: NDArray[np.bool_]) -> dict[str, int]:
        """Count the included rows that equal another one, and the others that equal one."""
        same = np.bincount(self.group, included)[self.group]
        return {
            "train": int(np.count_nonzero(same[included] > 1)),
            "holdout": int(np.count_nonzero(same[~included])),
        }

    def smallest_ratio(self) -> Array:
        """Return the smallest ratio of the two distances by real row, (N,); 1 without one."""
        first, second = self.distance.T
        ratio = np.divide(first, second, out=np.ones(len(first)), where=second > 0)
        smallest = np.ones(self.group.max() + 1)
        np.minimum.at(smallest, self.nearest, ratio[self.synthetic])
        return smallest[self.group]


def _neighbors_of(space: Space, tables: dict[str, Any]) -> _Neighbors:
    if isinstance(space, Gower):
        import pandas as pd  # noqa: PLC0415 (slow to load)

        both: Any = pd.concat([tables["train"], tables["holdout"]], ignore_index=True)
        copies = copies_of(space.columns.encode(both))
        distinct = both.iloc[copies.first]
    else:
        both = np.concatenate([tables["train"], tables["holdout"]])
        copies = copies_of(both)
        distinct = both[copies.first]
    distance, synthetic, nearest = space.nearest_ties(
        space.rows("synthetic", tables["synthetic"]), space.rows("train and holdout", distinct)
    )
    has_equals = np.bincount(synthetic, np.bincount(copies.group)[nearest]) > 1
    distance[has_equals, 1] = distance[has_equals, 0]
    return _Neighbors(distance, synthetic, nearest, copies.group)


def _attribution(
    count: Array, included: NDArray[np.bool_], p_value: float, of_copy: float
) -> Attribution:
    training, total = float(count[included].sum()), float(count.sum())
    return Attribution(
        training=training,
        holdout=total - training,
        share=training / total if total else float("nan"),
        expected=float(included.mean()),
        excess=excess(count, included, of_copy),
        p_value=p_value,
    )


def _ids_of(train: Any) -> NDArray[Any]:
    index = np.asarray(train.index) if is_frame(train) else np.arange(len(train))
    return index if index.dtype.kind in "iuU" else index.astype(str)
