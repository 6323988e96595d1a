"""The plan of pilot fits: a few fits that see and leave out what those of a larger plan do."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from byrote.plans.design import Design
from byrote.plans.grouped import Grouped
from byrote.plans.kfold import KFold
from byrote.plans.plan import Plan
from byrote.plans.probes import Probes
from byrote.plans.subset import Subset

_FITS, _FOLDS = 8, 3
_LEAST_SHARE, _LEAST_LEFT_OUT = 0.05, 10
_LEAST_GROUPS = 20


def pilot_rows(plan: Plan, n: int, size: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """Choose ``size`` of n records for a pilot; of a plan of groups whole ones, so a few more."""
    if isinstance(plan, Grouped):
        return plan.some(generator, size, _LEAST_GROUPS)
    return np.sort(generator.choice(n, size, replace=False))


def pilot_plan(plan: Plan, design: Design, rows: NDArray[np.intp]) -> Plan:
    """Return a small plan that varies the training data of some records as a plan's design does.

    Noise from one fit to the next comes from the model's random choices and from the records that
    other fits leave out; so a pilot leaves out the same share of records.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> large = Probes(500, fits=40)
    >>> pilot_plan(large, design_of(large, 10_000), np.arange(1000))
    Probes(records=50, fits=8, pairs=False, coins=False, bystanders=None)
    """
    if isinstance(plan, Grouped):
        group, place = np.unique(np.asarray(plan.groups)[rows], return_inverse=True)
        return Grouped(pilot_plan(plan.plan, plan.of_groups(design), group), place)
    n = len(rows)
    if isinstance(plan, KFold):
        folds = min(plan.folds, max(2, n // 2))
        return replace(plan, folds=folds, repeats=-(-_FITS // min(folds, _FOLDS)))
    if isinstance(plan, Probes):
        share = n / design.n
        probes = 2 * max(1, round(len(design.scored) * share / 2))
        bystanders = plan.bystanders
        return replace(
            plan,
            records=min(probes, n // 2 * 2) if n < design.n else plan.records,
            fits=_FITS,
            bystanders=None if bystanders is None else int(bystanders * share),
        )
    left_out = round(n * (1 - len(design.training_rows(design.fits - 1)) / design.n))
    if left_out < _LEAST_SHARE * n:  # most records would never be left out by a few fits
        return Probes(2 * min(max(left_out, _LEAST_LEFT_OUT), n // 4 or 1), _FITS)
    return Subset(1 - left_out / n, _FITS)


def pilot_fits(design: Design) -> list[int]:
    """Return the fits of a pilot's design that are carried out: of a repeat, a few folds.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> pilot_fits(design_of(KFold(10, repeats=3), 40))
    [0, 1, 2, 10, 11, 12, 20, 21, 22]
    """
    few = range(design.fits)
    return [fit for fit in few if design.units != "repeats" or design.fold[fit] < _FOLDS]
