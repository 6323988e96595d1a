"""log p(x) of the VAE against oracles that do not share its code."""

import itertools
from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import chisquare, multivariate_normal, norm
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from byrote.models.arithmetic import PLAIN
from byrote.models.spaces import Binary
from byrote.models.vae import scoring
from byrote.models.vae.autoencoder import AutoEncoder, FullyConnected, build
from byrote.models.vae.bernoulli_decoder import BernoulliDecoder
from byrote.models.vae.likelihoods import Bernoulli
from byrote.models.vae.proposals import WIDENING, Posteriors, Proposal
from byrote.models.vae.training import Schedule, train

WIDTH = 6
GRIDS = {1: np.linspace(-9, 9, 4001)[:, None]}
GRIDS[2] = np.stack(np.meshgrid(*[np.linspace(-7, 7, 281)] * 2), axis=-1).reshape(-1, 2)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@cache
def trained(latent, features=WIDTH, hidden=(8,), epochs=30, seed=0):
    """A network that has learned two noisy patterns, shared by tests that do not change it."""
    rng = np.random.default_rng(seed)
    pattern = rng.uniform(0.05, 0.95, (2, features))[rng.integers(0, 2, 300)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoEncoder(FullyConnected(features, latent, hidden), Bernoulli())
    space, schedule = Binary((features,)), Schedule(epochs, 32, 1e-2)
    train(model, pattern, space, schedule, generator(seed), lambda *_: None)
    return model.network


@pytest.fixture(scope="module", params=[(1, (8,)), (2, (8,)), (2, (9, 5))])
def network(request):
    latent, hidden = request.param
    return trained(latent, hidden=hidden)


@pytest.fixture(scope="module")
def deepest():
    return trained(2, hidden=(9, 5))


def weights(layer):
    return layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()


def decoded(network, z):
    """Decoder logits by hand, in float64: ReLU after every layer of the trunk, none at the end."""
    for layer in network.trunk:
        if isinstance(layer, torch.nn.Linear):
            w, b = weights(layer)
            z = np.maximum(z @ w.T + b, 0)
    w, b = weights(network.head)
    return z @ w.T + b


def integrated(network, x):
    """Log of the integral of p(x | z) N(z; 0, I) over a grid, (n,)."""
    logits, outside = on_grid(network)
    return logsumexp(x @ logits.T + outside, axis=1)


@cache
def on_grid(network):
    """Decoder logits, and what else the sum over the grid has: no record, and the same for all."""
    z = GRIDS[network.latent_dim]
    logits = decoded(network, z)
    cell = np.prod([np.diff(np.unique(axis))[0] for axis in z.T])
    prior = norm.logpdf(z).sum(axis=1) + np.log(cell)
    return logits, prior - np.logaddexp(0, logits).sum(axis=1)


def binary(n, features=WIDTH, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, features)).astype(np.float32)


def all_records(features):
    return np.array(list(itertools.product([0, 1], repeat=features)), dtype=np.float32)


def log_prob(network, x, draws, seed=0):
    return estimate(network, x, draws, seed).log_prob


def estimate(network, x, draws, seed=0, **options):
    model = AutoEncoder(network, Bernoulli()).eval()
    return scoring.estimate_log_prob(model, torch.tensor(x), draws, generator(seed), **options)


def test_agrees_with_numerical_integration(network):
    x = binary(8)
    found = log_prob(network, x, 20000)
    assert found.shape == (8,)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, integrated(network, x), atol=0.02)


@pytest.mark.parametrize("latent", [1, 2])
def test_probabilities_of_all_records_sum_to_one(latent):
    network = trained(latent, features=4)
    assert np.exp(log_prob(network, all_records(4), 20000)).sum() == pytest.approx(1, abs=0.003)


def test_an_untrained_encoder_is_corrected_for():
    network = trained(2, features=4, epochs=0)
    assert np.exp(log_prob(network, all_records(4), 20000)).sum() == pytest.approx(1, abs=0.003)


def test_a_wrong_encoder_is_corrected_for():
    network = deepcopy(trained(1, features=4))
    with torch.no_grad():
        network.mean.bias += 0.5
        network.log_variance.bias += 1.0
    x = all_records(4)
    np.testing.assert_allclose(log_prob(network, x, 20000), integrated(network, x), atol=0.03)


