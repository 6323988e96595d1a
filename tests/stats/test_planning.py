"""What a plan can find, against simulation and scipy."""

import numpy as np
import pytest
from scipy import stats

from byrote.stats.moderated_test import (
    Contrast,
    VariancePrior,
    one_sample_contrast,
    student_p_values,
    two_sample_contrast,
)
from byrote.stats.planning import Sides, typical_deviation

RECORDS = 20_000


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.mark.parametrize(("folds", "repeats"), [(3, 6), (10, 10), (2, 4)])
def test_standard_error_of_k_fold(folds, repeats, generator):
    values = 3.0 * generator.normal(size=(RECORDS, repeats, folds))
    difference = (values[:, :, 1:].mean(axis=2) - values[:, :, 0]).mean(axis=1)
    sides = Sides(repeats * (folds - 1), repeats)
    assert sides.standard_error(3.0) == pytest.approx(difference.std(), rel=0.02)
    closed = 3.0 * np.sqrt(folds / (repeats * (folds - 1)))
    assert sides.standard_error(3.0) == pytest.approx(closed)


def test_standard_error_of_pairs_that_share_noise(generator):
    shared, rho, pairs = generator.normal(size=(RECORDS, 8, 1)), 0.6, 8
    single = generator.normal(size=(RECORDS, 8, 2))
    values = np.sqrt(rho) * shared + np.sqrt(1 - rho) * single
    difference = (values[:, :, 0] - values[:, :, 1]).mean(axis=1)
    spread = np.sqrt(1 - rho)
    assert Sides(pairs, pairs, True).standard_error(spread) == pytest.approx(
        difference.std(), rel=0.02
    )


def varying(prior, generator):
    """Variances of records under a prior."""
    return prior.variance * prior.degrees / generator.chisquare(prior.degrees, size=RECORDS)


@pytest.mark.parametrize("quantile", [0.5, 0.95])
def test_moderated_quantile(quantile, generator):
    prior = VariancePrior(4.0, 5.0)
    estimated = varying(prior, generator) * generator.chisquare(10, size=RECORDS) / 10
    ones = np.ones(RECORDS)
    moderated, _ = prior.moderate(Contrast(ones, ones, estimated, 10 * ones))
    shown = np.quantile(moderated, quantile)
    assert prior.moderated_quantile(10, quantile) == pytest.approx(shown, rel=0.05)


@pytest.mark.parametrize("sides", [Sides(8, 8), Sides(12, 6), Sides(8, 8, pairs=True)])
def test_the_detectable_effect_is_found_with_the_power_promised(sides, generator):
    prior, level = VariancePrior(4.0, 1e6), 1e-3
    effect = sides.detectable(prior, level, 0.8, 0.5)
    a, b = int(sides.inside), int(sides.outside)
    values = 2.0 * generator.normal(size=(RECORDS, a + b))
    values[:, :a] += effect
    if sides.pairs:
        differences = values[:, :a] - values[:, a:]
        contrast = one_sample_contrast(differences, np.full(differences.shape, 0.5))
    else:
        member = np.arange(a + b) < a
        contrast = two_sample_contrast(values, member, np.ones(values.shape))
    found = student_p_values(contrast, prior) <= level
    assert found.mean() == pytest.approx(0.8, abs=0.02)


def test_no_effect_is_found_without_degrees_of_freedom():
    assert Sides(1, 1).detectable(VariancePrior(1.0, 4.0), 0.05, 0.8, 0.5) == np.inf
    assert Sides(4, 0).detectable(VariancePrior(1.0, 4.0), 0.05, 0.8, 0.5) == np.inf


@pytest.mark.parametrize("degrees", [1, 2, 6])
def test_typical_deviation(degrees, generator):
    true = np.exp(0.5 * generator.normal(size=RECORDS))  # its median is 1
    estimated = true**2 * stats.chi2.rvs(degrees, size=RECORDS, random_state=generator) / degrees
    assert typical_deviation(estimated, np.full(RECORDS, degrees)) == pytest.approx(1.0, rel=0.06)
    assert np.isnan(typical_deviation(np.empty(0), np.empty(0)))
