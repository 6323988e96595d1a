"""The likelihood of the VAE against oracles that do not share its code."""

import itertools
from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import chisquare, norm
from torch import distributions as td
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from byrote.models.vae import importance
from byrote.models.vae.networks import FullyConnected, kl_from_standard_normal
from byrote.models.vae.training import Schedule, negative_bound, train

WIDTH = 6
GRIDS = {1: np.linspace(-9, 9, 4001)[:, None]}
GRIDS[2] = np.stack(np.meshgrid(*[np.linspace(-7, 7, 281)] * 2), axis=-1).reshape(-1, 2)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def trained(latent, features=WIDTH, hidden=(8,), epochs=30, seed=0):
    """A network that has learned two noisy patterns."""
    rng = np.random.default_rng(seed)
    pattern = rng.uniform(0.05, 0.95, (2, features))[rng.integers(0, 2, 300)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FullyConnected(features, latent, hidden)
    x = torch.tensor(pattern, dtype=torch.float32)
    train(network, x, Schedule(epochs, 32, 1e-2), generator(seed), lambda *_: None)
    return network


@pytest.fixture(scope="module", params=[(1, (8,)), (2, (8,)), (2, (9, 5))])
def network(request):
    latent, hidden = request.param
    return trained(latent, hidden=hidden)


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
    z = GRIDS[network.latent_dim]
    logits = decoded(network, z)
    likelihood = x @ logits.T - np.logaddexp(0, logits).sum(axis=1)
    cell = np.prod([np.diff(np.unique(axis))[0] for axis in z.T])
    return logsumexp(likelihood + norm.logpdf(z).sum(axis=1), axis=1) + np.log(cell)


def binary(n, features=WIDTH, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, features)).astype(np.float32)


def all_records(features):
    return np.array(list(itertools.product([0, 1], repeat=features)), dtype=np.float32)


def log_prob(network, x, draws, seed=0):
    return importance.log_prob(network, torch.tensor(x), draws, generator(seed)).numpy()


def test_agrees_with_numerical_integration(network):
    x = binary(20)
    found = log_prob(network, x, 20000)
    assert found.shape == (20,)
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
    network = trained(1, features=4)
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
        bound = -negative_bound(network, torch.tensor(x), generator(1)).item() / len(x)
    one = log_prob(network, x, 1, seed=2)
    assert one.mean() == pytest.approx(bound, abs=6 * one.std() / np.sqrt(len(x)))


@pytest.mark.parametrize("block", [1, 7, 40, 1000, 6 * 3000 * 4, 1 << 30])
def test_the_size_of_blocks_changes_nothing_but_the_draws(monkeypatch, network, block):
    x = binary(5, seed=6)
    monkeypatch.setattr(importance, "BLOCK", block)
    found = log_prob(network, x, 3000 if block > 100 else 400)
    assert found.shape == (5,)
    np.testing.assert_allclose(found, integrated(network, x), atol=0.05 if block > 100 else 0.15)


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
    monkeypatch.setattr(importance, "BLOCK", block)
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


@pytest.mark.parametrize(("n", "draws"), [(40, 3000), (400, 20), (1, 20000), (400, 1)])
def test_no_tensor_outgrows_a_block(monkeypatch, n, draws):
    x = binary(n)
    monkeypatch.setattr(importance, "BLOCK", 2500)
    with Largest() as largest:
        log_prob(ignorant(), x, draws)
    assert largest.values <= 2500


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
    network = trained(1, epochs=0)
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
    found = importance.log_prob(network, torch.tensor(binary(2)), 3, generator())
    assert not found.requires_grad
    assert torch.is_grad_enabled()


