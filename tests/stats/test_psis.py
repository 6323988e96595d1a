"""Pareto k-hat against tails that are known."""

import numpy as np
import pytest
from scipy.stats import genpareto, lognorm

from byrote.stats.psis import generalized_pareto_shape, pareto_k


def exceedances(shape, rows, count, seed=0):
    drawn = genpareto(shape).rvs((rows, count), random_state=np.random.default_rng(seed))
    return np.sort(drawn, axis=1)


@pytest.mark.parametrize("shape", [-0.1, 0.0, 0.3, 0.7, 1.0, 1.5])
def test_the_shape_of_simulated_tails_is_found(shape):
    count, rows = 400, 250
    found = generalized_pareto_shape(exceedances(shape, rows, count))
    error = (1 + shape) / np.sqrt(count)  # asymptotic, of the maximum-likelihood estimate
    assert found.mean() == pytest.approx(shape, abs=0.2 * error + 0.01)
    assert found.std() == pytest.approx(error, rel=0.2)
    assert (np.abs(found - shape) < 2 * error).mean() > 0.9


def test_it_is_near_the_maximum_of_the_likelihood():
    x = exceedances(0.5, 20, 1000, seed=1)
    found = generalized_pareto_shape(x)
    likeliest = [genpareto.fit(row, floc=0)[0] for row in x]
    np.testing.assert_allclose(found, likeliest, atol=0.015)


@pytest.mark.parametrize("count", [5, 7, 8, 48, 100])
def test_neither_scale_nor_the_other_records_matter(count):
    x = exceedances(0.4, 30, count)
    found = generalized_pareto_shape(x)
    scales = np.geomspace(1e-9, 1e9, 30)[:, None]
    np.testing.assert_allclose(generalized_pareto_shape(x * scales), found, rtol=1e-9)
    np.testing.assert_array_equal(generalized_pareto_shape(x[::-1]), found[::-1])
    np.testing.assert_array_equal(generalized_pareto_shape(x[4:5])[0], found[4])


def by_the_book(x):
    """Zhang & Stephens (2009) for one sample, term by term."""
    n = len(x)
    m = 30 + int(np.sqrt(n))
    quartile, largest = x[int(n / 4 + 0.5) - 1], x[-1]
    theta = [1 / largest + (1 - np.sqrt(m / (j - 0.5))) / (3 * quartile) for j in range(1, m + 1)]
    profile = []
    for value in theta:
        k = -np.mean(np.log1p(-value * x))
        profile.append(n * (np.log(value / k) + k - 1))
    weights = [1 / sum(np.exp(np.array(profile) - one)) for one in profile]
    average = np.dot(weights, theta)
    return np.mean(np.log1p(-average * x))


@pytest.mark.parametrize("count", [5, 6, 47, 48, 200])
def test_it_is_the_published_estimator(count):
    x = exceedances(0.6, 5, count, seed=2)
    expected = [by_the_book(row) for row in x]
    np.testing.assert_allclose(generalized_pareto_shape(x), expected, rtol=1e-8)


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.9])
def test_k_hat_of_weights_with_a_pareto_tail(shape):
    weights = (1 - np.random.default_rng(0).random((200, 4000))) ** -shape
    count = np.ceil(3 * np.sqrt(4000))
    found = pareto_k(np.log(weights))
    shrunk = (count * shape + 5) / (count + 10)
    error = (1 + shape) / np.sqrt(count)
    assert found.mean() == pytest.approx(shrunk, abs=0.02)
    assert found.std() == pytest.approx(error, rel=0.25)


def test_order_and_units_of_weights_do_not_matter():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 2, (20, 256))
    found = pareto_k(values)
    np.testing.assert_allclose(pareto_k(rng.permuted(values, axis=1)), found, rtol=1e-12)
    np.testing.assert_allclose(pareto_k(values - 1e4), found, rtol=1e-6)
    lower = np.where(values < np.median(values, axis=1, keepdims=True), -50, values)
    np.testing.assert_allclose(pareto_k(lower), found, rtol=1e-12)  # below the tail


def test_wider_weights_have_larger_k():
    normal = np.random.default_rng(0).normal(size=(300, 256))
    means = [pareto_k(width * normal).mean() for width in (0.1, 0.5, 1, 2, 4)]
    assert (np.diff(means) > 0.05).all()
    assert means[0] < 0.35
    assert means[-1] > 1


@pytest.mark.parametrize(("draws", "count"), [(256, 48), (100, 20), (21, 5), (225, 45), (226, 46)])
def test_the_size_of_the_tail(draws, count):
    """Changing a weight matters from the one just below the tail on, which is the threshold."""
    values = np.sort(np.log(lognorm(1).rvs((1, draws), random_state=3)), axis=1)
    found = pareto_k(values)
    below, threshold = values.copy(), values.copy()
    below[0, : draws - count - 1] -= 1
    threshold[0, draws - count - 1] -= 1e-3
    assert pareto_k(below) == found
    assert pareto_k(threshold) != found


DEGENERATE = {
    "too few": (np.zeros(20), np.nan),
    "equal": (np.zeros(100), -np.inf),
    "impossible": (np.full(100, -np.inf), np.nan),
    "unknown": (np.full(100, np.nan), np.nan),
    "one unknown": (np.r_[np.nan, np.zeros(99)], np.nan),
}


@pytest.mark.parametrize(("values", "expected"), DEGENERATE.values(), ids=DEGENERATE)
def test_where_there_is_no_tail(values, expected):
    np.testing.assert_array_equal(pareto_k(values[None]), [expected])


def test_a_weight_that_outweighs_all_others_is_seen():
    values = np.random.default_rng(0).normal(size=(1, 256))
    values[0, 17] = 2000
    assert pareto_k(values) > 1
    values[0, 18] = 1999
    assert pareto_k(values) > 1
