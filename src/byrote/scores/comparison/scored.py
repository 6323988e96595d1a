"""Runs with memorization scores, cut to the records that are compared."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import IncompleteRun, InvalidInput
from byrote.fits.table import Table
from byrote.scores.comparison.change import Evaluated
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.run import Run
from byrote.stats.multiple_testing import q_values

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Scored(Evaluated):
    """A run's table of the m records that are compared, and what it says of them.

    ids: (m,). q_value: (m,) of the run by itself, among all of its records. of: how many those are.
    """

    run: Run
    ids: NDArray[Any]
    q_value: Array
    of: int


def load(runs: dict[str, Run], match: str, *, partial: bool) -> dict[str, Scored]:
    """Read the runs and match their records.

    Under "same", fits that one run lacks count in none, so that fits pair.

    Raises
    ------
    InvalidInput
        If no record is in all runs, or labels show that ids name different records.
    IncompleteRun
        If fits are missing and ``partial`` is false, or none is left.
    """
    tables = {name: run.table(partial=partial) for name, run in runs.items()}
    if match == "same":
        missing = tuple(sorted({fit for table in tables.values() for fit in table.missing}))
        tables = {name: replace(table, missing=missing) for name, table in tables.items()}
    for name, table in tables.items():
        if not table.counting().any():
            raise IncompleteRun(runs[name].folder.complaint(table.missing))
    names = {name: run.folder.names for name, run in runs.items()}
    ids = {name: found[0][tables[name].rows] for name, found in names.items()}
    places = _places(ids) if match == "ids" else {}
    if match == "ids":
        labels = {
            name: found[1][tables[name].rows[places[name]]]
            for name, found in names.items()
            if found[1] is not None
        }
        _check_labels(labels)
    return {
        name: _cut(run, tables[name], ids[name], places.get(name)) for name, run in runs.items()
    }


def _places(ids: dict[str, NDArray[Any]]) -> dict[str, Rows]:
    """Where, in each run, the records are that all runs score; in the baseline's order."""
    if len({found.dtype.kind for found in ids.values()}) > 1:  # numbers in one file, text elsewhere
        ids = {name: found.astype(str) for name, found in ids.items()}
    base, *others = ids.values()
    common = base[np.all([np.isin(base, other) for other in others], axis=0)]
    if len(common) == 0:
        raise InvalidInput("runs must have scored records in common; no id is in all of them")
    order = {name: np.argsort(own, kind="stable") for name, own in ids.items()}
    return {
        name: order[name][np.searchsorted(own, common, sorter=order[name])]
        for name, own in ids.items()
    }


def _check_labels(labels: dict[str, NDArray[Any]]) -> None:
    """Ids that name other records in another data set would be matched for nothing."""
    if len(labels) < 2:
        return
    (base, first), *others = labels.items()
    for name, own in others:
        wrong = int(np.count_nonzero(first.astype(str) != own.astype(str)))
        if wrong:
            raise InvalidInput(
                f"ids must name the same records in all runs; {wrong:,} of {len(own):,} matched"
                f" records have another label in {name!r} than in {base!r}"
            )


def _cut(run: Run, table: Table, ids: NDArray[Any], places: Rows | None) -> Scored:
    """A record counts as memorized as its own run says, whatever is cut away."""
    whole = evaluate(table)
    q = q_values(np.where(np.isnan(whole.estimate["score"]), np.nan, whole.p_value))
    if places is None:
        return Scored(table, whole, run, ids, q, len(ids))
    cut = replace(table, rows=table.rows[places], log_prob=table.log_prob[:, places])
    return Scored(cut, evaluate(cut), run, ids[places], q[places], len(ids))
