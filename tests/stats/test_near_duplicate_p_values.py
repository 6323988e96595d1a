"""p-values of near copies: uniform where there are none, tiny where there are."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from byrote.stats.multiple_testing import q_values
from byrote.stats.near_duplicate_test import has_few_distances, near_duplicate_p_values

K = 20


def by_brute_force(x):
    distances = cdist(x, x)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argpartition(distances, K, axis=1)[:, :K]
    order = np.argsort(np.take_along_axis(distances, nearest, axis=1), axis=1, kind="stable")
    nearest = np.take_along_axis(nearest, order, axis=1)
    return np.take_along_axis(distances, nearest, axis=1), nearest


def two_dimensions(generator):
    """Half of the records on a plane, half in 15 dimensions, all in 15 columns."""
    x = generator.normal(size=(1000, 15)) + 40
    x[:500] = 0
    x[:500, :2] = generator.normal(size=(500, 2))
    return x


NULL = {
    "a plane": lambda g: g.normal(size=(1000, 2)),
    "ten dimensions": lambda g: g.normal(size=(1000, 10)),
    "a hundred": lambda g: g.normal(size=(1000, 100)),
    "heavy tails": lambda g: g.standard_t(1.5, size=(1000, 4)),
    "clusters of unlike density": lambda g: (
        g.normal(size=(1000, 3)) * (1 + 9 * (np.arange(1000) % 2))[:, None]
        + 99 * (np.arange(1000) % 2)[:, None]
    ),
    "two dimensions": two_dimensions,
    "a surface in many columns": lambda g: np.sin(
        g.normal(size=(1000, 3)) @ g.normal(size=(3, 40))
    ),
    "binary": lambda g: (g.random((1000, 200)) < g.random(200)).astype(float),
}


@pytest.mark.parametrize("case", NULL)
def test_without_near_copies_p_values_are_nearly_uniform_and_nothing_is_found(case):
    p = np.array(
        [
            near_duplicate_p_values(*by_brute_force(NULL[case](np.random.default_rng(s))))
            for s in range(3)
        ]
    )
    for level, factor in ((0.001, 4), (0.01, 2), (0.05, 1.5)):
        assert np.mean(p <= level) <= factor * level
    assert (np.abs(np.median(p, axis=1) - 0.5) < 0.01).all()
    assert sum((q_values(each) <= 0.01).any() for each in p) <= 1


@pytest.mark.parametrize("size", [2, 4, 8])
def test_near_copies_stand_out_in_groups_of_up_to_half_the_neighbours(size):
    generator = np.random.default_rng(1)
    x = generator.normal(size=(1000, 10))
    planted = np.arange(10 * size)
    x[planted] = x[planted // size * size] + 1e-3 * generator.normal(size=(10 * size, 10))
    found = np.flatnonzero(q_values(near_duplicate_p_values(*by_brute_force(x))) <= 0.01)
    assert set(planted) <= set(found)
    assert len(found) <= 1.05 * len(planted)


def test_unit_offset_and_rotation_do_not_matter():
    generator = np.random.default_rng(2)
    x = generator.normal(size=(400, 6))
    turned = np.linalg.qr(generator.normal(size=(6, 6)))[0]
    there = near_duplicate_p_values(*by_brute_force(1e-9 * x @ turned + 5e-9))
    assert np.allclose(there, near_duplicate_p_values(*by_brute_force(x)), rtol=1e-6)


def test_the_p_value_is_the_chance_of_a_smallest_of_uniform_numbers():
    """With all dimensions equal: t = (d_1/d_K)^m, whatever m, with the median of p at 1/2."""
    generator = np.random.default_rng(3)
    balls = np.sort(generator.random((400, K)), axis=1)  # volumes
    distances = balls ** (1 / 7)
    p = near_duplicate_p_values(
        distances, np.tile(np.arange(K), (400, 1))
    )  # one neighbourhood for all: near equal
    exact = 1 - (1 - balls[:, 0] / balls[:, -1]) ** (K - 1)
    assert np.corrcoef(np.log(p), np.log(exact))[0, 1] > 0.98
    assert np.median(p) == pytest.approx(0.5, abs=0.01)


def test_distance_zero_has_p_zero_and_nothing_fails_where_all_is_zero():
    generator = np.random.default_rng(5)
    distances, neighbors = by_brute_force(generator.normal(size=(100, 3)))
    distances[4, 0] = 0
    assert near_duplicate_p_values(distances, neighbors)[4] == 0
    distances[:] = 0
    assert (near_duplicate_p_values(distances, neighbors) == 0).all()
    distances[:] = 1
    assert (near_duplicate_p_values(distances, neighbors) == 1).all()


@pytest.mark.parametrize(
    ("levels", "columns", "few"), [(4, 10, True), (50, 4, True), (0, 4, False)]
)
def test_categories_have_few_distances_and_numbers_many(levels, columns, few):
    generator = np.random.default_rng(6)
    if levels:
        x = np.eye(levels)[generator.integers(0, levels, (600, columns))].reshape(600, -1)
    else:
        x = generator.normal(size=(600, columns))
    distances, _ = by_brute_force(np.unique(x, axis=0))
    assert has_few_distances(distances) is few