def test_more_draws_tighten_the_bound(network):
    x = np.repeat(binary(1, seed=4), 4000, axis=0)
    network = deepcopy(network)
    with torch.no_grad():
        network.mean.bias += 0.7  # a worse encoder, so that there is something to tighten
    found = [log_prob(network, x, draws) for draws in (1, 3, 10, 100)]
    error = 4 * found[0].std() / np.sqrt(len(x))
    means = [values.mean() for values in found]
    assert means[0] + 0.01 < means[1] < means[2] < means[3]
    assert means[3] <= integrated(network, x[:1])[0] + error


def test_one_draw_is_the_evidence_lower_bound(network):
    x = np.repeat(binary(1, seed=5), 20000, axis=0)
    with torch.no_grad():
        model = AutoEncoder(network, Bernoulli())
        noise = torch.randn(len(x), network.latent_dim, generator=generator(1))
        bound = -model(torch.tensor(x), noise).mean().item()
    one = log_prob(network, x, 1, seed=2)
    assert one.mean() == pytest.approx(bound, abs=6 * one.std() / np.sqrt(len(x)))


@pytest.mark.parametrize("block", [1, 40, 1000, 6 * 3000 * 4, 1 << 30])
def test_the_size_of_blocks_changes_nothing_but_the_draws(monkeypatch, deepest, block):
    x = binary(3, seed=6)
    monkeypatch.setattr(scoring, "BLOCK", block)
    found = log_prob(deepest, x, 3000 if block > 100 else 400)
    assert found.shape == (3,)
    np.testing.assert_allclose(found, integrated(deepest, x), atol=0.05 if block > 100 else 0.15)


def ignorant(features=WIDTH):
    """A network of zeros: q is the prior, every pixel a fair coin, every weight the same."""
    network = FullyConnected(features, 1, (8,))
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    return network


@pytest.mark.parametrize("draws", [1, 6, 7, 8, 50])
@pytest.mark.parametrize("n", [1, 3, 8])
@pytest.mark.parametrize("block", [1, 7 * 8, 16 * 8])  # values, of which a draw needs 8
def test_no_draw_is_lost_between_blocks(monkeypatch, draws, n, block):
    monkeypatch.setattr(scoring, "BLOCK", block)
    found = log_prob(ignorant(), binary(n), draws)
    np.testing.assert_allclose(found, np.full(n, -WIDTH * np.log(2)), rtol=1e-6)


class Largest(TorchDispatchMode):
    """Notes the size of the largest tensor that any operation makes."""

    values = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        sizes = [one.numel() for one in tree_leaves(result) if isinstance(one, torch.Tensor)]
        self.values = max(self.values, *sizes, 0)
        return result


@pytest.mark.parametrize(("n", "draws"), [(7, 3000), (100, 20), (1, 20000), (400, 1)])
def test_no_tensor_outgrows_a_block(monkeypatch, n, draws):
    x = binary(n)
    monkeypatch.setattr(scoring, "BLOCK", 2500)
    with Largest() as largest:
        log_prob(ignorant(), x, draws)
    assert largest.values <= max(2500, draws)  # the weights of one record


