"""The Gaussian one-run audit against a linear program, and on Gaussian mechanisms of known mu."""

import numpy as np
import pytest
from scipy.optimize import brentq, linprog
from scipy.stats import binom, norm

from byrote.privacy import audit_one_run, gaussian_epsilon, one_run_epsilon, one_run_mu
from byrote.stats.one_run_audit import mu_excess


def most_probable(mu, m, r, v):
    """The largest P(C >= v) that the constraints of mu-GDP leave, by a linear program.

    Unknowns: P(C = c) for c = 0..r. For each i, E[C 1{C >= i + 1}] / m is at most the concave
    function Phi(Phi^-1(.) + mu) of E[(r - C) 1{C >= i}] / m, that is, below all its tangents.
    """
    counts = np.arange(r + 1)
    x = norm.cdf(np.linspace(-6, 6, 241))
    value = norm.cdf(norm.ppf(x) + mu)
    slope = np.exp(-mu * norm.ppf(x) - mu**2 / 2)
    rows, limits = [], []
    for i in range(r):
        right = np.where(counts >= i + 1, counts, 0) / m
        wrong = np.where(counts >= i, r - counts, 0) / m
        rows.append(right - slope[:, None] * wrong)
        limits.append(value - slope * x)
    found = linprog(
        -(counts >= v).astype(float),
        A_ub=np.vstack(rows),
        b_ub=np.concatenate(limits),
        A_eq=np.ones((1, r + 1)),
        b_eq=[1.0],
    )
    return -found.fun


@pytest.mark.parametrize(
    ("mu", "m", "r", "v"),
    [(0.5, 12, 12, 10), (1.0, 12, 12, 11), (1.0, 20, 10, 8), (2.0, 15, 15, 15), (0.2, 10, 8, 6)],
)
def test_the_recursion_is_the_optimum_of_a_linear_program(mu, m, r, v):
    own = brentq(lambda tau: mu_excess(mu, m, r, v, tau), 1e-9, 1 - 1e-9)
    assert own == pytest.approx(most_probable(mu, m, r, v), rel=2e-3)


def test_zero_mu_leaves_fair_coins():
    """Without privacy loss right guesses are binomial, which the constraints allow."""
    for v in (6, 8, 10):
        own = brentq(lambda tau, v=v: mu_excess(0.0, 10, 10, v, tau), 1e-12, 1 - 1e-12, xtol=1e-15)
        assert own >= binom(10, 0.5).sf(v - 1) * (1 - 1e-9)
    assert own == pytest.approx(2**-10)  # all right: no other distribution does better


def test_bound_is_where_rejection_ends():
    for counts in [(100, 100, 80), (1000, 100, 90), (50, 50, 50)]:
        mu = one_run_mu(canaries=counts[0], guesses=counts[1], correct=counts[2], significance=0.05)
        assert mu > 0
        assert (
            mu_excess(mu * (1 - 1e-6), *counts, 0.05)
            > 0
            > mu_excess(mu * (1 + 1e-6), *counts, 0.05)
        )


def test_rejection_is_monotone():
    values = [one_run_mu(canaries=200, guesses=100, correct=v) for v in range(101)]
    assert values[0] == values[50] == 0
    assert (np.diff(values) >= -1e-9).all()
    assert values[100] < 10
    for mu in np.linspace(0.05, 3, 40):
        assert (mu_excess(mu, 200, 100, 90, 0.05) > 0) == (mu <= values[90])


@pytest.mark.parametrize("mu", [0.0, 0.5, 1.0, 2.0])
def test_valid_when_every_coin_is_guessed(mu):
    """Noise N(0, 1) on a sum that a canary moves by mu: a guess is right with Phi(mu / 2)."""
    right = binom(300, norm.cdf(mu / 2)).pmf(np.arange(301))
    found = np.array([one_run_mu(canaries=300, guesses=300, correct=v) for v in range(301)])
    assert right[found > mu].sum() <= 0.05


@pytest.mark.parametrize("mu", [0.0, 1.0, 3.0])
def test_valid_and_tighter_on_gaussian_mechanisms_of_known_mu(mu):
    generator, delta, runs = np.random.default_rng(1), 1e-5, 150
    found = []
    for _ in range(runs):
        included = generator.random(1000) < 0.5
        scores = mu * included + generator.normal(size=1000)
        found.append(audit_one_run(scores, included, guesses=100, delta=delta))
    true = gaussian_epsilon(mu, delta)
    assert sum(audit.mu > mu for audit in found) <= binom(runs, 0.05).ppf(0.99)
    assert sum(audit.gaussian_epsilon > true for audit in found) <= binom(runs, 0.05).ppf(0.99)
    if mu:
        gains = [audit.gaussian_epsilon - audit.epsilon for audit in found]
        assert np.mean(gains) > 0.4
        assert min(gains) > 0


def test_as_many_as_one_likes():
    mu = one_run_mu(canaries=10**6, guesses=10**6, correct=900_000)
    known = one_run_epsilon(canaries=10**6, guesses=10**6, correct=900_000, delta=1e-6)
    assert gaussian_epsilon(mu, 1e-6) > known
