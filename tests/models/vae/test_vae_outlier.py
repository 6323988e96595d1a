"""The outlier component against enumeration, scipy and autograd; what it takes and leaves."""

import itertools
from io import StringIO

import numpy as np
import pytest
import torch
from rich.console import Console
from scipy import stats
from scipy.special import logsumexp
from sklearn.base import clone

import byrote
from byrote.data import load
from byrote.errors import InvalidInput
from byrote.models import VAE
from byrote.models.vae.outlier import SHARES, BinaryBackground, GaussianBackground, Outlier
from byrote.report.memorization import render
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder

PLANTED = slice(0, 10)


def digits(n=150):
    return load("digits").x[:n].copy()


def planted(n=150):
    """Five noise images, five inverted ones, and digits."""
    x = digits(n)
    x[:5] = np.random.default_rng(0).random((5, 8, 8)) > 0.5
    x[5:10] = 1 - x[5:10]
    return x


def fitted(x, **more):
    model = VAE(8, hidden=(64,), epochs=20, learning_rate=5e-3, batch_size=32, draws=32)
    return model.set_params(random_state=0, **more).fit(x)


@pytest.fixture(scope="module")
def learned():
    return fitted(planted(), outlier="learned")


def all_records(d):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=d)))


def test_binary_background_is_an_even_mixture_of_coins():
    x = (np.random.default_rng(0).random((20, 5)) < [0, 0.2, 0.5, 0.9, 1]).astype(np.float32)
    background = BinaryBackground(5)
    background.learn(torch.from_numpy(x).split(7))
    every = all_records(5)
    found = background.log_prob(every)
    q = (x.sum(axis=0) + 0.5) / 21
    masses = [
        np.prod(np.where(every.numpy() > 0, p, 1 - p), axis=1)
        for p in ((1 - share) * q + share / 2 for share in SHARES)
    ]
    np.testing.assert_allclose(found.exp(), np.mean(masses, axis=0), rtol=1e-4)
    assert found.exp().sum().item() == pytest.approx(1, rel=1e-5)
    drawn = background.sample(40_000, torch.Generator().manual_seed(0))
    counts = np.bincount((drawn.numpy() @ 2 ** np.arange(5)[::-1]).astype(int), minlength=32)
    assert (
        stats.chisquare(counts, 40_000 * found.double().exp() / found.double().exp().sum()).pvalue
        > 1e-3
    )


@pytest.mark.parametrize("alike", [True, False])
def test_gaussian_background_is_an_even_mixture_of_normals(alike):
    x = np.random.default_rng(0).normal([0, 3, -2], [1, 0.2, 5], (50, 3))
    x[:, 2] = 4.0  # a constant: no density of zero width
    background = GaussianBackground(3, alike=alike)
    background.learn(torch.from_numpy(x).float().split(20))
    mean, variance = x.mean(axis=0), x.var(axis=0)
    if alike:
        centre, square = x.mean(), np.square(x).mean()
        means = [(1 - s) * mean + s * centre for s in SHARES]
        squares = [(1 - s) * (variance + mean**2) + s * square for s in SHARES]
        variances = [sq - m**2 for sq, m in zip(squares, means, strict=True)]
    else:
        means = [mean] * 4
        variances = [np.maximum(variance, np.exp(-7)) * w**2 for w in (1, 2, 4, 8)]
    deviations = np.sqrt(np.maximum(variances, np.exp(-7)))
    at = np.random.default_rng(1).normal(0, 3, (30, 3))
    logs = [stats.norm.logpdf(at, m, s).sum(axis=1) for m, s in zip(means, deviations, strict=True)]
    expected = logsumexp(logs, axis=0) - np.log(4)
    found = background.log_prob(torch.from_numpy(at).float())
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-3)
    drawn = background.sample(20_000, torch.Generator().manual_seed(0)).numpy()
    mixed = np.mean(np.square(deviations) + np.square(means), axis=0) - np.mean(means, axis=0) ** 2
    np.testing.assert_allclose(drawn.mean(axis=0), np.mean(means, axis=0), atol=0.2)
    np.testing.assert_allclose(drawn.var(axis=0), mixed, rtol=0.15, atol=1e-3)


