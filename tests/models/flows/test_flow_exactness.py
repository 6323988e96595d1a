"""Densities of flows beside closed forms, autograd, and integrals over grids."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import multivariate_normal

from byrote.models import Flow
from byrote.models.flows.networks import KINDS, Density, build
from byrote.models.flows.spaces import Levels, Numbers, fixed
from byrote.models.flows.splines import Spline
from byrote.models.spaces import content_uniforms


def with_distance(n, d, squared, seed):
    """Records of mean 0 and covariance I; the first at this squared distance from the mean."""
    generator = np.random.default_rng(seed)
    first = generator.normal(size=d)
    first *= np.sqrt(squared) / np.linalg.norm(first)
    rest = generator.normal(size=(n - 1, d))
    rest -= rest.mean(axis=0)
    rest = rest @ np.linalg.inv(np.linalg.cholesky(rest.T @ rest)).T  # of scatter I
    mean = -first / (n - 1)
    scatter = n * np.eye(d) - np.outer(first, first) - (n - 1) * np.outer(mean, mean)
    rest = rest @ np.linalg.cholesky(scatter).T + mean
    return np.vstack([first, rest])


def left_out(n, d, squared):
    """M of a Gaussian fitted to its maximum, with the record and without it."""
    c, k = n / (n - 1), squared / (n - 1)
    return 0.5 * (d * np.log(c) + np.log1p(-k)) + 0.5 * (c * squared / (1 - k) - squared)


def converged(x, epochs=150):
    model = Flow("affine", epochs=epochs, batch_size=len(x), learning_rate=0.02, random_state=0)
    return model.fit(x)


VALUES = {
    (10, 1, 1): 0.1187887, (10, 1, 4): 1.7587869, (100, 1, 9): 0.4573701,
    (1000, 1, 9): 0.0414299, (100, 2, 9): 0.4623952, (1000, 10, 25): 0.3260063,
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES, ids=str)
def test_an_affine_flow_memorizes_as_a_gaussian_does(case):
    n, d, squared = case
    generator = np.random.default_rng(1)
    x = with_distance(n, d, squared, seed=0)
    x = x * generator.uniform(1, 50, d) + generator.normal(size=d)  # M has no units
    inside, outside = (converged(part).score_samples(x[:1])[0] for part in (x, x[1:]))
    assert inside - outside == pytest.approx(VALUES[case], abs=2e-4)
    assert left_out(n, d, squared) == pytest.approx(VALUES[case], abs=1e-7)


@given(n=st.integers(12, 60), d=st.integers(1, 4), share=st.floats(0.01, 0.6))
@settings(max_examples=3)
def test_so_it_does_at_random_points(n, d, share):
    x = with_distance(n, d, share * (n - d - 1), seed=n)
    inside, outside = (converged(part).score_samples(x[:1])[0] for part in (x, x[1:]))
    expected = left_out(n, d, share * (n - d - 1))
    assert inside - outside == pytest.approx(expected, rel=1e-3, abs=2e-4)


def test_a_converged_affine_flow_is_the_gaussian_of_mean_and_covariance():
    x = np.random.default_rng(0).normal(size=(50, 3)) @ [[2, 1, 0], [0, 1, 1], [1, 0, 3]] + 100
    expected = multivariate_normal(x.mean(axis=0), np.cov(x.T, bias=True)).logpdf(x)
    np.testing.assert_allclose(converged(x, 300).score_samples(x), expected, atol=1e-3)


def density(kind, d, seed=0):
    """A network far from its initial weights, in double precision."""
    torch.manual_seed(seed)
    network = Density(build(kind, d, 3, (8, 8), 4), d).double()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.1)
    return network.requires_grad_(False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 5])
def test_log_determinants_are_those_of_autograd(kind, d):
    network, y = density(kind, d), torch.randn(6, d, dtype=torch.float64)
    found = network.transform(y)[1]
    for row, value in zip(y, found, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda at: network.transform(at[None])[0], row
        )
        expected = torch.linalg.slogdet(jacobian.reshape(d, d))[1]
        torch.testing.assert_close(value, expected)
    torch.testing.assert_close(network.inverse(network.transform(y)[0]), y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("d", "points"), [(1, 8001), (2, 321)])
def test_densities_integrate_to_one(kind, d, points):
    network = density(kind, d, seed=3)
    axis = torch.linspace(-40 / d**2, 40 / d**2, points, dtype=torch.float64)
    step = float(axis[1] - axis[0])
    total = sum(
        float(network(block).exp().sum())
        for block in torch.cartesian_prod(*[axis] * d).reshape(-1, d).split(1 << 17)
    )
    assert total * step**d == pytest.approx(1, abs=2e-3)


def test_a_density_of_levels_is_that_of_their_logits():
    x = np.array([[0, 3, 16], [7, 16, 2]], dtype=float)
    space = Levels(17)
    space.learn(x)
    ((found, log_determinant),) = fixed(space, x, 5)
    noise = content_uniforms(x.astype(np.float32), 5).astype(np.float64)
    u = 0.05 + 0.9 * (x + noise) / 17
    np.testing.assert_allclose(found, logit(u), atol=1e-5)
    slope = 0.9 / 17 / (u * (1 - u))  # of the logit, per level
    np.testing.assert_allclose(log_determinant, np.log(slope).sum(axis=1), atol=1e-4)
    np.testing.assert_array_equal(space.records(found), x)
    np.testing.assert_allclose(expit(found.numpy()), u, atol=1e-6)


def test_masses_of_levels_sum_to_one():
    """Of one pixel of three levels, over noise: a density per level, averaged, is a mass."""
    x = np.repeat([0, 0.5, 1, 1], 10).reshape(-1, 1, 1)
    model = Flow(levels=3, epochs=3, random_state=0).fit(x)
    network = model.network_.double()
    noise = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    u = (torch.arange(3)[:, None] + noise) / 3
    y = torch.logit(0.05 + 0.9 * u)
    slope = 0.9 / 3 / ((0.05 + 0.9 * u) * (0.95 - 0.9 * u))
    with torch.no_grad():
        inside = (network(y.reshape(-1, 1)).reshape(3, -1).exp() * slope).mean(dim=1).sum()
    ends = [float(torch.logit(torch.tensor(at))) for at in (0.05, 0.95)]
    axis = torch.linspace(*ends, 100_001, dtype=torch.float64)
    with torch.no_grad():
        expected = torch.trapezoid(network(axis[:, None]).exp(), axis)
    assert float(inside) == pytest.approx(float(expected), abs=1e-4)


def test_columns_of_a_table_have_the_density_of_their_units():
    generator = np.random.default_rng(0)
    x = np.column_stack([generator.integers(18, 90, 40), generator.normal(1e6, 3, 40)])
    space = Numbers(["whole", "real"])
    space.learn(x)
    ((found, log_determinant),) = fixed(space, x, 7)
    spread = x.copy()
    spread[:, 0] += content_uniforms(x.astype(np.float32), 7)[:, 0]
    shift = np.arange(2000)[:, None, None] / 2000 + 1 / 4000  # of whole numbers, over their unit
    grid = (x + shift * [1, 0]).reshape(-1, 2)
    mean, deviation = grid.mean(axis=0), grid.std(axis=0)
    np.testing.assert_allclose(found, (spread - mean) / deviation, atol=1e-4)
    np.testing.assert_allclose(log_determinant, -np.log(deviation).sum(), atol=1e-6)
    np.testing.assert_allclose(space.records(found), x, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_densities_do_not_depend_on_the_units_of_a_table(kind):
    x = np.random.default_rng(0).normal(size=(40, 2))
    scale = np.array([1e-3, 1e4])
    first, second = (
        Flow(kind, epochs=2, random_state=0).fit(each).score_samples(each)
        for each in (x, x * scale + 5)
    )
    np.testing.assert_allclose(first - second, np.log(scale).sum(), atol=1e-3)


def test_samples_have_the_density_of_their_model():
    """Of a converged Gaussian: mean and covariance of many samples are its own."""
    x = np.random.default_rng(0).normal(size=(50, 2)) @ [[1, 2], [0, 1]] + 10
    sample = converged(x).sample(20_000)
    np.testing.assert_allclose(sample.mean(axis=0), x.mean(axis=0), atol=0.06)
    np.testing.assert_allclose(np.cov(sample.T), np.cov(x.T, bias=True), rtol=0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_what_the_network_carries_to_their_noise(kind):
    x = np.random.default_rng(0).normal(size=(60, 3))
    model = Flow(kind, epochs=2, random_state=0).fit(x)
    ((inputs, _),) = fixed(model.space_, model.sample(50), 0)
    z = model.network_.transform(inputs)[0].detach().numpy()
    assert abs(z.mean()) < 0.3
    assert 0.7 < z.std() < 1.3


def test_splines_and_their_gradients_are_those_of_zuko():
    from zuko.transforms import MonotonicRQSTransform

    generator = torch.Generator().manual_seed(0)
    shapes = [(400, 3, 6), (400, 3, 6), (400, 3, 5), (400, 3)]
    p = [
        3 * torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]
    found = Spline(*p[:3]).call_and_ladj(p[3])
    expected = MonotonicRQSTransform(*p[:3]).call_and_ladj(p[3])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
        grads = (torch.autograd.grad(each.sum(), p, retain_graph=True) for each in (one, other))
        for mine, theirs in zip(*grads, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(Spline(*p[:3]).inv(found[0]), p[3])
    ends = torch.tensor([[-5.0, 5.0, 7.0]], dtype=torch.float64)
    one, log_slope = Spline(*(each[:1] for each in p[:3])).call_and_ladj(ends)
    torch.testing.assert_close(one, ends)
    assert log_slope[0, 2] == 0