@pytest.mark.parametrize("features", [1, 2, 3, 7, 32, 48, 64, 101, 130, 784, 1024])
def test_every_number_of_pixels_is_summed_over(features):
    network = ignorant(features)
    with torch.no_grad():  # the code is not used, so that the likelihood is a product
        network.head.bias.copy_(torch.randn(features, generator=generator()) * 10)
    bias = network.head.bias.detach().double().numpy()
    x = binary(30, features)
    expected = x @ bias - np.logaddexp(0, bias).sum()
    np.testing.assert_allclose(log_prob(network, x, 3), expected, rtol=1e-5, atol=1e-4)
    coin = log_prob(ignorant(features), x, 3)
    np.testing.assert_allclose(coin, -features * np.log(2), rtol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_how_many_are_scored_together_does_not_matter(network, n):
    x = np.concatenate([binary(1, seed=7), binary(29, seed=8)])[:n]
    alone = integrated(network, x[:1])[0]
    assert log_prob(network, x, 20000)[0] == pytest.approx(alone, abs=0.02)


def test_far_from_any_record_nothing_underflows():
    network = deepcopy(trained(1, epochs=0))
    with torch.no_grad():
        network.head.bias += 2000.0
    impossible, certain = np.zeros((2, WIDTH), np.float32), np.ones((2, WIDTH), np.float32)
    np.testing.assert_allclose(log_prob(network, impossible, 500), -2000 * WIDTH, rtol=0.01)
    np.testing.assert_allclose(log_prob(network, certain, 500), 0, atol=0.1)


def test_the_same_generator_gives_the_same_bits(network):
    x = binary(9)
    np.testing.assert_array_equal(log_prob(network, x, 50), log_prob(network, x, 50))
    assert (log_prob(network, x, 50) != log_prob(network, x, 50, seed=1)).all()


def test_no_gradient_is_kept(network):
    tracked = []
    hook = network.mean.register_forward_hook(lambda *at: tracked.append(at[-1].requires_grad))
    estimate(network, binary(2), 3)
    hook.remove()
    assert tracked == [False]
    assert torch.is_grad_enabled()


def test_samples_follow_the_likelihood():
    from byrote.models import VAE

    x = binary(60, features=4, seed=3)
    x[:40] = x[0]
    model = VAE(2, hidden=(8,), epochs=20, batch_size=16, learning_rate=1e-2, random_state=0).fit(x)
    drawn = model.sample(20000)
    place = (drawn @ [8, 4, 2, 1]).astype(int)
    expected = np.exp(log_prob(model.network_.network, all_records(4), 20000))
    counts = np.bincount(place, minlength=16)
    assert chisquare(counts, expected / expected.sum() * len(drawn)).pvalue > 1e-4


def test_the_quick_way_is_the_general_one(network):
    x, codes = torch.tensor(binary(5)), torch.randn(7, 5, network.latent_dim, generator=generator())
    with torch.no_grad():
        quick = BernoulliDecoder(network, (5, 7), PLAIN).for_records(x)(codes, slice(None))
        general = AutoEncoder(network, Bernoulli()).log_likelihood(x, codes)
    torch.testing.assert_close(quick, general, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("defensive", [0.1, 0.9])
def test_a_defensive_proposal_changes_no_expectation(network, defensive):
    x = binary(8)
    found = estimate(network, x, 20000, defensive=defensive)
    np.testing.assert_allclose(found.log_prob, integrated(network, x), atol=0.03)


def test_a_defensive_proposal_lightens_the_tail():
    model = linear("shared-gaussian", size=3)
    with torch.no_grad():
        model.network.log_variance.bias -= 1.2
    x = torch.randn(40, 3, generator=generator())
    plain, defended = (
        scoring.estimate_log_prob(model, x, 2000, generator(), defensive=share)
        for share in (0.0, 0.2)
    )
    assert np.median(defended.k_hat) < np.median(plain.k_hat) - 0.05
    assert (defended.effective_sample_size > plain.effective_sample_size).mean() > 0.6


# -- posteriors by Newton's steps ------------------------------------------------------------------


def derivatives(network, x):
    return BernoulliDecoder(network, (50, 10), PLAIN).for_records(torch.tensor(x)).derivatives


def test_derivatives_are_those_of_autograd(network):
    x, z = binary(9), torch.randn(9, network.latent_dim, generator=generator())
    gradient, curvature = derivatives(network, x)(z)
    model = AutoEncoder(network, Bernoulli())
    for row in range(9):

        def log_likelihood(code, row=row):
            return model.log_likelihood(torch.tensor(x[row : row + 1]), code[None, None]).sum()

        at = z[row], gradient[row], curvature[row]
        expected = torch.autograd.functional.jacobian(log_likelihood, at[0])
        torch.testing.assert_close(at[1], expected, rtol=1e-4, atol=1e-5)
        hessian = torch.autograd.functional.hessian(log_likelihood, at[0])
        torch.testing.assert_close(at[2], -hessian, rtol=1e-4, atol=1e-5)


def test_posteriors_draw_from_the_density_that_they_state(network):
    x = binary(3)
    with torch.no_grad():
        mean, log_variance = network.encode(torch.tensor(x))
        near = Posteriors.near(derivatives(network, x), mean, torch.exp(log_variance / 2))
        noise = torch.randn(40_000, 3, network.latent_dim, generator=generator())
        z = near.codes(noise, slice(None))
    precision = (near.root @ near.root.mT).double().numpy()
    for row in range(3):
        law = multivariate_normal(near.mean[row].numpy(), np.linalg.inv(precision[row]))
        np.testing.assert_allclose(z[:, row].mean(0), law.mean, atol=0.03)
        np.testing.assert_allclose(np.cov(z[:, row].T), np.squeeze(law.cov), rtol=0.05, atol=0.02)
        density = near.log_density(z[:9], slice(None))[:, row]
        expected = law.logpdf(z[:9, row]) + network.latent_dim * np.log(2 * np.pi) / 2
        np.testing.assert_allclose(density, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("draws", [2, 3])
@pytest.mark.parametrize("defensive", [0.0, 0.3])
def test_mean_weights_have_no_bias_at_any_number_of_draws(network, draws, defensive):
    x = np.repeat(binary(1, seed=4), 30_000, axis=0)
    weights = np.exp(estimate(network, x, draws, defensive=defensive).log_prob)
    expected = np.exp(integrated(network, x[:1])[0])
    assert weights.mean() == pytest.approx(expected, abs=5 * weights.std() / np.sqrt(len(x)))


def test_posteriors_mend_an_encoder_that_is_wrong(network, monkeypatch):
    network = deepcopy(network)
    with torch.no_grad():
        network.mean.bias += 1.0
        network.log_variance.bias -= 1.0
    x = binary(40)
    exact = integrated(network, x)
    refined = estimate(network, x, 64)
    monkeypatch.setattr(Proposal, "refine", lambda *_: None)
    plain = estimate(network, x, 64)
    errors = [np.sqrt(np.mean((found.log_prob - exact) ** 2)) for found in (refined, plain)]
    assert errors[0] < 0.7 * errors[1]
    assert np.median(refined.k_hat) < 0.5 < np.median(plain.k_hat)


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -1e9])
def test_where_the_steps_fail_the_encoder_stays(broken):
    mean, deviation = torch.tensor([[0.3, -1.0]] * 2), torch.tensor([[0.5, 2.0]] * 2)

    def half_broken(z):
        curvature = torch.eye(2).repeat(2, 1, 1)
        curvature[0, 0, 0] = broken
        return -z, curvature  # of log p(x | z) = -|z|^2 / 2

    near = Posteriors.near(half_broken, mean, deviation)
    noise = torch.randn(5, 2, 2, generator=generator())
    z = near.codes(noise, slice(None))
    torch.testing.assert_close(z[:, 0], mean[0] + noise[:, 0] * deviation[0])
    torch.testing.assert_close(
        near.log_density(z, slice(None))[:, 0], -noise[:, 0].square().sum(1) / 2
    )
    torch.testing.assert_close(near.mean[1], torch.zeros(2))


def test_the_density_of_the_mixture_is_scipys():
    mean, log_variance = torch.tensor([[0.3, -1.0]]), torch.tensor([[0.4, -0.5]])
    for share in (0.0, 0.25):
        source = Proposal(mean, log_variance, share)
        z, log_ratio = source.draw(50, generator())
        deviation = np.exp(log_variance.numpy() / 2)
        parts = [norm.logpdf(z, mean, scale * deviation).sum(axis=-1) for scale in (1, WIDENING)]
        density = logsumexp(parts, axis=0, b=[[[1 - share]], [[share]]])
        expected = norm.logpdf(z).sum(axis=-1) - density
        np.testing.assert_allclose(log_ratio, expected, rtol=1e-4, atol=1e-5)


def test_the_proposal_draws_its_parts_in_their_shares():
    source = Proposal(torch.full((1, 1), 2.0), torch.full((1, 1), np.log(4.0)), 0.3)
    z, _ = source.draw(200_000, generator())
    variance = 4 * (0.7 + 0.3 * WIDENING**2)
    assert z.mean().item() == pytest.approx(2, abs=0.03)
    assert z.var().item() == pytest.approx(variance, rel=0.02)


def test_the_standard_error_is_that_of_repetition(network):
    x = np.repeat(binary(1, seed=4), 2000, axis=0)
    found = estimate(network, x, 300)
    stated = np.sqrt(np.mean(found.standard_error**2))
    assert found.log_prob.std() == pytest.approx(stated, rel=0.1)


@pytest.mark.parametrize("draws", [32, 256])
@pytest.mark.parametrize("narrower", [1.0, 2.5, 4.0])  # log-variance of the encoder
def test_the_standard_error_holds_where_weights_are_heavy(draws, narrower):
    """An exact posterior made too narrow: log p is known, and weights have no variance."""
    model, repeats = linear("shared-gaussian", size=6), 1500
    with torch.no_grad():
        model.network.log_variance.bias -= narrower
    x = torch.linspace(-2, 2, 6).repeat(repeats, 1)
    found = scoring.estimate_log_prob(model, x, draws, generator())
    error = found.log_prob - norm.logpdf(x[0], scale=np.sqrt(2)).sum()
    stated = np.sqrt(np.mean(found.standard_error**2))
    assert 0.95 < stated / error.std() < 1.25
    assert error.mean() < 0
    if narrower > 1:
        assert np.median(found.k_hat) > 0.58
        by_delta = np.sqrt(1 / found.effective_sample_size - 1 / draws)
        assert np.sqrt(np.mean(by_delta**2)) < 0.9 * error.std()
        assert -error.mean() > stated / 2  # which is why the bias is told apart


def test_estimates_from_weights_by_hand():
    weights = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0], [1.0, 0.0, 0.0, 0.0]])
    with np.errstate(divide="ignore"):
        found = scoring.summarize_weights(np.log(weights) - 5000)
    np.testing.assert_allclose(found.log_prob, np.log(weights.mean(axis=1)) - 5000)
    np.testing.assert_allclose(found.effective_sample_size, [100 / 30, 4, 1])
    without = np.log([[9.0, 8.0, 7.0, 6.0], [15.0] * 4])
    error = np.sqrt(3 * without.var(axis=1))
    np.testing.assert_allclose(found.standard_error, [*error, np.nan], atol=1e-7)
    assert np.isnan(found.k_hat).all()  # too few