@pytest.mark.parametrize(("weight", "start"), [(0.2, 0.2), ("learned", 0.01)])
def test_the_mixture_and_its_gradients(weight, start):
    outlier = Outlier(BinaryBackground(4), weight).double()
    assert outlier.weight == pytest.approx(start)
    assert [name for name, _ in outlier.named_parameters()] == (
        ["logit"] if weight == "learned" else []
    )
    x = all_records(4).double()
    outlier.background.learn([x[:5]])
    broad = outlier.background.log_prob(x).numpy()
    own = torch.linspace(-12, 2, 16, dtype=torch.float64, requires_grad=True)
    found = outlier.mixed(own, x, training=False)
    at = own.detach().numpy()
    np.testing.assert_allclose(
        found.detach(), np.log((1 - start) * np.exp(at) + start * np.exp(broad)), rtol=1e-6
    )
    found.sum().backward()
    responsibility = start * np.exp(broad - found.detach().numpy())
    np.testing.assert_allclose(own.grad, 1 - responsibility, rtol=1e-4)
    mixed, taken = outlier.log_prob(at, x)
    np.testing.assert_allclose(mixed, found.detach(), rtol=1e-6)
    np.testing.assert_allclose(taken, responsibility, rtol=1e-4)
    if weight == "learned":
        assert outlier.logit.grad.item() == pytest.approx((responsibility - start).sum(), rel=1e-5)
        values = []
        for change in (-1e-4, 1e-4):
            with torch.no_grad():
                outlier.logit += change
                values.append(outlier.mixed(own, x, training=False).sum().item())
                outlier.logit -= change
        assert outlier.logit.grad.item() == pytest.approx((values[1] - values[0]) / 2e-4, rel=1e-4)


def test_nothing_overflows():
    outlier = Outlier(BinaryBackground(3), "learned")
    own = torch.tensor([-1e6, -1000.0, 5000.0, 1e6], requires_grad=True)
    for training in (False, True):  # at first the head start is beyond everything
        found = outlier.mixed(own, torch.zeros(4, 3), training=training)
        found.sum().backward()
        assert torch.isfinite(found).all()
        assert torch.isfinite(own.grad).all()
        assert torch.isfinite(outlier.logit.grad)
    np.testing.assert_allclose(found.detach(), own.detach() + np.log(0.99), rtol=1e-5)
    mixed, taken = outlier.log_prob(np.array([-np.inf, -1e6, -1000.0, 5000.0]), torch.zeros(4, 3))
    assert np.isfinite(mixed).all()
    np.testing.assert_allclose(taken, [1, 1, 1, 0])


def test_the_head_start_leaves_a_tenth_and_never_grows():
    outlier = Outlier(BinaryBackground(3), 0.5)
    lead = np.arange(101.0) - 20
    outlier.lower_head_start(lead)
    assert outlier.head_start.item() == 70  # of 101, those that lead by 71 to 80 are taken
    assert outlier.has_head_start
    outlier.lower_head_start(lead + 5)
    assert outlier.head_start.item() == 70
    outlier.lower_head_start(lead - 75)
    assert outlier.head_start.item() == 0
    outlier.lower_head_start(lead)
    assert not outlier.has_head_start


@pytest.mark.parametrize(
    ("likelihood", "weight"),
    [("bernoulli", "learned"), ("gaussian", 0.01), ("shared-gaussian", 0.02)],
)
def test_planted_records_are_taken_and_others_are_not(learned, likelihood, weight):
    x, given = planted(), {"likelihood": likelihood, "outlier": weight}
    model = learned if weight == "learned" else fitted(x, **given)
    model.score_samples(x)
    taken = model.diagnostics_["outlier"] > 0.5
    assert taken[PLANTED].all()
    assert taken[10:].mean() < 0.08
    facts = model.facts_["outlier"]
    assert facts["share"] == pytest.approx(taken.mean(), abs=0.03)
    assert facts["head_start"] == 0
    assert facts["weight"] == pytest.approx(0.01 if weight == "learned" else weight, rel=1)


def test_a_learned_weight_moves(learned):
    assert learned.facts_["outlier"]["weight"] != pytest.approx(0.01, rel=1e-3)


def test_scores_are_those_of_the_mixture(learned):
    """The autoencoder's part alone by the same weights, then the sum by hand."""
    x = planted()
    alone = clone(learned).set_params(outlier=None)
    kept = learned.get_weights()
    part = {name: value for name, value in kept.items() if not name.startswith("outlier.")}
    own = alone.set_weights(part).importance(x)
    w = 1 / (1 + np.exp(-float(kept["outlier.logit"])))
    seen, _ = learned.space_.fixed(x, learned.noise_seed)
    broad = learned.network_.outlier.background.log_prob(seen).double().numpy()
    expected = np.logaddexp(np.log1p(-w) + own.log_prob, np.log(w) + broad)
    found = learned.importance(x)
    np.testing.assert_allclose(found.log_prob, expected, rtol=1e-6)
    np.testing.assert_allclose(found.outlier, w * np.exp(broad - expected), rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(
        found.standard_error, own.standard_error * (1 - found.outlier), rtol=1e-5, atol=1e-12
    )
    assert own.outlier is None


def test_a_tiny_mixture_sums_to_one():
    x = (np.random.default_rng(0).random((40, 4)) < 0.3).astype(float)
    model = VAE(1, hidden=(4,), epochs=3, draws=4000, outlier=0.3, random_state=0).fit(x)
    every = all_records(4).numpy()
    assert np.exp(model.score_samples(every)).sum() == pytest.approx(1, abs=0.01)
    drawn = model.sample(20_000)
    counts = np.bincount((drawn @ 2 ** np.arange(4)[::-1]).astype(int), minlength=16)
    expected = np.exp(model.score_samples(every))
    np.testing.assert_allclose(counts / 20_000, expected, atol=0.015)


def test_the_loss_bounds_log_p(learned):
    x = planted()
    assert learned.loss(x) > -learned.score_samples(x).mean()


@pytest.mark.parametrize("weight", [0.05, "learned"])
def test_weights_hold_the_component(learned, weight):
    x = planted(40)
    model = learned if weight == "learned" else fitted(x, outlier=weight, epochs=1)
    copy = clone(model).set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.score_samples(x), model.score_samples(x))
    np.testing.assert_array_equal(copy.sample(5), model.sample(5))
    assert {"outlier.logit", "outlier.background.logits"} < model.get_weights().keys()
    with pytest.raises(InvalidInput, match=r"the entry 'outlier\.\S+' is unknown"):
        clone(model).set_params(outlier=None).set_weights(model.get_weights())


