"""Membership as a matrix, for custom designs."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput
from byrote.plans.design import Design, rows
from byrote.plans.plan import Context, Plan, check_fits


@dataclass(frozen=True, eq=False)
class Membership(Plan):
    """Train fit f on record i where ``matrix[f, i]`` is true.

    Parameters
    ----------
    matrix
        (fits, n) booleans.
    randomized
        Whether each record's fits were drawn at random, every set of the same size with the same
        probability. Otherwise (the default) p-values are NaN.

    Raises
    ------
    InvalidInput
        If the matrix is not two-dimensional boolean, a fit would train on nothing, or, when drawn,
        its width is not the number of records.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> design = design_of(Membership(np.array([[True, False], [False, True]])), 2)
    >>> design.training_rows(0).tolist(), design.randomized
    ([0], False)
    """

    matrix: Any
    randomized: bool = False
    kind: ClassVar[str] = "membership"
    size: ClassVar[str] = "fits"
    grows: ClassVar[bool] = False
    by_row: ClassVar[bool] = True

    def __post_init__(self) -> None:
        matrix = checks.array("matrix", self.matrix)
        if matrix.ndim != 2 or matrix.dtype != bool or 0 in matrix.shape:
            raise InvalidInput(
                "matrix must be boolean with shape (fits, records);"
                f" got {matrix.dtype} of shape {matrix.shape}"
            )
        if not matrix.any(axis=1).all():
            empty = int(np.flatnonzero(~matrix.any(axis=1))[0])
            raise InvalidInput(
                f"matrix must give every fit a record to train on; row {empty} has none"
            )
        check_fits(len(matrix))
        self._set(matrix=matrix, randomized=checks.flag("randomized", self.randomized))

    def spec(self) -> dict[str, Any]:
        """Return size and randomization; the design holds the matrix."""
        return {"kind": self.kind, "fits": len(self.matrix), "randomized": self.randomized}

    def _draw(self, context: Context, after: Design | None) -> Design:  # noqa: ARG002
        """Return the design of the matrix."""
        fits, n = self.matrix.shape
        if n != context.n:
            raise InvalidInput(f"matrix must have one column per record, {context.n}; got {n}")
        return Design(
            n=n,
            repeat=np.zeros(fits, dtype=np.int64),
            fold=np.arange(fits),
            held_out=[rows(np.flatnonzero(~member)) for member in self.matrix],
            counted=[None] * fits,
            randomized=self.randomized,
        )
