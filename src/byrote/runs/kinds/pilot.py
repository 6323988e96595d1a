"""A pilot: a few fits on random records, a small run of the same kind of plan."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from byrote.errors import InvalidInput
from byrote.plans import Design
from byrote.runs.fit_file import FitFile
from byrote.runs.job import Job, Outcome, Task
from byrote.runs.table import Table
from byrote.runs.temporary import temporary_folder
from byrote.runs.worker import run_job


@dataclass(frozen=True, eq=False)
class Pilot:
    """A few fits on random records: a small run of the same kind of plan.

    Attributes
    ----------
    table
        Their log-likelihoods, nats.
    times
        Number of records and seconds of a fit, with its file, by increasing number; the last one is
        that of the table.
    outcome
        One of the fits.
    memory
        Peak memory of the process, bytes.
    """

    table: Table
    times: list[tuple[int, float]]
    outcome: Outcome
    memory: int

    @property
    def records(self) -> int:
        """Number of records of the fits in the table."""
        return self.table.design.n

    @property
    def fits(self) -> int:
        """Number of fits in the table."""
        return self.table.design.fits - len(self.table.missing)


def table_of(design: Design, outcomes: Mapping[int, Outcome]) -> Table:
    """Return the log-likelihoods of a pilot's fits; others of the design are missing."""
    values = np.full((design.fits, design.n), np.nan)
    for fit, outcome in outcomes.items():
        values[fit, design.counted_rows(fit)] = outcome.log_prob
    missing = tuple(fit for fit in range(design.fits) if fit not in outcomes)
    bystanders = values[:, design.bystanders] if len(design.bystanders) else None
    return Table(design, design.scored, values[:, design.scored], missing, bystanders)


def timed_fit(task: Task, job: Job, design: Design) -> tuple[float, Outcome]:
    """Carry out a fit, write its file and read that again; return the seconds and the outcome."""
    with temporary_folder() as folder:
        started = time.perf_counter()
        outcome = run_job(task, job)
        if outcome.log_prob is None:
            raise InvalidInput(f"model: a pilot fit of {job.n} records failed: {outcome.failure}")
        file = FitFile(folder / "fit.parquet", "pilot", design, job.fit)
        file.write(outcome)
        file.log_prob()
        return time.perf_counter() - started, outcome
