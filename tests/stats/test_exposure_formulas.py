"""Exposure from ranks and counts against brute force, scipy and published numbers."""

from math import factorial, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from byrote.stats import exposure
from byrote.stats.skew_normal import log_lower_tail


@pytest.mark.parametrize(("size", "bits"), [(10**9, 29.897353), (10**16, 53.150850), (2**122, 122)])
def test_the_most_that_a_space_allows(size, bits):
    assert exposure.from_rank([1], size)[0] == pytest.approx(bits, abs=5e-7)
    assert exposure.from_rank([size], size)[0] == 0


def test_whole_numbers_of_any_size():
    assert exposure.logs2([2**122, 2**122 + 2**70, 2**3000]).tolist() == [
        122.0,
        122 + np.log2(1 + 2.0**-52),
        3000.0,
    ]


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=8),
    st.lists(st.integers(0, 6), min_size=1, max_size=20),
)
def test_counting_is_counting(costs, references):
    costs, references = np.array(costs, dtype=float), np.sort(np.array(references, dtype=float))
    expected = [sum(r <= cost for r in references) for cost in costs]
    assert exposure.at_most(costs, references).tolist() == expected
    rows = np.broadcast_to(references, (len(costs), len(references)))
    assert exposure.at_most(costs, rows).tolist() == expected


@pytest.mark.parametrize(
    ("n", "from_references", "mean"),
    [
        (16, False, 1.2343662),
        (1000, False, 1.4363863),
        (16, True, 1.1566116),
        (1000, True, 1.4349499),
    ],
)
def test_means_without_memorization(n, from_references, mean):
    assert exposure.null_mean(n, from_references=from_references) == pytest.approx(mean, abs=5e-8)
    ranks = np.arange(1, n + 1 + from_references)
    assert exposure.null_mean(n, from_references=from_references) == pytest.approx(
        np.mean(log2(n) - np.log2(ranks))
    )


def test_the_mean_of_huge_spaces_is_the_limit():
    assert exposure.null_mean(2**122, from_references=False) == pytest.approx(
        1 / np.log(2), abs=1e-9
    )
    assert exposure.null_mean(20, from_references=False) == pytest.approx(
        log2(20) - log2(factorial(20)) / 20, rel=1e-12
    )


def test_members_one_standard_deviation_apart():
    """Score N(1, 1) of members, N(0, 1) of others: mean exposure 3.219736 bits."""
    score = np.linspace(-12, 14, 20_001)
    bits = -log_lower_tail(-score, 0.0, 1.0, 0.0) / np.log(2)
    mean = np.trapezoid(bits * norm.pdf(score, 1, 1), score)
    assert mean == pytest.approx(3.219736, abs=5e-7)


def test_intervals_in_spaces_that_no_float_can_count():
    below = np.array([0, 3, 50])
    found = exposure.sampled_interval(below, 50, size=10**400)
    expected = exposure.sampled_interval(below, 50)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-12)
    np.testing.assert_allclose(found[1], [400 * log2(10), *expected[1][1:]])


@given(st.integers(1, 500), st.data())
def test_intervals_hold_the_estimate_and_known_spaces_bound_them(n, data):
    below = np.array([data.draw(st.integers(0, n))])
    bits = exposure.sampled(below, n)
    open_low, open_high = exposure.sampled_interval(below, n)
    low, high = exposure.sampled_interval(below, n, size=10**9)
    assert open_low <= bits <= open_high
    assert low <= bits <= high <= log2(10**9)
    assert np.isinf(open_high) == (below == 0)
    np.testing.assert_allclose(low, open_low, atol=1e-5)  # a billion candidates: nearly no bound
