"""A run as the bars read it: everything once, and what is missing said."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.fits.paths import RunPaths
from byrote.fits.store import RunFolder
from byrote.fits.table import Table
from byrote.scores.evaluation import Evaluation, evaluate

_TOLD = ("run_id", "seed", "plan", "model", "data")


@dataclass(frozen=True)
class Source:
    """A run folder; ``tail`` is the error that each end of a bar's interval may make."""

    store: Path
    run: RunFolder
    tail: float

    @classmethod
    def open(cls, store: str | Path, tail: float) -> "Source":
        """The run in a folder, or the errors of opening one."""
        folder = checks.path("store", store)
        return cls(folder, RunFolder.open(RunPaths(folder)), tail)

    @property
    def inserts(self) -> bool:
        """Whether it is an exposure run."""
        return self.run.design.inserts

    @cached_property
    def missing(self) -> str:
        """What is missing of the run, in a sentence; empty if nothing is."""
        missing, untracked = self.run.missing(), self.run.untracked(self.run.manifest.track)
        return self.run.complaint(missing, untracked) if missing or untracked else ""

    @cached_property
    def table(self) -> Table:
        """What the fits that are there found."""
        return self.run.table(partial=True)

    @cached_property
    def evaluation(self) -> Evaluation:
        """What the table says of each record that is scored."""
        return evaluate(self.table)

    @cached_property
    def degrees(self) -> NDArray[np.float64]:
        """(r,) degrees of freedom of mean_log's standard error, at least.

        One less than there are repeats or pairs. Where sides are jackknifed by fits, one less than
        the smaller side has: Welch and Satterthwaite's lie between that and more.
        """
        if self.run.design.units == "fits":
            return np.minimum(self.evaluation.n_in, self.evaluation.n_out) - 1.0
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
