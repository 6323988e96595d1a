"""The beta-divergence against enumeration, integration and its limit; weight decay by hand."""

import itertools

import numpy as np
import pytest
import torch
from scipy import integrate
from scipy.stats import norm
from sklearn.base import clone

from byrote.data import load
from byrote.errors import InvalidInput
from byrote.models import VAE
from byrote.models.arithmetic import Arithmetic
from byrote.models.spaces import SPACES
from byrote.models.vae.autoencoder import build
from byrote.models.vae.likelihoods import (
    TOP,
    Bernoulli,
    DiagonalGaussian,
    SharedGaussian,
    beta_divergence,
)
from byrote.models.vae.training import Schedule, train

SPACE_OF = {"bernoulli": "binary", "gaussian": "logit", "shared-gaussian": "logit"}
BETAS = [1e-4, 0.01, 0.3, 0.9]


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def double(value):
    return torch.tensor(value, dtype=torch.float64)


def divergence(likelihood, x, parameters, beta):
    log_power = likelihood.log_power(parameters, 1 + beta)
    return beta_divergence(likelihood.log_prob(x, parameters), log_power, beta)


def network(likelihood, robust, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sizes = {"channels": 1, "pixels": 64, "latent_dim": 3, "hidden": (20,), "features": 1}
        model = build("fully-connected", likelihood, **sizes)
    model.robust = robust
    return model


def by_definition(p, integral, beta):
    return -(1 + beta) / beta * (p**beta - 1) + integral - 1


@pytest.mark.parametrize("beta", BETAS)
def test_binary_records_by_enumeration(beta):
    logits = drawn(1, 5)
    records = double(list(itertools.product([0.0, 1.0], repeat=5))).unsqueeze(1)
    q = torch.sigmoid(logits).numpy()[0]
    p = np.prod(np.where(records.numpy()[:, 0] > 0, q, 1 - q), axis=1)
    found = divergence(Bernoulli(), records, logits.expand(32, 1, 5), beta)
    expected = by_definition(p, np.sum(p ** (1 + beta)), beta)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("shared", [False, True])
def test_gaussians_by_integration(beta, shared):
    mean, log_variance = np.array([0.3, -1.0]), np.array([0.4, 0.4 if shared else -1.2])
    x = np.array([0.9, -1.4])
    one = [
        integrate.quad(lambda v, m=m, s=s: norm.pdf(v, m, s) ** (1 + beta), -np.inf, np.inf)[0]
        for m, s in zip(mean, np.exp(log_variance / 2), strict=True)
    ]
    p = np.prod(norm.pdf(x, mean, np.exp(log_variance / 2)))
    likelihood = SharedGaussian() if shared else DiagonalGaussian()
    parameters = double(mean)[None] if shared else double(np.stack([mean, log_variance]))
    if shared:
        likelihood.log_variance = torch.nn.Parameter(double(0.4))
    found = divergence(likelihood, double(x)[None], parameters, beta).item()
    assert found == pytest.approx(by_definition(p, np.prod(one), beta), rel=1e-7)


@pytest.mark.parametrize("likelihood", SPACE_OF)
@pytest.mark.parametrize(("beta", "tolerance"), [(1e-4, 1e-2), (1e-6, 1e-4)])
def test_small_beta_is_the_usual_cost_and_gradient(likelihood, beta, tolerance):
    x, noise = (drawn(7, 64, seed=1) > 0).double(), drawn(7, 3, seed=2)
    costs, gradients = [], []
    for robust in (0.0, beta):
        model = network(likelihood, robust).double().train()
        cost = model(x, noise)
        cost.sum().backward()
        costs.append(cost.detach())
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    torch.testing.assert_close(costs[1], costs[0], rtol=tolerance, atol=0)
    error = (gradients[1] - gradients[0]).norm() / gradients[0].norm()
    assert 0 < error < tolerance


def test_a_record_counts_by_its_probability_to_the_beta():
    """The gradient in the log-likelihood, by autograd, at p = e^-5 and e^-50."""
    log_prob = double([-5.0, -50.0]).requires_grad_()
    beta_divergence(log_prob, torch.zeros(2), 0.1).sum().backward()
    np.testing.assert_allclose(log_prob.grad, -1.1 * np.exp([-0.5, -5.0]), rtol=1e-12)


@pytest.mark.parametrize("beta", [1e-8, 1e-3, 0.1, 0.9])
def test_nothing_overflows(beta):
    log_prob = torch.tensor([-1e30, -1000.0, 0.0, 5000.0, 1e6], requires_grad=True)
    log_power = (beta * log_prob.detach()).requires_grad_()
    found = beta_divergence(log_prob, log_power, beta)
    found.sum().backward()
    for values in (found, log_prob.grad, log_power.grad):
        assert torch.isfinite(values).all()
    assert torch.isfinite(log_prob.grad.square()).all()
    assert (log_prob.grad <= 0).all()


def test_the_tangent_meets_the_power():
    x = double([TOP - 1e-3, TOP, TOP + 1e-3]).requires_grad_()
    found = beta_divergence(torch.zeros(3), x, 0.5)
    found.sum().backward()
    np.testing.assert_allclose(found.detach(), np.expm1(x.detach().numpy()), rtol=1e-6)
    np.testing.assert_allclose(x.grad, np.exp(x.detach().numpy()), rtol=2e-3)


def test_scores_and_losses_of_held_out_records_are_of_log_p():
    x = load("digits").x[:60]
    plain = VAE(latent_dim=2, hidden=(16,), epochs=2, draws=8, random_state=0).fit(x)
    robust = clone(plain).set_params(robust=0.05).set_weights(plain.get_weights())
    np.testing.assert_array_equal(robust.score_samples(x), plain.score_samples(x))
    assert robust.loss(x) == plain.loss(x)
    assert robust.fit(x).losses_ != plain.losses_


def test_a_rare_record_is_learned_less():
    """Five noise images among 150 digits: what training gains on them, against the digits."""
    x = load("digits").x[:150].copy()
    x[:5] = np.random.default_rng(0).random((5, *x.shape[1:])) > 0.5
    gains = []
    for robust in (0.0, 0.03):
        model = VAE(8, hidden=(64,), epochs=40, learning_rate=5e-3, draws=64, random_state=0)
        found = model.set_params(robust=robust).fit(x).score_samples(x)
        gains.append((found[:5].mean(), found[5:].mean()))
    (rare, ordinary), (robust_rare, robust_ordinary) = gains
    assert robust_rare < rare - 10
    assert robust_ordinary > ordinary - 3


def trained(likelihood, robust, decay, chosen, rate=1e-2, n=80):
    model, losses = network(likelihood, robust), []
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    train(
        model,
        load("digits").x[:n],
        SPACES[SPACE_OF[likelihood]]((8, 8)),
        Schedule(2, 32, rate, arithmetic=chosen, weight_decay=decay),
        torch.Generator().manual_seed(0),
        lambda _, loss: losses.append(loss),
    )
    return before, {name: w.detach() for name, w in model.named_parameters()}, losses


@pytest.mark.usefixtures("captured")
@pytest.mark.parametrize(
    ("likelihood", "robust", "decay"), [("bernoulli", 0.02, 0.5), ("shared-gaussian", 1e-3, 0.0)]
)
def test_the_compiled_step_is_autograd_and_the_optimizer_of_torch(likelihood, robust, decay):
    with torch._dynamo.config.patch(recompile_limit=1):
        _, plain, losses = trained(likelihood, robust, decay, Arithmetic(), n=64)
        quickly = Arithmetic(compile=True)
        _, quick, quick_losses = trained(likelihood, robust, decay, quickly, n=64)
    np.testing.assert_allclose(quick_losses, losses, rtol=1e-5)
    for name, weight in plain.items():
        np.testing.assert_allclose(quick[name], weight, atol=3e-4, err_msg=name)


def test_configurations_are_told_apart():
    """By what names a compiled function."""
    names = [repr(network("bernoulli", robust)) for robust in (0.0, 1e-3, 2e-3)]
    assert len(set(names)) == 3
    assert "robust" not in names[0]


@pytest.mark.parametrize("likelihood", SPACE_OF)
def test_decay_is_a_share_of_the_weights_apart_from_the_gradient(likelihood):
    """At a vanishing Adam step only the decay is left: 6 steps of 1 - rate * decay."""
    rate, decay = 1e-5, 0.9
    before, after, _ = trained(likelihood, 0.0, decay, Arithmetic(), rate)
    _, plain, _ = trained(likelihood, 0.0, 0.0, Arithmetic(), rate)
    for name, weight in plain.items():
        share = (1 - rate * decay) ** 6 - 1 if name.startswith("network.") else 0
        lost = (after[name] - weight).double()
        np.testing.assert_allclose(lost, share * before[name], atol=5e-7, err_msg=name)
    assert any((after[name] != weight).any() for name, weight in plain.items())


def test_decay_makes_smaller_weights():
    x = load("digits").x[:100]
    norms = []
    for decay in (0.0, 0.9):
        model = VAE(2, hidden=(16,), epochs=20, learning_rate=0.01, weight_decay=decay)
        weights = model.set_params(random_state=0).fit(x).get_weights()
        norms.append(np.sqrt(sum(np.square(w).sum() for n, w in weights.items() if "network" in n)))
    assert norms[1] < 0.97 * norms[0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"robust": -0.1}, "robust must be a number of at least 0 and below 1; got -0.1"),
        ({"robust": True}, "robust must be a number of at least 0 and below 1; got True"),
        ({"robust": 0.1, "likelihood": "logistic-mixture"}, "robust must be 0 with likelihood"),
        ({"weight_decay": 1}, "weight_decay must be a number of at least 0 and below 1; got 1"),
        ({"weight_decay": "1e-3"}, "weight_decay must be a number of at least 0 and below 1"),
    ],
)
def test_what_cannot_be_had_is_refused(parameters, message):
    with pytest.raises(InvalidInput, match=message):
        VAE(epochs=1, **parameters).fit(np.zeros((4, 6)))