def test_one_draw_has_no_error_and_impossible_records_have_no_density():
    one = scoring.summarize_weights(np.array([[-3.0]]))
    assert one.log_prob == -3
    assert one.effective_sample_size == 1
    assert np.isnan(one.standard_error).all()
    none = scoring.summarize_weights(np.full((1, 50), -np.inf))
    assert none.log_prob == -np.inf
    assert np.isnan(none.standard_error).all()
    assert np.isnan(none.k_hat).all()


def linear(likelihood, slope=1.0, size=1):
    """Principal component analysis with prior and noise N(0, 1), its encoder the exact posterior.

    x = z + noise gives z | x ~ N(x / 2, 1/2). ReLU(z) - ReLU(-z) = z makes the layers linear.
    """
    model = build(
        "fully-connected",
        likelihood,
        channels=1,
        pixels=size,
        latent_dim=size,
        hidden=(2 * size,),
        features=1,
    )
    network = model.network
    with torch.no_grad():
        for parameter in model.parameters():
            torch.nn.init.zeros_(parameter)
        both = torch.cat([torch.eye(size), -torch.eye(size)])
        for first in (network.body[0], network.trunk[0]):
            first.weight.copy_(both)
        network.mean.weight.copy_(both.t() / 2)
        network.log_variance.bias.fill_(np.log(0.5))
        network.head.weight[:size] = slope * both.t()
    return model.eval()


