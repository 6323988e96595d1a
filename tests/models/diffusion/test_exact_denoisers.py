"""Both estimators against the exact denoiser of training points: a kernel density of sigma_min."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermegauss

from byrote.models.diffusion.i_mmse import estimate_log_prob, integrated
from byrote.models.diffusion.probability_flow import Prior, heun, log_prob, sample
from exact_denoisers import exact_denoiser, kernel_density, normal_quantiles


def mean_log_prob(points, levels, *, quantiles=1001):
    """E log p(0 + eps) of points on a line, by I-MMSE from sigma 1 to 1000."""
    sigmas = np.geomspace(1, 1000, levels)
    noise = torch.as_tensor(normal_quantiles(quantiles)).expand(1, levels, -1)[..., None]
    x = torch.zeros(1, 1, dtype=torch.float64)
    denoise = exact_denoiser(np.reshape(points, (-1, 1)))
    return estimate_log_prob(denoise, x, noise, sigmas, at_once=1 << 19).log_prob[0]


def flow_log_prob(points, x, sigmas, probe=None):
    """log p by the ODE, from a prior with the variance of the points."""
    prior = Prior(torch.as_tensor(points.mean(axis=0)), math.hypot(sigmas[-1], points.std()))
    return log_prob(exact_denoiser(points), torch.as_tensor(x), sigmas, prior, probe)


@pytest.mark.parametrize(
    ("distance", "log_p", "score"),
    [
        (0, -1.418939, 0.0),
        (1, -1.530360, 0.388579),
        (2, -1.755769, 1.663169),
        (3, -1.945716, 3.973223),
        (5, -2.094881, 11.824058),
    ],
)
def test_two_points_on_a_line_by_i_mmse(distance, log_p, score):
    inside, outside = (mean_log_prob(p, 400) for p in ([0, distance], [distance]))
    assert inside == pytest.approx(log_p, abs=5e-4)
    assert inside - outside == pytest.approx(score, rel=3e-4, abs=1e-9)


@pytest.mark.parametrize(
    ("levels", "score"), [(16, 1.798), (32, 1.695), (64, 1.671), (400, 1.6634)]
)
def test_the_trapezoid_is_as_wrong_as_its_levels_are_few(levels, score):
    found = mean_log_prob([0, 2], levels) - mean_log_prob([2], levels)
    assert found == pytest.approx(score, abs=7e-4)


@pytest.mark.parametrize(("distance", "score"), [(1, 0.28093), (2, 1.43378), (3, 3.81790)])
def test_two_points_on_a_line_by_the_ode(distance, score):
    sigmas, x = np.geomspace(1, 1000, 501), np.zeros((1, 1))
    inside, outside = (
        flow_log_prob(np.reshape(p, (-1, 1)).astype(float), x, sigmas)[0]
        for p in ([0, distance], [distance])
    )
    assert inside - outside == pytest.approx(score, rel=1e-3)


@pytest.mark.parametrize(
    ("steps", "largest"), [(16, 4.0), (32, 2.2), (64, 0.13), (128, 0.022), (256, 0.008)]
)
def test_errors_of_the_ode_fall_with_its_steps(steps, largest):
    points = np.random.default_rng(5).normal(size=(10, 2))
    found = flow_log_prob(points, points, np.geomspace(0.1, 80, steps + 1))
    errors = np.abs(found - kernel_density(points, points, 0.1))
    assert errors.max() < 1.2 * largest


clouds = st.tuples(st.integers(1, 5), st.integers(1, 8), st.integers(0, 10**6))


@given(clouds)
@settings(max_examples=6)
def test_the_ode_of_any_points_gives_their_kernel_density(cloud):
    d, n, seed = cloud
    points, x = np.split(np.random.default_rng(seed).normal(size=(n + 3, d)), [n])
    found = flow_log_prob(points, x, np.geomspace(0.7, 300, 97))
    np.testing.assert_allclose(found, kernel_density(points, x, 0.7), atol=0.02 + 0.02 * d)


@given(clouds)
@settings(max_examples=12)
def test_i_mmse_of_any_points_gives_the_mean_of_their_kernel_density_around_a_record(cloud):
    d, n, seed = cloud
    generator = np.random.default_rng(seed)
    points, x = generator.normal(size=(n, d)), generator.normal(size=(1, d))
    sigmas, draws = np.geomspace(0.7, 300, 64), 400
    noise = torch.as_tensor(generator.normal(size=(1, 64, draws, d)))
    found = estimate_log_prob(exact_denoiser(points), torch.as_tensor(x), noise, sigmas)
    around = kernel_density(points, x + 0.7 * generator.normal(size=(20_000, d)), 0.7)
    error = 5 * (found.standard_error[0] + around.std() / math.sqrt(len(around)))
    assert found.log_prob[0] == pytest.approx(around.mean(), abs=error + 0.01 * (1 + d))


@given(clouds)
@settings(max_examples=12)
def test_the_density_at_a_record_exceeds_the_mean_around_it_by_at_most_half_its_dimensions(cloud):
    """What ``scoring.differing`` allows."""
    d, n, seed = cloud
    generator = np.random.default_rng(seed)
    points, x = 3 * generator.normal(size=(n, d)), 3 * generator.normal(size=(1, d))
    around = kernel_density(points, x + 0.5 * generator.normal(size=(20_000, d)), 0.5)
    excess = kernel_density(points, x, 0.5)[0] - around.mean()
    assert excess <= d / 2 + 5 * around.std() / math.sqrt(len(around))


def test_standard_errors_are_those_of_repeated_noise():
    generator = np.random.default_rng(3)
    points, x = generator.normal(size=(5, 2)), torch.zeros(200, 2, dtype=torch.float64)
    sigmas = np.geomspace(0.5, 50, 32)
    noise = torch.as_tensor(generator.normal(size=(200, 32, 2, 2)))
    found = estimate_log_prob(exact_denoiser(points), x, noise, sigmas)
    spread = found.log_prob.std(ddof=1)
    assert math.sqrt((found.standard_error**2).mean()) == pytest.approx(spread, rel=0.15)
    single = estimate_log_prob(exact_denoiser(points), x, noise[:, :, :1], sigmas)
    assert np.isnan(single.standard_error).all()


def test_a_probe_gives_the_trace_on_average():
    points = np.random.default_rng(1).normal(size=(6, 3))
    sigmas, x = np.geomspace(0.8, 100, 33), np.repeat(points[:1], 400, axis=0)
    signs = torch.as_tensor(np.random.default_rng(2).choice([-1.0, 1.0], size=x.shape))
    exact = flow_log_prob(points, x[:1], sigmas)[0]
    found = flow_log_prob(points, x, sigmas, signs)
    assert found.mean() == pytest.approx(exact, abs=5 * found.std() / 20)
    one_dimension = flow_log_prob(points[:, :1], x[:5, :1], sigmas, signs[:5, :1])
    np.testing.assert_allclose(one_dimension, flow_log_prob(points[:, :1], x[:5, :1], sigmas))


def test_samples_of_the_exact_denoiser_are_its_points():
    points = np.array([[-2.0, 0.0], [2.0, 1.0]])
    start = 80 * torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    drawn = sample(exact_denoiser(points), start.double(), np.geomspace(0.05, 80, 65)).numpy()
    nearest = np.abs(drawn[:, None] - points).sum(axis=-1)
    assert nearest.min(axis=1).max() < 0.01
    assert abs((nearest.argmin(axis=1) == 0).mean() - 0.5) < 0.1


def test_heun_integrates_a_linear_equation_to_second_order():
    def slope(x, sigma):
        return x, x.new_tensor(sigma)

    errors = []
    for steps in (20, 40):
        end, total = heun(slope, torch.ones(1, dtype=torch.float64), np.geomspace(1, 3, steps + 1))
        errors.append((abs(float(end) - 3), abs(float(total) - 2)))
    for coarse, fine in zip(*errors, strict=True):
        assert coarse / fine == pytest.approx(4, rel=0.1)


def test_errors_that_are_constant_in_log_sigma_integrate_exactly():
    """Gauss-Hermite nodes would do as noise: only the mean over draws counts."""
    nodes, _ = hermegauss(3)
    sigmas = np.geomspace(0.1, 10, 9)
    found = integrated(np.full((1, 9, len(nodes)), 2.0), sigmas, d=1)
    by_hand = -0.5 * math.log(2 * math.pi * math.e * 0.01) - 2 * math.log(100) - 1
    assert found.log_prob[0] == pytest.approx(by_hand)
    assert found.standard_error[0] == 0
