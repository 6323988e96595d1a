"""What one synthetic table gives away about its training rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Columnar, Columns, PlainData
from byrote.stats.estimate import Estimate

Array = NDArray[np.float64]
SIGNIFICANCE = 0.05  # false discovery rate


@dataclass(frozen=True)
class Attribution(PlainData):
    """How many synthetic rows belong to training rows, against a holdout.

    Attributes
    ----------
    training, holdout
        Number of synthetic rows that belong to a row of each; one at the same distance from
        several real rows is divided among them.
    share
        training / (training + holdout).
    expected
        The share of real rows that are training rows: its mean if training left no trace.
    excess
        Share of these synthetic rows that are copies beyond what training rows are due: see
        ``byrote.stats.label_permutation.excess``.
    p_value
        One-sided, by permutation of the labels training and holdout.
    """

    training: float
    holdout: float
    share: float
    expected: float
    excess: Estimate
    p_value: float


@dataclass(frozen=True, eq=False, repr=False)
class SyntheticResult(Columnar):
    """The training rows of one synthetic table, in the order of the data, against a holdout.

    Attributes
    ----------
    ids
        (n,) index of the data frame, or row numbers.
    nearest
        (n,) number of synthetic rows to which the training row is the nearest real row.
    copies, exact_copies
        (n,) number of them nearer than a third of the distance to the second nearest real row, and
        at distance zero.
    ratio
        (n,) smallest ratio of these two distances; 1 where the row is nearest to no synthetic row.
    p_value, q_value
        (n,) p-value of the ratio among those of the holdout, and Benjamini-Hochberg q-value.
    beyond_holdout, p_value_beyond
        Number of training rows with a smaller ratio than all of the holdout, and the exact p-value
        of so many under permuted labels.
    attributions
        "nearest", "copies" and "exact_copies": each with its test.
    p_value_combined
        P-value of all tests that have something to count, that is of their smallest p-value.
    description
        Numbers of rows, distance, columns and seed; ``equal``: training and holdout rows that
        equal a (or another) training row; ``divided``: synthetic rows equally near to several real
        rows.

    Examples
    --------
    See ``byrote.neighbors.compare_synthetic``.
    """

    FORMAT = "byrote-synthetic-1"
    CONTENT = "the neighbours of a synthetic table"

    nearest: Array
    copies: Array
    exact_copies: Array
    ratio: Array
    p_value: Array
    q_value: Array
    beyond_holdout: int
    p_value_beyond: float
    p_value_combined: float
    attributions: Mapping[str, Attribution]
    description: Mapping[str, Any]

    def __repr__(self) -> str:
        share = self.attributions["nearest"]
        return (
            f"SyntheticResult({len(self)} training records, nearest to {share.share:.1%} of"
            f" synthetic ones ({share.expected:.1%} expected), p {share.p_value:.2g})"
        )

    @property
    def found(self) -> NDArray[Any]:
        """Ids of the training records with q <= 0.05, the smallest ratio first."""
        rows = self.order()
        return np.asarray(self.ids[rows[self.q_value[rows] <= SIGNIFICANCE]])

    @property
    def needed(self) -> int:
        """How many records must be nearer than the whole holdout for any to have q <= 0.05."""
        smallest = 1 / (1 + self.description["holdout"])
        return int(np.ceil(smallest * len(self) / SIGNIFICANCE - 1e-9))

    def order(self) -> NDArray[np.intp]:
        """Sort rows by rising ratio; ties by falling number of copies, then by row."""
        return np.lexsort((np.arange(len(self)), -self.copies - self.exact_copies, self.ratio))

    def summary(self) -> dict[str, Any]:
        """Return the tests in a few numbers."""
        return {
            "records": len(self),
            "found": int(np.count_nonzero(self.q_value <= SIGNIFICANCE)),
            "needed": self.needed,
            "beyond_holdout": self.beyond_holdout,
            "p_value_beyond": self.p_value_beyond,
            "p_value_combined": self.p_value_combined,
            "copied": int(np.count_nonzero(self.copies)),
            "copied_exactly": int(np.count_nonzero(self.exact_copies)),
            **{name: part.to_dict() for name, part in self.attributions.items()},
        }

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        attributions = {name: part.to_dict() for name, part in self.attributions.items()}
        return {**super().facts(), "attributions": attributions}

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> "SyntheticResult":
        """Make a result from what ``columns`` and ``facts`` return."""
        attributions = {
            name: Attribution(**{**part, "excess": Estimate(**part["excess"])})
            for name, part in facts["attributions"].items()
        }
        return super().from_columns(columns, {**facts, "attributions": attributions})
