"""Parameters "auto" that a model resolves by two fits of a run, made before all others."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.models.auto_values import PilotFit, values_by_pilot
from byrote.plans import Design
from byrote.runs.executors.pool import Pool
from byrote.runs.job import Job, Task, job_of
from byrote.runs.recovery import outcomes

_ROWS = 500  # scored on each side: trained on by the first fit, or not


def resolve_by_fits(pool: Pool, task: Task, design: Design, seed: int, fits: int) -> dict[str, Any]:
    """Carry out two fits of a design, and return the values by which the model replaces "auto".

    They are the first two, of paired fits a pair, and they score up to 1,000 records. The values
    are for a run of ``fits`` fits, and a function of the arguments but for the pool.
    """
    rows = _rows(design, seed)
    ended = {outcome.fit: outcome for outcome in outcomes(pool, task, _jobs(design, seed, rows))}
    pilot = [
        PilotFit(design.trained_on(fit)[rows], outcome.log_prob, outcome.diagnostics)
        for fit, outcome in sorted(ended.items())
        if outcome.log_prob is not None
    ]
    return values_by_pilot(task.model, pilot, fits)


def pilot_fits(design: Design) -> range:
    """Return the first two fits of a design, or its only one."""
    return range(min(2, design.fits))


def _jobs(design: Design, seed: int, rows: NDArray[np.uint32]) -> Iterator[Job]:
    for fit in pilot_fits(design):
        yield replace(job_of(design, fit, seed), counted=rows)


def _rows(design: Design, seed: int) -> NDArray[np.uint32]:
    """Choose rows that both fits count, at random, up to 500 on each side of the first."""
    counted = [design.counted_rows(fit) for fit in pilot_fits(design)]
    rows = np.intersect1d(counted[0], counted[-1])
    generator = seeds.generator(seed, seeds.Purpose.REHEARSAL, 4)
    trained = design.trained_on(0)[rows]
    sides = [generator.permutation(rows[trained == side])[:_ROWS] for side in (True, False)]
    return np.sort(np.concatenate(sides)).astype(np.uint32)
