"""The table: log-likelihoods by fit and record, with the design that made them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.plans import Design


@dataclass(frozen=True, eq=False)
class Table:
    """All that a run keeps, and all that its scores are made from.

    Attributes
    ----------
    design
        Who saw what.
    rows
        (r,) the records that get a score, by row of the data.
    log_prob
        (F, r) nats; NaN where a fit did not count the record or is missing.
    missing
        Fits that are not there.
    bystanders
        (F, b) nats, of records that every fit trained on; None without any.
    """

    design: Design
    rows: NDArray[np.uint32]
    log_prob: NDArray[np.float64]
    missing: tuple[int, ...] = ()
    bystanders: NDArray[np.float64] | None = None

    def counting(self, left_out: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """(F,) which fits count: those there and not left out, and of pairs only whole ones."""
        there = np.ones(self.design.fits, dtype=bool)
        there[list(self.missing)] = False
        if left_out is not None:
            there &= ~left_out
        if self.design.units == "pairs":
            pair = self.design.repeat
            there &= np.bincount(pair, weights=there)[pair] == 2
        return there

    def roles(self) -> NDArray[np.int8]:
        """(F, r) IN, OUT or UNUSED, UNUSED for missing fits."""
        roles = np.zeros(self.log_prob.shape, dtype=np.int8)
        absent = set(self.missing)
        for fit in range(self.design.fits):
            if fit not in absent:
                roles[fit] = self.design.role(fit)[self.rows]
        return roles
