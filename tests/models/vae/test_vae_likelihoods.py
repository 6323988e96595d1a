"""Each likelihood against scipy, summation over all levels and integration."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import quad
from scipy.special import expit, logsumexp, softmax

from byrote.models.vae.likelihoods import (
    Bernoulli,
    DiagonalGaussian,
    LogisticMixture,
    SharedGaussian,
)

LEVELS = np.arange(256) * 2 / 255 - 1
KINDS = {
    "bernoulli": Bernoulli,
    "gaussian": DiagonalGaussian,
    "shared": SharedGaussian,
    "mixture": LogisticMixture,
    "two components": lambda channels: LogisticMixture(channels, components=2),
}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def outputs(likelihood, *shape, seed=0):
    return torch.randn(*shape[:-1], likelihood.outputs, shape[-1], generator=generator(seed))


def double(tensor):
    return tensor.detach().double().numpy()


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("channels", [1, 3])
def test_values_are_summed_and_axes_broadcast(kind, channels):
    likelihood = kind(channels)
    parameters = outputs(likelihood, 4, 2, 5)  # draws, records, pixels
    x = likelihood.sample(parameters[0], generator(1))
    assert x.shape == (2, channels, 5)
    found = likelihood.log_prob(x, parameters)
    assert found.shape == (4, 2)
    pixels = [likelihood.log_prob(x[..., [i]], parameters[..., [i]]) for i in range(5)]
    torch.testing.assert_close(found, torch.stack(pixels).sum(dim=0))
    alone = likelihood.log_prob(x[1], parameters[3, 1])
    torch.testing.assert_close(found[3, 1], alone)


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_are_finite_far_out(kind, channels):
    likelihood = kind(channels)
    for scale in (1, 100):
        parameters = (scale * outputs(likelihood, 3, 7)).requires_grad_()
        x = torch.tensor([-1.0, 1.0, 0.0])[:, None, None].expand(3, channels, 7)
        if isinstance(likelihood, Bernoulli):
            x = x.abs()
        value = likelihood.log_prob(x, parameters)
        value.sum().backward()
        assert torch.isfinite(value).all()
        assert torch.isfinite(parameters.grad).all()


def test_the_same_generator_draws_the_same(kind):
    likelihood = kind(3)
    parameters = outputs(likelihood, 4, 6)
    one, two, other = (likelihood.sample(parameters, generator(seed)) for seed in (1, 1, 2))
    torch.testing.assert_close(one, two, rtol=0, atol=0)
    assert (one != other).any()


def test_bernoulli_is_scipys():
    likelihood = Bernoulli(3)
    logits = 5 * outputs(likelihood, 40, 6)
    x = torch.randint(0, 2, (40, 3, 6), generator=generator()).float()
    expected = stats.bernoulli(expit(double(logits))).logpmf(double(x)).sum(axis=(1, 2))
    np.testing.assert_allclose(likelihood.log_prob(x, logits), expected, rtol=1e-5)
    drawn = likelihood.sample(logits[0].expand(20000, 3, 6), generator())
    np.testing.assert_allclose(drawn.mean(dim=0), expit(double(logits[0])), atol=0.02)
    certain = likelihood.log_prob(torch.ones(1, 1), torch.tensor([[200.0]]))
    assert certain.item() == 0


def test_gaussians_are_scipys():
    likelihood = DiagonalGaussian(3)
    parameters = outputs(likelihood, 40, 6)
    x = torch.randn(40, 3, 6, generator=generator(1))
    mean, log_variance = double(parameters)[:, :3], double(parameters)[:, 3:]
    density = stats.norm(mean, np.exp(log_variance / 2))
    expected = density.logpdf(double(x)).sum(axis=(1, 2))
    np.testing.assert_allclose(likelihood.log_prob(x, parameters), expected, rtol=1e-5)

    shared = SharedGaussian(3)
    with torch.no_grad():
        shared.log_variance.fill_(0.7)
    density = stats.norm(mean, np.exp(0.35))
    expected = density.logpdf(double(x)).sum(axis=(1, 2))
    np.testing.assert_allclose(shared.log_prob(x, parameters[:, :3]).detach(), expected, rtol=1e-5)
    assert [name for name, _ in shared.named_parameters()] == ["log_variance"]


def test_the_log_variance_has_a_floor():
    parameters = torch.tensor([[0.0], [-50.0]])
    found = DiagonalGaussian(1).log_prob(torch.zeros(1, 1), parameters).item()
    assert found == pytest.approx(stats.norm(0, np.exp(-3.5)).logpdf(0))
    drawn = DiagonalGaussian(1).sample(parameters.expand(20000, 2, 1), generator())
    assert drawn.std().item() == pytest.approx(np.exp(-3.5), rel=0.03)


@pytest.mark.parametrize("kind", [DiagonalGaussian, SharedGaussian])
def test_densities_integrate_to_one_and_samples_follow_them(kind):
    likelihood = kind(1)
    parameters = outputs(likelihood, 1, seed=3)

    def density(x):
        return np.exp(likelihood.log_prob(torch.full((1, 1), x), parameters).item())

    assert quad(density, -30, 30)[0] == pytest.approx(1, abs=1e-5)
    drawn = likelihood.sample(parameters.expand(5000, -1, 1), generator()).detach()
    spread = quad(lambda x: (x - parameters[0].item()) ** 2 * density(x), -30, 30)[0]
    law = stats.norm(parameters[0].item(), np.sqrt(spread))
    assert stats.kstest(double(drawn).ravel(), law.cdf).pvalue > 1e-3


def reference(x, parameters, channels, k):
    """The mixture by scipy's logistic, bin by bin, for one pixel: (channels,), (outputs,)."""
    logits = parameters[:k]
    mean = parameters[k : k + k * channels].reshape(k, channels)
    scale = np.exp(np.maximum(parameters[k + k * channels :].reshape(k, channels), -7))
    law = stats.logistic(mean, scale)
    upper, lower = x + 1 / 255, x - 1 / 255
    middle = np.where(x > mean, law.sf(lower) - law.sf(upper), law.cdf(upper) - law.cdf(lower))
    mass = np.where(x < -1 + 1e-6, law.cdf(upper), np.where(x > 1 - 1e-6, law.sf(lower), middle))
    with np.errstate(divide="ignore"):
        return logsumexp(np.log(softmax(logits)) + np.log(mass).sum(axis=1))


