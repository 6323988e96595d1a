"""Training of the VAE: the bound, the batches, what records look like when they are seen."""

import itertools
from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import distributions as td

from byrote.models.spaces import Binary, Logit
from byrote.models.vae.autoencoder import (
    AutoEncoder,
    FullyConnected,
    build,
    kl_from_standard_normal,
)
from byrote.models.vae.likelihoods import Bernoulli
from byrote.models.vae.training import Schedule, random_flips, shuffled_batches, train

WIDTH = 6


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def connected(features=WIDTH, latent=2, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AutoEncoder(FullyConnected(features, latent, (8,)), Bernoulli())


def convolutional(channels=1, features=2, likelihood="gaussian"):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(
            "convolutional",
            likelihood,
            channels=channels,
            pixels=1024,
            latent_dim=2,
            hidden=(),
            features=features,
        )


def all_records(features=WIDTH):
    return np.array(list(itertools.product([0, 1], repeat=features)), dtype=np.float32)


def test_kl_is_that_of_torch():
    mean, log_variance = torch.randn(2, 50, 3, generator=generator(), dtype=torch.float64)
    q = td.Independent(td.Normal(mean, torch.exp(log_variance / 2)), 1)
    p = td.Independent(td.Normal(torch.zeros_like(mean), 1.0), 1)
    torch.testing.assert_close(
        kl_from_standard_normal(mean, log_variance), td.kl_divergence(q, p), rtol=1e-12, atol=1e-12
    )
    assert kl_from_standard_normal(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0


def test_the_bound_is_that_of_torch_distributions():
    model = connected()
    record = torch.tensor(all_records()[[37]])
    draws = 40000
    with torch.no_grad():
        found = model(record.expand(draws, -1), torch.randn(draws, 2, generator=generator(3)))
        mean, log_variance = model.encode(record)
        q = td.Independent(td.Normal(mean[0], torch.exp(log_variance[0] / 2)), 1)
        p = td.Independent(td.Normal(torch.zeros(2), 1.0), 1)
        z = mean + torch.exp(log_variance / 2) * torch.randn(draws, 2, generator=generator(4))
        pixels = td.Independent(td.Bernoulli(logits=model.network.decode(z)), 1)
        likelihood = pixels.log_prob(record)
        expected = (td.kl_divergence(q, p) - likelihood.mean()).item()
    assert found.shape == (draws,)
    error = likelihood.std().item() / np.sqrt(draws)
    assert found.mean().item() == pytest.approx(expected, abs=8 * error)


def watched(model):
    """The batches that the encoder sees, as they come."""
    seen = []
    model.network.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    return seen


def test_training_makes_grey_records_binary_anew():
    model, grey = connected(), np.full((4000, WIDTH), 0.3)
    seen = watched(model)
    grey[:, 0], grey[:, 1] = 0.0, 1.0
    train(model, grey, Binary((WIDTH,)), Schedule(2, 4000, 1e-30), generator(), lambda *_: None)
    assert set(torch.cat(seen).unique().tolist()) == {0.0, 1.0}
    assert seen[0][:, 0].sum() == 0
    assert seen[0][:, 1].sum() == 4000
    np.testing.assert_allclose(seen[0][:, 2:].mean(dim=0), 0.3, atol=5 * np.sqrt(0.21 / 4000))
    assert (seen[0] != seen[1])[:, 2:].float().mean() == pytest.approx(0.42, abs=0.02)


def test_every_record_is_seen_once_an_epoch():
    model, losses = connected(), []
    seen, x = watched(model), all_records()
    schedule = Schedule(2, 10, 1e-3)
    train(model, x, Binary((WIDTH,)), schedule, generator(), lambda *at: losses.append(at))
    assert [len(batch) for batch in seen] == [10] * 6 + [4] + [10] * 6 + [4]
    first, second = (torch.cat(seen[start : start + 7]) for start in (0, 7))
    for epoch in (first, second):
        assert sorted(map(tuple, epoch.tolist())) == sorted(map(tuple, x.tolist()))
    assert (first != second).any()  # in another order
    assert [epoch for epoch, _ in losses] == [1, 2]


def test_the_loss_is_per_record():
    model, losses = connected(), []
    for parameter in model.parameters():  # q is the prior, every pixel a fair coin
        torch.nn.init.zeros_(parameter)
    x, schedule = all_records()[:50], Schedule(1, 7, 1e-30)
    train(model, x, Binary((WIDTH,)), schedule, generator(), lambda _, loss: losses.append(loss))
    assert losses == [pytest.approx(WIDTH * np.log(2), rel=1e-6)]


SIZES = {  # records, batch size -> sizes of batches where batch norm needs company
    (65, 64): [65],
    (129, 64): [64, 65],
    (130, 64): [64, 64, 2],
    (128, 64): [64, 64],
    (1, 64): [1],
    (3, 1): [1, 1, 1],
    (63, 64): [63],
}


@pytest.mark.parametrize(("n", "size"), SIZES)
def test_no_record_is_alone_under_batch_norm(n, size):
    found = shuffled_batches(n, size, generator(), convolutional())
    assert [len(batch) for batch in found] == SIZES[n, size]
    assert sorted(np.concatenate(found)) == list(range(n))
    plain = shuffled_batches(n, size, generator(), connected())
    assert [len(batch) for batch in plain] == [size] * (n // size) + [n % size] * (n % size > 0)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_images_are_enough_to_train_on(n):
    model, losses = convolutional(), []
    x = np.random.default_rng(0).integers(0, 256, (n, 32, 32), dtype=np.uint8)
    schedule = Schedule(2, 4, 1e-3)
    train(model, x, Logit((32, 32)), schedule, generator(), lambda _, loss: losses.append(loss))
    assert np.isfinite(losses).all()


def test_batch_norm_learns_in_training_only():
    model, modes = convolutional(), []
    x = np.random.default_rng(0).integers(0, 256, (6, 32, 32), dtype=np.uint8)
    norm = next(m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d))

    def look(*_):
        modes.append(model.training)
        before = deepcopy(model.state_dict())
        model(Logit((32, 32)).fixed(x, 0)[0], torch.zeros(len(x), 2))
        assert all((before[name] == value).all() for name, value in model.state_dict().items())

    train(model, x, Logit((32, 32)), Schedule(3, 3, 1e-3), generator(), look)
    assert modes == [False] * 3
    assert norm.num_batches_tracked == 6  # so it was training after each look


def test_the_loss_bounds_the_density_of_pixels():
    """Untrained decoders of zeros: a standard normal per logit, whatever the code."""
    model, losses = convolutional(channels=3), []
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    x = np.random.default_rng(1).integers(0, 256, (2000, 32, 32, 3), dtype=np.uint8)[:8]
    schedule = Schedule(1, 8, 1e-30)
    space = Logit((32, 32, 3))
    train(model, x, space, schedule, generator(), lambda _, loss: losses.append(loss))
    y, determinant = space.fixed(x, 0)
    expected = -(td.Normal(0.0, 1.0).log_prob(y).sum(dim=1) + determinant).mean().item()
    assert losses[0] == pytest.approx(expected, abs=60)  # noise of dequantization; 17,000 nats


def test_flips_mirror_images_one_by_one():
    images = torch.arange(2 * 3 * 4, dtype=torch.float32).reshape(1, -1).repeat(2000, 1)
    found = random_flips(images, 4, generator())
    mirrored = images.reshape(-1, 2, 3, 4).numpy()[..., ::-1].reshape(2000, -1)
    turned = (found.numpy() == mirrored).all(axis=1)
    kept = (found == images).all(dim=1).numpy()
    assert (turned ^ kept).all()
    assert chisquare(np.bincount(turned)).pvalue > 1e-3


@pytest.mark.parametrize("flips", [False, True])
def test_images_are_flipped_when_asked(flips):
    model = connected(12)
    x = np.zeros((400, 3, 4))
    x[:, :, 0] = 1  # a line at the left
    seen = watched(model)
    schedule = Schedule(2, 100, 1e-3, flips=flips)
    train(model, x, Binary((3, 4)), schedule, generator(), lambda *_: None)
    images = torch.cat(seen).view(-1, 3, 4)
    right = images[:, :, 3].all(dim=1)
    assert (images[:, :, 0].all(dim=1) != right).all()
    share = right.float().mean().item()
    assert share == pytest.approx(0.5, abs=0.1) if flips else share == 0
