"""Each accident of fits made elsewhere is made, and named; without one nothing is."""

from dataclasses import replace

import numpy as np
import pytest

from byrote import KFold, LeaveOneOut, Probes, Subset
from byrote.plans import design_of
from byrote.runs.table import Table
from byrote.scores.memorization.accidents import find_accidents

N, VALUES, ODD = 200, 20, 3


def table_of(plan, gain=1.0, seed=0):
    """Records of different log-likelihoods, which rise by the gain in training, with noise."""
    generator, design = np.random.default_rng(seed), design_of(plan, N, seed)
    level = generator.normal(-60, 12, N)
    values = np.full((design.fits, N), np.nan)
    for fit in range(design.fits):
        noise = generator.normal(scale=0.3, size=N)
        rows = design.counted_rows(fit)
        values[fit, rows] = (level + gain * design.trained_on(fit) + noise)[rows]
    bystanders = values[:, design.bystanders] if len(design.bystanders) else None
    return Table(design, design.scored, values[:, design.scored], (), bystanders)


def made(change, plan=None):
    """A table after an accident: all values of a run, (F, n), change."""
    table = table_of(plan or Probes(80, fits=8))
    both = change(np.concatenate([table.log_prob, table.bystanders], axis=1))
    count = len(table.rows)
    return replace(table, log_prob=both[:, :count], bystanders=both[:, count:])


def one(change):
    """Apply a change to one of the fits."""
    return lambda values: np.array(
        [change(each) if fit == ODD else each for fit, each in enumerate(values)]
    )


def shuffled(values):
    return np.random.default_rng(1).permutation(values)


def exchanged(values):
    return values[[0, 5, 2, 3, 4, 1, 6, 7]]


ONE_FIT = (ODD,)
ACCIDENTS = {
    "bits in one fit": (one(lambda v: v / np.log(2)), "unit", ONE_FIT, "1.44 times"),
    "nats among bits": (
        lambda v: one(lambda each: each * np.log(2))(v / np.log(2)), "unit", ONE_FIT, "0.69",
    ),
    "means in one fit": (one(lambda v: v / VALUES), "unit", ONE_FIT, "0.05 times"),
    "losses in one fit": (one(lambda v: -v), "losses", ONE_FIT, "-0.999 times"),
    "another order in one fit": (one(shuffled), "order", ONE_FIT, "correlation"),
    "orders of their own": (
        lambda v: np.random.default_rng(2).permuted(v, axis=1), "order", (), "do not agree",
    ),
    "means": (lambda v: v / VALUES / 2, "means", (), "spread by 0."),
    "losses": (lambda v: -v, "losses", (), "mean in − mean out is -0.99"),
    "all alike": (lambda v: np.repeat(v[:1], len(v), axis=0), "ignored", (), "All 8 fits"),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCIDENTS)
def test_each_accident_is_named_with_its_numbers(name):
    change, kind, fits, text = ACCIDENTS[name]
    found = find_accidents(made(change), VALUES)
    assert [(each.kind, each.fits) for each in found] == [(kind, fits)]
    assert text in found[0].text


def test_swapped_sides_are_named():
    found = find_accidents(table_of(Probes(80, fits=8), gain=-1.0))
    assert [each.kind for each in found] == ["sides"]
    assert "trained on the records that it was to hold out" in found[0].text


def test_an_ignored_subset_shows_no_difference():
    found = find_accidents(table_of(Probes(80, fits=8), gain=0.0))
    assert [each.kind for each in found] == ["no difference"]


def test_exchanged_files_and_files_of_another_run_are_named():
    found = find_accidents(made(exchanged))
    assert [(each.kind, each.fits) for each in found] == [("plan", (1,)), ("plan", (5,))]
    assert "training records of fit 5" in found[0].text
    table = table_of(Probes(80, fits=8))
    other = table_of(Probes(80, fits=8), seed=5)
    level = table.log_prob.mean(axis=0)
    foreign = table.log_prob.copy()
    foreign[ODD] = level + (other.log_prob - other.log_prob.mean(axis=0))[ODD]
    found = find_accidents(replace(table, log_prob=foreign))
    assert [(each.kind, each.fits) for each in found] == [("plan", ONE_FIT)]
    assert "does not show its training records" in found[0].text


def test_one_fit_with_swapped_sides_is_named():
    table = table_of(Probes(80, fits=8))
    swapped = table.log_prob.copy()
    swapped[ODD] += 1 - 2 * table.design.trained_on(ODD)[table.rows]
    found = find_accidents(replace(table, log_prob=swapped))
    assert [(each.kind, each.fits) for each in found] == [("plan", ONE_FIT)]
    assert "hold out" in found[0].text


PLANS = (
    Probes(80, fits=8), Probes(80, fits=8, pairs=True), Probes(80, fits=8, coins=True),
    Subset(0.5, fits=8), KFold(5, repeats=4), KFold(4, repeats=1), LeaveOneOut(2),
)  # fmt: skip


@pytest.mark.parametrize("plan", PLANS, ids=repr)
@pytest.mark.parametrize("gain", [0.3, 3.0, 30.0])
def test_nothing_is_named_where_nothing_happened(plan, gain):
    for seed in range(3):
        assert find_accidents(table_of(plan, gain, seed), VALUES) == []


def test_zero_densities_and_missing_fits_do_not_disturb():
    table = table_of(Probes(80, fits=8))
    values = table.log_prob.copy()
    values[:, 0], values[2, 5] = -np.inf, -np.inf
    values[4] = np.nan
    assert find_accidents(replace(table, log_prob=values, missing=(4,)), VALUES) == []
    assert find_accidents(replace(table, missing=tuple(range(7))), VALUES) == []
