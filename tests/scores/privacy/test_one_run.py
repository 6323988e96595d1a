"""The one-run audit against published values, the formula written out, and known mechanisms."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from byrote.privacy import audit_one_run, gaussian_epsilon, one_run_epsilon
from byrote.stats.one_run_audit import p_value

LIMIT = 0.062  # the 99 % limit of 2,000 runs that fail with probability 5 %


@pytest.mark.parametrize(
    ("canaries", "guesses", "correct", "delta", "epsilon"),
    [
        (100, 100, 100, 0.0, 3.49297),
        (1000, 100, 90, 0.0, 1.63082),
        (1000, 100, 90, 1e-5, 1.62614),
        (1000, 1000, 1000, 0.0, 5.8091),
    ],
)
def test_published_values(canaries, guesses, correct, delta, epsilon):
    found = one_run_epsilon(canaries=canaries, guesses=guesses, correct=correct, delta=delta)
    assert found == pytest.approx(epsilon, abs=6e-6 if epsilon != 5.8091 else 6e-5)


def written_out(epsilon, m, r, v, delta):
    mass = binom.pmf(np.arange(v), r, np.exp(epsilon) / (1 + np.exp(epsilon)))
    alpha = max(mass[v - i :].sum() / i for i in range(1, v + 1))
    return 1 - mass.sum() + 2 * m * delta * alpha


@pytest.mark.parametrize("delta", [0.0, 1e-6, 1e-4, 1e-3])
@pytest.mark.parametrize(("m", "r", "v"), [(40, 40, 33), (200, 60, 60), (60, 60, 1), (90, 30, 25)])
def test_p_value_is_the_formula(m, r, v, delta):
    for epsilon in (0.0, 0.3, 1.0, 2.5, 6.0):
        expected = min(1.0, written_out(epsilon, m, r, v, delta))
        assert p_value(epsilon, m, r, v, delta) == pytest.approx(expected, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("delta", [0.0, 1e-6, 1e-4, 1e-3])
@pytest.mark.parametrize(("m", "r", "v"), [(40, 40, 33), (200, 60, 60), (60, 60, 31), (90, 30, 25)])
def test_bound_is_the_largest_epsilon_rejected(m, r, v, delta):
    found = one_run_epsilon(canaries=m, guesses=r, correct=v, delta=delta)
    rejected = [e for e in np.linspace(0, 8, 161) if written_out(e, m, r, v, delta) <= 0.05]
    last = max(rejected, default=0.0)
    assert last - 1e-9 <= found <= last + 0.05 + 1e-9


@settings(max_examples=30)
@given(st.integers(1, 400), st.data())
def test_more_right_prove_more_and_more_delta_less(guesses, data):
    right = data.draw(st.integers(0, guesses))
    fewer = data.draw(st.integers(0, right))
    delta = data.draw(st.floats(0, 1e-3))
    coins = guesses + data.draw(st.integers(0, 400))
    given_ = {"canaries": coins, "guesses": guesses}
    bound = one_run_epsilon(**given_, correct=right, delta=delta)
    assert bound >= one_run_epsilon(**given_, correct=fewer, delta=delta) - 1e-9
    assert bound <= one_run_epsilon(**given_, correct=right) + 1e-9
    assert bound >= one_run_epsilon(**given_, correct=right, delta=delta, significance=0.01) - 1e-9


@pytest.mark.parametrize("correct", [501_000, 900_000, 1_000_000])
@pytest.mark.parametrize("delta", [0.0, 1e-7])
def test_a_million_guesses_take_less_than_a_second(correct, delta):
    taken = []
    for _ in range(2):
        start = time.process_time()
        one_run_epsilon(canaries=10**6, guesses=10**6, correct=correct, delta=delta)
        taken.append(time.process_time() - start)
    assert min(taken) < 1


def bounds(r, delta):
    """The bound of every number of right guesses among r."""
    return np.array(
        [one_run_epsilon(canaries=r, guesses=r, correct=v, delta=delta) for v in range(r + 1)]
    )


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0, 3.0])
def test_above_the_epsilon_of_randomized_response_in_few_of_2000_runs(epsilon):
    every, q = bounds(500, 0.0), np.exp(epsilon) / (1 + np.exp(epsilon))
    right = np.random.default_rng(0).binomial(500, q, size=2000)
    assert (every[right] > epsilon + 1e-9).mean() <= LIMIT
    assert binom(500, q).pmf(np.arange(501))[every > epsilon + 1e-9].sum() <= 0.05


@pytest.mark.parametrize("delta", [1e-4, 1e-2])
def test_holds_where_a_delta_gives_records_away(delta):
    """Randomized response that, with probability delta each, answers with the truth for certain."""
    epsilon, r = 1.0, 400
    q = delta + (1 - delta) * np.exp(epsilon) / (1 + np.exp(epsilon))
    right = np.random.default_rng(1).binomial(r, q, size=2000)
    assert (bounds(r, delta)[right] > epsilon).mean() <= LIMIT


def laplace(generator, size):
    return generator.laplace(scale=1.0, size=size), 1.0, 0.0  # sensitivity 1: epsilon 1


def gaussian(generator, size):
    return generator.normal(size=size), gaussian_epsilon(1.0, 1e-3), 1e-3


def silent(generator, size):
    return 1e9 * generator.normal(size=size), 1e-6, 0.0  # null: the record leaves no trace


@pytest.mark.parametrize("mechanism", [laplace, gaussian, silent])
@pytest.mark.parametrize("guesses", [400, 80])
def test_never_above_the_epsilon_of_known_mechanisms(mechanism, guesses):
    generator, above, runs = np.random.default_rng(2), 0, 200
    for _ in range(runs):
        included = generator.random(400) < 0.5
        noise, epsilon, delta = mechanism(generator, 400)
        found = audit_one_run(included + noise, included, guesses=guesses, delta=delta)
        above += found.epsilon > epsilon
    assert above <= binom(runs, 0.05).ppf(0.99)


def test_guesses_are_the_extremes():
    scores = np.array([5.0, -3.0, 0.1, 0.2, 4.0, -2.0])
    included = np.array([True, False, True, False, False, False])
    assert audit_one_run(scores, included, guesses=4).correct == 3
    assert audit_one_run(scores, included, guesses=1).correct == 1
    found = audit_one_run(scores, included, guesses=3, delta=1e-4)
    assert (found.canaries, found.guesses, found.correct) == (6, 3, 2)
    assert found.to_dict()["epsilon"] == found.epsilon
    assert found.epsilon == one_run_epsilon(canaries=6, guesses=3, correct=2, delta=1e-4)