def test_real_values_and_convolutional_networks():
    x = np.random.default_rng(0).normal(size=(60, 5)) * [1, 0.1, 5, 1, 1]
    x[0] *= 3
    table = VAE(2, hidden=(8,), likelihood="gaussian", space="real", outlier=0.05, epochs=2)
    table.set_params(draws=8, random_state=0)
    assert np.isfinite(table.fit(x).score_samples(x)).all()
    images = np.random.default_rng(0).random((6, 32, 32))
    model = VAE(2, network="convolutional", features=2, outlier="learned", epochs=2, draws=8)
    assert np.isfinite(model.set_params(random_state=0).fit(images).score_samples(images)).all()


def test_a_run_keeps_it_all(tmp_path):
    x = planted(60)
    model = VAE(2, hidden=(8,), epochs=2, draws=8, outlier=0.05)
    plan = byrote.KFold(2, repeats=1)
    byrote.score_memorization(model, x, plan=plan, out=tmp_path, keep_models="release")
    facts = RunFolder.open(RunPaths(tmp_path)).facts(0)
    assert set(facts["outlier"]) == {"weight", "share", "head_start"}
    result = byrote.open_run(tmp_path).memorization()
    run = RunFolder.open(RunPaths(tmp_path))
    taken = np.concatenate([run.file(fit).diagnostics()["outlier"] for fit in range(2)]) > 0.5
    assert result.summary().diagnostics.outlier == pytest.approx(taken.mean())
    console = Console(file=StringIO(), width=2000)
    console.print(render(result))
    said = f"{taken.mean():.1%} of them are of the outlier component"
    assert said in console.file.getvalue()
    release = byrote.open_run(tmp_path).model()
    assert release.network_.outlier.weight == pytest.approx(0.05)
    assert np.abs(release.network_.outlier.background.logits.numpy()).max() > 1


@pytest.mark.usefixtures("captured")
def test_the_compiled_step_and_16_bits_are_the_plain_one():
    x, found = planted(64), {}
    with torch._dynamo.config.patch(recompile_limit=1):
        ways = {"plain": (False, "float32"), "compiled": (True, "float32")}
        for name, (compile_, precision) in {**ways, "short": (False, "bfloat16")}.items():
            model = VAE(3, hidden=(20,), epochs=4, batch_size=32, learning_rate=0.01, draws=8)
            model.set_params(outlier="learned", weight_decay=0.1, random_state=0)
            found[name] = model.set_params(compile=compile_, precision=precision).fit(x)
    np.testing.assert_allclose(found["compiled"].losses_, found["plain"].losses_, rtol=1e-5)
    kept = {name: model.get_weights() for name, model in found.items()}
    for name, weight in kept["plain"].items():
        np.testing.assert_allclose(kept["compiled"][name], weight, atol=5e-4, err_msg=name)
    assert kept["compiled"]["outlier.logit"] == pytest.approx(
        kept["plain"]["outlier.logit"], abs=1e-5
    )
    np.testing.assert_allclose(found["short"].losses_, found["plain"].losses_, rtol=0.02)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"outlier": 0}, "outlier must be a number between 0 and 1, both excluded; got 0"),
        ({"outlier": 1.0}, "outlier must be a number between 0 and 1, both excluded; got 1.0"),
        ({"outlier": "learn"}, "outlier must be one of learned; got 'learn', did you mean learned"),
        (
            {"outlier": 0.1, "likelihood": "logistic-mixture"},
            "outlier must be None with likelihood",
        ),
        ({"outlier": 0.1, "robust": 0.1}, "outlier and robust exclude each other"),
    ],
)
def test_what_cannot_be_had_is_refused(parameters, message):
    with pytest.raises(InvalidInput, match=message):
        VAE(epochs=1, **parameters).fit(np.zeros((4, 6)))


def test_with_privacy_it_is_refused():
    model = VAE(outlier=0.1)
    model.dp = object()
    with pytest.raises(InvalidInput, match="outlier must be None with dp"):
        model.fit(np.zeros((4, 6)))
