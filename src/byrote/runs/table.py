"""Log-likelihoods by fit and record, with the design of the run."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.plans import Design
from byrote.plans.design import IN, UNUSED
from byrote.stats.threads import in_order

ENOUGH = 100_000  # records: those of a larger table would hardly make a mean more certain


@dataclass(frozen=True, eq=False)
class Table:
    """All log-likelihoods of a run, from which its scores are computed.

    Attributes
    ----------
    design
        Who saw what.
    rows
        (r,) the records that get a score, by row of the data.
    log_prob
        (F, r) nats; NaN where a fit is missing or does not count the record.
    missing
        Missing fits.
    bystanders
        (F, b) nats, of records that every fit trained on; None if there are none.
    """

    design: Design
    rows: NDArray[np.uint32]
    log_prob: NDArray[np.float64]
    missing: tuple[int, ...] = ()
    bystanders: NDArray[np.float64] | None = None

    def counting(self, left_out: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Return which fits count, (F,): neither missing nor left out, and of pairs whole ones."""
        counts = np.ones(self.design.fits, dtype=bool)
        counts[list(self.missing)] = False
        if left_out is not None:
            counts &= ~left_out
        if self.design.units == "pairs":
            pair = self.design.repeat
            counts &= np.bincount(pair, weights=counts)[pair] == 2
        return counts

    def used(self, without: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Return the log-likelihoods that have a role, (F, r), and NaN; ``without`` fits, (F,)."""
        whole = not self.missing and all(rows is None for rows in self.design.counted)
        if whole and (without is None or not without.any()):
            return self.log_prob
        unused = self.roles() == UNUSED
        if without is not None:
            unused |= without[:, None]
        return np.where(unused, np.nan, self.log_prob) if unused.any() else self.log_prob

    def roles(self) -> NDArray[np.int8]:
        """Return the role of each record in each fit, (F, r); UNUSED in missing fits."""
        return self._roles

    def included(self) -> NDArray[np.bool_]:
        """Return whether a fit trained on a record that it counts, (F, r)."""
        return self._included

    def sampled(self) -> "Table":
        """Return the table of 100,000 of its records, drawn at random; itself if they are no more.

        The same ones in every call. In their order alone, say every tenth, all might be of a class.
        """
        return self if len(self.rows) <= ENOUGH else self._sampled

    @cached_property
    def _sampled(self) -> "Table":
        generator = seeds.generator(0, seeds.Purpose.CHOICE, 2)
        drawn = np.sort(generator.choice(len(self.rows), ENOUGH, replace=False, shuffle=False))
        return replace(self, rows=self.rows[drawn], log_prob=self.log_prob[:, drawn])

    @cached_property
    def _included(self) -> NDArray[np.bool_]:
        included = self.roles() == IN
        included.flags.writeable = False  # shared by all who ask
        return included

    @cached_property
    def _roles(self) -> NDArray[np.int8]:
        roles = np.zeros(self.log_prob.shape, dtype=np.int8)
        finished = sorted(set(range(self.design.fits)) - set(self.missing))
        of_fits = in_order(lambda fit: self.design.role(fit)[self.rows], finished, size=roles.size)
        for fit, role in zip(finished, of_fits, strict=True):
            roles[fit] = role
        roles.flags.writeable = False  # shared by all who ask
        return roles