@pytest.mark.parametrize(("channels", "k"), [(1, 1), (1, 4), (3, 1), (3, 4)])
def test_the_mixture_is_scipys(channels, k):
    likelihood = LogisticMixture(channels, components=k)
    parameters = outputs(likelihood, 200, 1)
    place = torch.randint(0, 256, (200, channels, 1), generator=generator())
    place[:20] = 0
    place[20:40] = 255
    x = torch.tensor(LEVELS[place.numpy()], dtype=torch.float32)
    expected = [
        reference(LEVELS[p[:, 0]], v[:, 0], channels, k)
        for p, v in zip(place.numpy(), double(parameters), strict=True)
    ]
    np.testing.assert_allclose(likelihood.log_prob(x, parameters), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shift", [-30, -1, 0, 0.004, 1, 30])
@pytest.mark.parametrize("log_scale", [-20, -7, -5, 0, 5])
def test_masses_over_the_levels_sum_to_one(shift, log_scale):
    likelihood = LogisticMixture(1, components=2)
    parameters = torch.tensor([0.3, -0.5, shift, -shift, log_scale, log_scale + 1])[:, None]
    levels = torch.tensor(LEVELS)[:, None, None]
    found = likelihood.log_prob(levels, parameters.double())
    assert found.exp().sum().item() == pytest.approx(1, abs=1e-9)
    single = likelihood.log_prob(levels.float(), parameters)
    assert torch.isfinite(single).all()
    assert single.exp().sum().item() == pytest.approx(1, abs=1e-3)


def test_masses_of_two_channels_sum_to_one_together():
    likelihood = LogisticMixture(2, components=3)
    parameters = outputs(likelihood, 1)
    first, second = np.meshgrid(LEVELS, LEVELS)
    x = torch.tensor(np.stack([first.ravel(), second.ravel()], axis=1))[:, :, None]
    found = likelihood.log_prob(x, parameters.double())
    assert found.exp().sum().item() == pytest.approx(1, abs=1e-9)
    # Channels hang together through the component: the masses are no product of the margins.
    table = found.exp().reshape(256, 256).numpy()
    product = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True)
    assert np.abs(table - product).sum() > 0.01


def test_pixels_have_components_of_their_own():
    """The sum over pixels stands outside the logarithm of the sum over components."""
    likelihood = LogisticMixture(1, components=2)
    parameters = outputs(likelihood, 2)
    x = torch.tensor([[LEVELS[10], LEVELS[200]]], dtype=torch.float32)
    values = [
        reference(np.array([v]), p, 1, 2) for v, p in zip(x[0], double(parameters).T, strict=True)
    ]
    assert likelihood.log_prob(x, parameters).item() == pytest.approx(sum(values), rel=1e-5)


def test_samples_of_the_mixture_follow_its_masses():
    likelihood = LogisticMixture(2, components=3)
    parameters = outputs(likelihood, 1)
    drawn = likelihood.sample(parameters.expand(40000, -1, 1), generator())
    levels = (drawn + 1) * 127.5
    np.testing.assert_allclose(levels, levels.round(), atol=1e-3)
    coarse = levels.round().long().numpy()[:, :, 0] // 64  # four bins a channel
    counts = np.bincount(coarse[:, 0] * 4 + coarse[:, 1], minlength=16)
    first, second = np.meshgrid(LEVELS, LEVELS, indexing="ij")
    x = torch.tensor(np.stack([first.ravel(), second.ravel()], axis=1))[:, :, None]
    masses = likelihood.log_prob(x, parameters.double()).exp().numpy().reshape(4, 64, 4, 64)
    expected = masses.sum(axis=(1, 3)).ravel()
    assert stats.chisquare(counts, expected / expected.sum() * 40000).pvalue > 1e-4
