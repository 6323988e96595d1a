"""Runs whose models are trained elsewhere: what a fit trains on, and a run from a table."""

import weakref
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.models.assignment import COMMAND, ELSEWHERE
from byrote.plans import Context, Design, Membership
from byrote.plans.design import rows
from byrote.runs.collect import checked_fit, keep_log_prob
from byrote.runs.execute import prepared
from byrote.runs.request import Request, Settings
from byrote.runs.run_folder import RunFolder
from byrote.runs.temporary import temporary_folder
from byrote.scores.memorization.accidents import find_accidents
from byrote.scores.memorization.between_fits import Accident
from byrote.scores.run import Run, open_run


def training_rows(run: str | Path | Run, fit: int) -> NDArray[np.intp]:
    """Return the rows that a fit of a run trains on, in the order of its training data.

    Rows are counted from 0 in the records of the run, of which ``Run.folder.ids`` has the ids. Fits
    of a pair train in corresponding orders, so keep the order.

    Raises
    ------
    InvalidInput
        If the folder holds no run of records, or no such fit.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> included = np.array([[True, True, False], [False, True, True]])
    >>> run = byrote.run_from_table(np.zeros((2, 3)), included)
    >>> byrote.training_rows(run, fit=1)
    array([1, 2])
    """
    opened = open_run(run)
    opened.folder.check_no_canaries()
    fit = checked_fit(opened.folder, checks.integer("fit", fit, at_least=0))
    return opened.design.training_rows(fit)


def run_from_table(
    log_prob: Any,
    included: Any,
    *,
    ids: Any = None,
    labels: Any = None,
    randomized: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Run:
    """Make a run of log-likelihoods that were computed elsewhere.

    Parameters
    ----------
    log_prob
        (F, n) log-likelihoods of n records in F fits, nats; NaN where a fit does not count for the
        record, -inf for a density of zero.
    included
        (F, n) booleans: whether the fit trained on the record.
    ids, labels
        (n,) integers or strings (default: row numbers, none).
    randomized
        Whether each record's membership was drawn at random, so that its fits are exchangeable;
        p-values need it.
    seed
        Seed of the scores' random choices.
    out
        Folder of the run (default: a temporary one, removed with the run).

    Returns
    -------
    Run
        The run, with all that a run has: ``memorization()``, ``membership()``, ``epsilon()``.

    Raises
    ------
    InvalidInput
        If shapes differ, a value is +inf, a fit trains on nothing or counts nothing, or ``out``
        holds something.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> generator = np.random.default_rng(0)
    >>> half = np.repeat(np.arange(16)[:, None] < 8, 50, axis=1)
    >>> included = generator.permuted(half, axis=0)
    >>> log_prob = generator.normal(size=(16, 50)); log_prob[:, 7] += 9 * included[:, 7]
    >>> run = byrote.run_from_table(log_prob, included, randomized=True)
    >>> np.flatnonzero(run.memorization().q_value < 0.05).tolist()
    [7]
    """
    from byrote.models.external import Elsewhere  # noqa: PLC0415 (slow to load)

    values, member = _checked_table(log_prob, included)
    records = Records(np.zeros((values.shape[1], 1), np.float32), ids, labels)
    plan = _CountedMembership(member, randomized, ~np.isnan(values))
    request = Request(Elsewhere(), records, plan, Settings(checks.seed("seed", seed)))
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder()) / "run" if out is None else out
        run = Run(_write(request, checks.path("out", folder), values))
        weakref.finalize(run, stack.pop_all().close)
    return run


def accidents_of(run: Run) -> list[Accident]:
    """Find what looks wrong in the log-likelihoods of a run whose fits other programs made."""
    if run.manifest.model.name not in (ELSEWHERE, COMMAND):
        return []
    values = int(np.prod(run.manifest.data.shape, dtype=int))
    return find_accidents(run.table(partial=True), values)


@dataclass(frozen=True)
class _CountedMembership(Membership):
    """A membership matrix with the records that each fit counts."""

    counted: Any = None

    def draw(self, context: Context, after: Design | None = None) -> Design:
        counted = [None if row.all() else rows(np.flatnonzero(row)) for row in self.counted]
        return replace(super().draw(context, after), counted=counted)


def _write(request: Request, folder: Path, values: NDArray[np.float64]) -> RunFolder:
    with prepared(request, folder) as (run, todo):
        if len(todo) < run.design.fits:
            raise InvalidInput(f"out must name a new folder; {folder} holds a run")
        for fit in todo:
            keep_log_prob(run, fit, values[fit, run.design.counted_rows(fit)], "table")
        return run


def _checked_table(log_prob: Any, included: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = checks.numbers("log_prob", log_prob)
    member = checks.array("included", included)
    if values.ndim != 2 or 0 in values.shape:
        raise InvalidInput(f"log_prob must have shape (fits, records); got {values.shape}")
    if member.shape != values.shape or member.dtype != bool:
        raise InvalidInput(
            f"included must be booleans of the shape of log_prob, {values.shape}; got"
            f" {member.dtype} {member.shape}"
        )
    if (values == np.inf).any():
        fit, record = np.argwhere(values == np.inf)[0]
        raise InvalidInput(f"log_prob must not be +inf; fit {fit} gives it to record {record}")
    empty = np.flatnonzero(np.isnan(values).all(axis=1))
    if len(empty):
        raise InvalidInput(f"log_prob must have a number in every fit; fit {empty[0]} has only NaN")
    return values, member
