"""Compiled and 16-bit arithmetic against the plain one, which has its own oracles."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.base import clone

from byrote.data import load
from byrote.errors import InvalidInput, NoCompiler
from byrote.models import VAE, arithmetic
from byrote.models.arithmetic import Arithmetic, resolve_compile
from byrote.models.spaces import SPACES
from byrote.models.vae import auto_arithmetic
from byrote.models.vae.autoencoder import build
from byrote.models.vae.training import Schedule, train

COMPILER = pytest.mark.usefixtures("compiler")
CAPTURED = pytest.mark.usefixtures("captured")


@pytest.fixture(scope="module")
def compiler():
    """Found when a test needs it: looking takes seconds."""
    if not arithmetic.can_compile("cpu"):
        pytest.skip("there is no C++ compiler")


@pytest.fixture(autouse=True)
def one_compilation_each():
    """A configuration that met a function compiled for another one would fail."""
    with torch._dynamo.config.patch(recompile_limit=1):
        yield


def digits(n):
    return load("digits").x[:n]


def network(likelihood, hidden):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sizes = {"channels": 1, "pixels": 64, "latent_dim": 3, "hidden": hidden, "features": 1}
        return build("fully-connected", likelihood, **sizes)


def trained(likelihood, space, chosen, n=100, epochs=2, hidden=(20,)):
    """Weights and losses after a short training; the last batch of an epoch is smaller."""
    model, losses = network(likelihood, hidden), []
    train(
        model,
        digits(n),
        SPACES[space]((8, 8)),
        Schedule(epochs, 32, 1e-2, arithmetic=chosen),
        torch.Generator().manual_seed(0),
        lambda _, loss: losses.append(loss),
    )
    return {name: w.detach().numpy() for name, w in model.named_parameters()}, losses


@pytest.mark.parametrize(
    ("likelihood", "space", "hidden", "kernels"),
    [("bernoulli", "binary", (20,), "compiler"), ("gaussian", "logit", (20, 10), "captured")],
)
def test_the_compiled_step_is_autograd_and_the_optimizer_of_torch(
    request, likelihood, space, hidden, kernels
):
    request.getfixturevalue(kernels)
    (weights, losses), (quick_weights, quick_losses) = (
        trained(likelihood, space, Arithmetic(compile=compile_), hidden=hidden)
        for compile_ in (False, True)
    )
    np.testing.assert_allclose(quick_losses, losses, rtol=1e-5)
    for name, weight in weights.items():
        np.testing.assert_allclose(quick_weights[name], weight, atol=2e-4, err_msg=name)


@CAPTURED
@pytest.mark.parametrize("compile_", [False, True])
def test_training_in_bfloat16_learns_the_same(compile_):
    _, losses = trained("bernoulli", "binary", Arithmetic(), n=300, epochs=6)
    _, quick = trained("bernoulli", "binary", Arithmetic(torch.bfloat16, compile_), 300, 6)
    assert quick != losses
    np.testing.assert_allclose(quick, losses, rtol=0.01)
    assert losses[-1] < 0.8 * losses[0]


@pytest.fixture(scope="module")
def fitted():
    model = VAE(latent_dim=4, hidden=(64, 32), epochs=15, draws=64, random_state=0)
    return model.set_params(precision="float32", compile=False).fit(digits(1200))


def rescored(fitted, precision, compile_, n=300):  # 256 records at a time, and 44
    """Log p by the same weights and the same draws in another arithmetic."""
    other = clone(fitted).set_params(precision=precision, compile=compile_)
    return other.set_weights(fitted.get_weights()).score_samples(digits(n))


@COMPILER
def test_compiled_scores_are_the_plain_ones(fitted):
    np.testing.assert_allclose(
        rescored(fitted, "float32", True), rescored(fitted, "float32", False), atol=1e-3
    )


@CAPTURED
@pytest.mark.parametrize("compile_", [False, True])
def test_bfloat16_scores_agree(fitted, compile_):
    ways = (("float32", False), ("bfloat16", compile_))
    exact, quick = (rescored(fitted, *way, n=256) for way in ways)
    assert spearmanr(exact, quick).statistic > 0.999
    assert abs(np.mean(quick - exact)) < 0.05
    assert not np.array_equal(exact, quick)


@CAPTURED
def test_a_compiled_convolutional_network_scores_the_same():
    x = np.random.default_rng(0).random((5, 32, 32)).astype(np.float32)
    model = VAE(latent_dim=2, network="convolutional", features=2, likelihood="gaussian", epochs=1)
    model.set_params(draws=512, random_state=0, compile=False).fit(x)
    quick = clone(model).set_params(compile=True).set_weights(model.get_weights())
    np.testing.assert_allclose(quick.score_samples(x), model.score_samples(x), rtol=1e-5)


def test_auto_is_settled_once_and_for_the_size(monkeypatch):
    monkeypatch.setattr(arithmetic, "can_compile", lambda device: True)
    monkeypatch.setattr(auto_arithmetic, "vae_is_faster_in_bfloat16", lambda *_, **__: True)
    small, large = VAE().settled((100, 8, 8)), VAE().settled((60_000, 32, 32))
    assert (small.precision, small.compile) == ("bfloat16", False)
    assert (large.precision, large.compile) == ("bfloat16", True)
    assert not VAE(epochs=15, draws=64).settled((4000, 32, 32)).compile
    assert (
        VAE(epochs=15, draws=64).settled((4000, 32, 32), 100).compile
    )  # each worker compiles once
    asked = VAE(precision="float32", compile=False).settled((60_000, 32, 32))
    assert (asked.precision, asked.compile) == ("float32", False)
    gaussian = VAE(likelihood="gaussian").settled((60_000, 32, 32))
    assert gaussian.precision == "float32"


def test_training_that_is_not_compiled_does_not_call_for_a_compiler(monkeypatch):
    monkeypatch.setattr(arithmetic, "can_compile", lambda device: True)
    model = VAE(network="convolutional", draws=1)
    assert model.settled((60_000, 32, 32)).compile is False
    assert model.set_params(draws=256).settled((60_000, 32, 32)).compile is True


def test_without_a_compiler_auto_is_eager_and_true_is_refused(monkeypatch):
    monkeypatch.setattr(arithmetic, "can_compile", lambda device: False)
    assert not resolve_compile("cpu", seconds=1e9)
    assert VAE().settled((60_000, 32, 32)).compile is False
    with pytest.raises(InvalidInput, match="compile=True needs a C"):
        VAE(compile=True, epochs=1).fit(digits(10))


def test_samples_need_no_compiler(monkeypatch, fitted):
    monkeypatch.setattr(arithmetic, "can_compile", lambda device: False)
    loaded = clone(fitted).set_params(compile=True).set_weights(fitted.get_weights())
    np.testing.assert_array_equal(loaded.sample(5), fitted.sample(5))
    assert loaded.loss(digits(10)) == fitted.loss(digits(10))
    with pytest.raises(NoCompiler):
        loaded.score_samples(digits(10))


@CAPTURED
def test_each_configuration_is_compiled_and_once():
    counted = torch._dynamo.utils.counters["stats"]
    before = counted["unique_graphs"]
    for size in (3, 5, 3):  # of which PyTorch would run the second as it is
        assert arithmetic.compiled(_doubled, size)(torch.ones(size)).item() == 2 * size
    assert counted["unique_graphs"] - before == 2


@CAPTURED
def test_kernels_are_kept_for_processors_alike(monkeypatch):
    """Those of vectors of another length, which PyTorch would take for its own, gave NaN."""
    capabilities = iter(("AVX2", "AVX512", "AVX512"))
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: next(capabilities))
    with torch.compiler.config.patch(cache_key_tag="mine"):
        for _ in range(3):
            arithmetic.compiled(_doubled, object())
        assert torch.compiler.config.cache_key_tag == "mineAVX2AVX512"


def _doubled(x):
    return (2 * x).sum()


def test_a_broken_compiler_is_no_compiler(monkeypatch):
    def broken(function, *configuration):
        def fails(*arguments):
            raise RuntimeError("no such file: c++")

        return fails

    arithmetic.can_compile.cache_clear()
    monkeypatch.setattr(arithmetic, "compiled", broken)
    assert not arithmetic.can_compile("cpu")
    arithmetic.can_compile.cache_clear()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"precision": "half"}, "precision must be one of auto, float32, bfloat16; got 'half'"),
        ({"compile": "yes"}, "compile must be True, False or auto; got 'yes'"),
        (
            {"precision": "bfloat16", "likelihood": "gaussian"},
            "precision must be float32 or auto unless",
        ),
    ],
)
def test_arithmetic_that_cannot_be_had(parameters, message):
    with pytest.raises(InvalidInput, match=message):
        VAE(epochs=1, **parameters).fit(digits(10))


def test_parameters_are_checked_before_anything_is_settled():
    with pytest.raises(InvalidInput, match="epochs must be an integer of at least 1; got 'ten'"):
        VAE(epochs="ten").settled((100, 8, 8))
