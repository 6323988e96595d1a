"""Audits of tables made by mechanisms with a known epsilon: never above it but by chance."""

import numpy as np
import pytest
from scipy.stats import binom

from byrote import InvalidInput, KFold, LeaveOneOut, Membership, Probes, Subset
from byrote.plans import as_plan
from byrote.plans.design import IN
from byrote.privacy import audit_one_run, gaussian_epsilon, one_run_epsilon
from byrote.runs.table import Table
from byrote.scores.privacy.centring import centred
from byrote.scores.privacy.record_bounds import (
    Claim,
    coins_of,
    density_bound,
    one_run_bounds,
    rates_bound,
    record_bounds,
)
from evidence_tables import balanced, coins, gaussian, laplace, response, silent, table_of

RUNS = 60
WITHIN = binom(RUNS, 0.05).ppf(0.99)
NAMES = np.arange(1000)


def share_above(plan, mechanism, epsilon, *, method, n=40, **claim):
    """How many of the runs have a bound above the true epsilon."""
    above, claim = 0, {"delta": 0.0, "significance": 0.05, **claim}
    for seed in range(RUNS):
        table = table_of(plan, n, seed, mechanism)
        above += method(plan.spec(), table, Claim(seed=seed, **claim)) > epsilon + 1e-9
    return above


def first(spec, table, claim):
    return one_run_bounds(spec, table, claim)[0].epsilon


def second(spec, table, claim):
    return one_run_bounds(spec, table, claim)[1].epsilon


def trials(spec, table, claim):
    return rates_bound(spec, table, NAMES, claim).epsilon


@pytest.mark.parametrize(
    ("plan", "guesses"), [(coins(30, 6), None), (coins(30, 6), 20), (balanced(30, 6), None)]
)
@pytest.mark.parametrize(
    ("mechanism", "epsilon", "delta"),
    [(laplace, 1.0, 0.0), (response, 1.0, 0.0), (gaussian, gaussian_epsilon(1.0, 1e-3), 1e-3)],
)
def test_one_run_is_above_the_epsilon_of_known_mechanisms_by_chance_alone(
    plan, guesses, mechanism, epsilon, delta
):
    asked = {"delta": delta, "guesses": guesses}
    assert share_above(plan, mechanism, epsilon, method=first, **asked) <= WITHIN


@pytest.mark.parametrize("plan", [coins(30, 6), balanced(30, 6)])
def test_nothing_is_proven_of_a_model_that_keeps_silent(plan):
    assert share_above(plan, silent, 0.0, method=first) <= WITHIN
    assert share_above(plan, silent, 0.0, method=second, delta=1e-5) <= WITHIN


def test_the_gaussian_bound_holds_for_a_gaussian_mechanism():
    true = gaussian_epsilon(1.0, 1e-5)
    assert share_above(coins(30, 6), gaussian, true, method=second, delta=1e-5) <= WITHIN


@pytest.mark.parametrize(
    ("plan", "mechanism", "epsilon", "delta"),
    [
        (coins(3, 60), laplace, 1.0, 0.0),
        (coins(3, 60), gaussian, gaussian_epsilon(1.0, 1e-2), 1e-2),
        (coins(3, 60), silent, 0.0, 0.0),
        (balanced(1, 60), response, 1.0, 0.0),
        (Subset(0.5, fits=60), laplace, 1.0, 0.0),
        (LeaveOneOut(30), response, 1.0, 0.0),
    ],
)
def test_trials_of_one_record_are_above_by_chance_alone(plan, mechanism, epsilon, delta):
    n = 5 if isinstance(plan, LeaveOneOut) else 40
    assert share_above(plan, mechanism, epsilon, method=trials, n=n, delta=delta) <= WITHIN


def test_pooling_balanced_fits_would_prove_too_much():
    """What goes wrong otherwise: in two balanced fits a record is in one of them."""
    epsilon, above = 1.0, 0
    for seed in range(50):
        table = table_of(balanced(300, 2), 300, seed, response)
        scores = np.concatenate([*centred(table.log_prob)])
        found = audit_one_run(scores, (table.roles() == IN).ravel(), guesses=60)
        above += found.epsilon > epsilon
    assert above > 25


def test_guesses_are_the_extremes_of_what_is_left_without_record_and_fit():
    table = table_of(coins(30, 6), 40, 5, laplace)
    values, member = table.log_prob, table.roles() == IN
    rest = values - values.mean(axis=0)
    rest = rest - rest.mean(axis=1, keepdims=True)
    order = np.argsort(rest.ravel())
    right = (~member.ravel()[order[:15]]).sum() + member.ravel()[order[-16:]].sum()
    found, gaussian_ = one_run_bounds(coins(30, 6).spec(), table, Claim(1e-4, 0.1, guesses=31))
    assert found.detail["correct"] == gaussian_.detail["correct"] == right
    assert (found.detail["coins"], found.detail["fits"]) == (180, 6)
    expected = one_run_epsilon(
        canaries=180, guesses=31, correct=int(right), delta=1e-4, significance=0.1
    )
    assert found.epsilon == expected
    assert gaussian_.epsilon == gaussian_epsilon(gaussian_.detail["mu"], 1e-4)


def test_guesses_are_settled_by_the_number_of_coins():
    numbers = [(coins(30, 3), 90), (coins(40, 6), 100), (coins(40, 30), 120), (balanced(40, 6), 40)]
    for plan, guesses in numbers:
        found = coins_of(plan.spec(), table_of(plan, 41, 0, silent))
        assert found.guesses == guesses


