"""A run as the bars read it: everything once, and what is missing said."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.table import Table
from byrote.scores.run import Run

_TOLD = ("run_id", "seed", "plan", "model", "data")


@dataclass(frozen=True)
class Source:
    """A run, and the error that each end of a bar's interval may make."""

    run: Run
    tail: float

    @property
    def table(self) -> Table:
        """Log-likelihoods of the fits that are finished."""
        return self.run.table(partial=True)

    @cached_property
    def degrees(self) -> NDArray[np.float64]:
        """(r,) degrees of freedom of mean_log's standard error, at least.

        One less than there are repeats or pairs. Where sides are jackknifed by fits, one less than
        the smaller side has: Welch and Satterthwaite's lie between that and more.
        """
        if self.run.design.units == "fits":
            return np.minimum(self.run.evaluation.n_in, self.run.evaluation.n_out) - 1.0
        units = len(np.unique(self.run.design.repeat[self.table.counting()]))
        return np.full(len(self.table.rows), units - 1.0)

    @property
    def scored(self) -> tuple[int, int]:
        """How many records were to be scored, and of how many they are a random choice.

        Records that somebody chose are a choice of themselves.
        """
        spec = self.run.manifest.plan.spec
        drawn = len(self.table.rows)
        random = spec.get("kind") == "probes" and not spec.get("chosen")
        return drawn, self.run.design.n if random else drawn

    @property
    def whom(self) -> str:
        """Of which records scores speak, in words."""
        drawn, population = self.scored
        if drawn < population:
            return f"{population:,} records, from {drawn:,} of them drawn at random"
        part = "" if drawn == self.run.design.n else f" chosen of {self.run.design.n:,}"
        return f"{drawn:,} records{part}"

    def described(self) -> dict[str, Any]:
        """What the run was."""
        whole = self.run.manifest.model_dump(mode="json")
        return {name: whole[name] for name in _TOLD if name in whole}