def test_kl_is_that_of_torch():
    mean, log_variance = torch.randn(2, 50, 3, generator=generator(), dtype=torch.float64)
    q = td.Independent(td.Normal(mean, torch.exp(log_variance / 2)), 1)
    p = td.Independent(td.Normal(torch.zeros_like(mean), 1.0), 1)
    torch.testing.assert_close(
        kl_from_standard_normal(mean, log_variance), td.kl_divergence(q, p), rtol=1e-12, atol=1e-12
    )
    assert kl_from_standard_normal(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0


def test_the_bound_is_that_of_torch_distributions(network):
    record = torch.tensor(binary(1, seed=9))
    draws = 40000
    with torch.no_grad():
        found = negative_bound(network, record.expand(draws, -1), generator(3)).item() / draws
        mean, log_variance = network.encode(record)
        q = td.Independent(td.Normal(mean[0], torch.exp(log_variance[0] / 2)), 1)
        p = td.Independent(td.Normal(torch.zeros(network.latent_dim), 1.0), 1)
        z = mean + torch.exp(log_variance / 2) * torch.randn(
            draws, len(mean[0]), generator=generator(4)
        )
        pixels = td.Independent(td.Bernoulli(logits=torch.tensor(decoded(network, z.numpy()))), 1)
        likelihood = pixels.log_prob(record.double())
        expected = (td.kl_divergence(q, p) - likelihood.mean()).item()
    assert found == pytest.approx(expected, abs=8 * likelihood.std().item() / np.sqrt(draws))


def test_training_makes_grey_records_binary_anew():
    network = trained(1, epochs=0)
    seen = []
    network.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    grey = torch.full((4000, WIDTH), 0.3)
    grey[:, 0], grey[:, 1] = 0.0, 1.0
    source = generator()
    for _ in range(2):
        negative_bound(network, grey, source)
    assert set(torch.cat(seen).unique().tolist()) == {0.0, 1.0}
    assert seen[0][:, 0].sum() == 0
    assert seen[0][:, 1].sum() == 4000
    np.testing.assert_allclose(seen[0][:, 2:].mean(dim=0), 0.3, atol=5 * np.sqrt(0.21 / 4000))
    assert (seen[0] != seen[1])[:, 2:].float().mean() == pytest.approx(0.42, abs=0.02)


def test_every_record_is_seen_once_an_epoch():
    network = trained(1, epochs=0)
    seen, losses = [], []
    network.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    x = torch.tensor(all_records(WIDTH))
    train(network, x, Schedule(2, 10, 1e-3), generator(), lambda *at: losses.append(at))
    assert [len(batch) for batch in seen] == [10] * 6 + [4] + [10] * 6 + [4]
    first, second = (torch.cat(seen[start : start + 7]) for start in (0, 7))
    for epoch in (first, second):
        assert sorted(map(tuple, epoch.tolist())) == sorted(map(tuple, x.tolist()))
    assert (first != second).any()  # in another order
    assert [epoch for epoch, _ in losses] == [1, 2]


def test_the_loss_is_per_record():
    x = torch.tensor(binary(50))
    losses = []
    train(ignorant(), x, Schedule(1, 7, 1e-30), generator(), lambda _, loss: losses.append(loss))
    assert losses == [pytest.approx(WIDTH * np.log(2), rel=1e-6)]


def test_samples_follow_the_likelihood():
    from byrote.models import VAE

    x = binary(60, features=4, seed=3)
    x[:40] = x[0]
    model = VAE(2, hidden=(8,), epochs=20, batch_size=16, learning_rate=1e-2, random_state=0).fit(x)
    drawn = model.sample(20000)
    place = (drawn @ [8, 4, 2, 1]).astype(int)
    expected = np.exp(log_prob(model.network_, all_records(4), 20000))
    counts = np.bincount(place, minlength=16)
    assert chisquare(counts, expected / expected.sum() * len(drawn)).pvalue > 1e-4


def test_the_network_of_table_1():
    network = FullyConnected(1024, 16)
    encoder = (1024 * 512 + 512) + (512 * 256 + 256) + 2 * (256 * 16 + 16)
    decoder = (16 * 256 + 256) + (256 * 512 + 512) + (512 * 1024 + 1024)
    assert encoder + decoder == 1_325_600
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_325_600
    linear = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [
        *[(1024, 512), (512, 256), (256, 16), (256, 16)],
        *[(16, 256), (256, 512), (512, 1024)],
    ]
    assert sum(isinstance(layer, torch.nn.ReLU) for layer in network.modules()) == 4


def test_shapes_of_networks():
    network = FullyConnected(12, 3, (7, 5))
    mean, log_variance = network.encode(torch.zeros(4, 12))
    assert mean.shape == log_variance.shape == (4, 3)
    assert network.decode(torch.zeros(4, 3)).shape == (4, 12)
    assert network.decode(torch.zeros(2, 4, 3)).shape == (2, 4, 12)


def test_decoder_and_encoder_have_no_nonlinearity_at_their_ends():
    network = trained(2, hidden=(9, 5))
    z = torch.randn(50, 2, generator=generator())
    torch.testing.assert_close(
        network.decode(z).detach().double().numpy(),
        decoded(network, z.double().numpy()),
        rtol=1e-4,
        atol=1e-4,
    )
    mean, _ = network.encode(torch.tensor(all_records(WIDTH)))
    assert mean.min() < 0 < mean.max()