def test_balanced_probes_are_judged_by_the_first_fit_alone():
    table = table_of(balanced(30, 6), 40, 0, laplace)
    found = coins_of(balanced(30, 6).spec(), table)
    assert (found.scores == table.log_prob[0]).all()
    table.log_prob[1:] = np.nan
    again = coins_of(balanced(30, 6).spec(), table)
    assert (again.scores == found.scores).all()


def test_centring_knows_no_label_and_keeps_densities_of_zero():
    values = np.random.default_rng(0).normal(size=(5, 4))
    values[2, 1] = -np.inf
    values[:, 3] = -np.inf
    found = np.array([*centred(values)])
    assert np.isneginf(found[2, 1])
    assert (found[:, 3] == 0).all()
    assert np.isfinite(np.delete(found, 9)).all()
    shifted = values + np.arange(4.0)  # the level of a record is nothing to it
    assert np.array([*centred(shifted)])[:, [0, 2]] == pytest.approx(found[:, [0, 2]])


PLANS = {
    "kfold": KFold(4, repeats=6),
    "pairs": Probes(list(range(10)), fits=6, pairs=True),
    "subset": Subset(0.5, fits=20),
    "leave one out": LeaveOneOut(6),
    "matrix": Membership(np.arange(6 * 40).reshape(6, 40) % 3 > 0, randomized=True),
    "splitter": as_plan(__import__("sklearn.model_selection", fromlist=["KFold"]).KFold(4)),
    "balanced": balanced(10, 12),
    "coins": coins(10, 20),
}
APPLIES = {  # one-run, one-run Gaussian, rates, density
    "kfold": "---+",
    "pairs": "----",
    "subset": "--++",
    "leave one out": "--++",
    "matrix": "----",
    "splitter": "----",
    "balanced": "+--+",
    "coins": "+-++",
}
REASONS = {
    "kfold": "folds are not independent coins",
    "pairs": "exactly half of the probes are in each fit of a pair",
    "subset": "fixed size",
    "leave one out": "no coins",
    "matrix": "not known to be tossed",
    "splitter": "fixed sizes",
}


@pytest.mark.parametrize("name", PLANS)
def test_which_bounds_apply_to_which_plan(name):
    plan = PLANS[name]
    table = table_of(plan, 40, 1, silent, level=0.1, common=0.1)
    found = record_bounds(plan.spec(), table, NAMES, Claim(0.0, 0.05))
    assert "".join("-+"[not np.isnan(bound.epsilon)] for bound in found) == APPLIES[name]
    assert all(bool(bound.reason) == np.isnan(bound.epsilon) for bound in found)
    assert REASONS.get(name, "") in found[0].reason
    assert (found[0].reason in ("", found[1].reason)) or name in REASONS
    private = record_bounds(plan.spec(), table, NAMES, Claim(1e-5, 0.05))
    assert np.isnan(private[3].epsilon)
    assert name in ("pairs", "matrix", "splitter") or "vacuous" in private[3].reason


def test_records_may_be_chosen_for_the_trials():
    plan = coins(5, 40)
    table = table_of(plan, 40, 2, gaussian)
    ids = np.array([f"r{k}" for k in range(40)])
    drawn = {
        rates_bound(plan.spec(), table, ids, Claim(0.0, 0.05, seed=s)).detail["record"]
        for s in range(20)
    }
    assert drawn == {f"r{k}" for k in range(5)}
    found = rates_bound(plan.spec(), table, ids, Claim(0.0, 0.05, record="r3"))
    member = (table.roles() == IN)[:, 3]
    assert found.detail["record"] == "r3"
    assert found.detail["members"] == -(-member.sum() // 2)
    assert found.detail["non_members"] == -(-(~member).sum() // 2)
    with pytest.raises(InvalidInput, match="must be the id of a scored record; got 'r9'"):
        rates_bound(plan.spec(), table, ids, Claim(0.0, 0.05, record="r9"))
    with pytest.raises(InvalidInput, match="guesses must be at most the 200 coins; got 201"):
        one_run_bounds(plan.spec(), table, Claim(0.0, 0.05, guesses=201))


def test_a_record_that_is_hardly_ever_out_has_no_trials():
    plan = coins(2, 4)
    table = table_of(plan, 40, 0, silent)
    found = rates_bound(plan.spec(), table, NAMES, Claim(0.0, 0.05))
    assert np.isnan(found.epsilon)
    assert "it needs 2 of each" in found.reason


def test_few_fits_have_no_bound_of_mean_densities():
    table = table_of(coins(20, 8), 40, 0, silent)
    found = density_bound(coins(20, 8).spec(), table, Claim(0.0, 0.05))
    assert np.isnan(found.epsilon)
    assert "at most 4 pairs of fits" in found.reason
    assert found.detail["provable"] == 0


def test_fits_of_a_torn_repeat_are_no_pair():
    plan = KFold(2, repeats=8)
    whole = table_of(plan, 40, 0, silent)
    table = Table(whole.design, whole.rows, whole.log_prob, missing=(3,))
    found = density_bound(plan.spec(), table, Claim(0.0, 0.05))
    table.log_prob[2] += 1e6  # its other half is missing
    assert str(density_bound(plan.spec(), table, Claim(0.0, 0.05))) == str(found)
    assert found.detail["pairs"] == 7