@pytest.mark.parametrize("likelihood", ["gaussian", "shared-gaussian"])
def test_the_exact_posterior_has_weights_without_variance(likelihood):
    model = linear(likelihood)
    x = torch.tensor([[2.0], [-1.0], [0.0]])
    found = scoring.estimate_log_prob(model, x, 100, generator())
    expected = norm.logpdf(x[:, 0], scale=np.sqrt(2))
    np.testing.assert_allclose(found.log_prob, expected, atol=1e-6)
    assert found.log_prob[0] == pytest.approx(-2.2655121, abs=1e-6)
    np.testing.assert_allclose(found.effective_sample_size, 100, rtol=1e-6)
    assert (found.standard_error < 1e-6).all()
    one = scoring.estimate_log_prob(model, x, 1, generator(9))
    np.testing.assert_allclose(one.log_prob, expected, atol=1e-6)


@pytest.mark.parametrize("defensive", [0, 0.5])
def test_a_wrong_posterior_is_corrected_for(defensive):
    model = linear("gaussian", slope=2.0)  # x = 2z + noise, encoded as if x = z + noise
    x = torch.tensor([[2.0], [-1.0], [0.0]])
    found = scoring.estimate_log_prob(model, x, 50_000, generator(), defensive=defensive)
    expected = norm.logpdf(x[:, 0], scale=np.sqrt(5))
    np.testing.assert_allclose(found.log_prob, expected, atol=0.02)
    assert (np.abs(found.log_prob - expected) < 5 * found.standard_error).all()


def test_the_logistic_mixture_sums_to_one_over_levels():
    model = linear("logistic-mixture")
    with torch.no_grad():
        torch.nn.init.normal_(model.network.head.weight, generator=generator())
    levels = torch.arange(256, dtype=torch.float32)[:, None] * 2 / 255 - 1
    found = scoring.estimate_log_prob(model, levels, 1000, generator(), defensive=0.5)
    assert np.exp(found.log_prob).sum() == pytest.approx(1, abs=0.02)
