"""Every network with every likelihood as an estimator: laws that hold for all of them."""

import pickle
from functools import cache

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import byrote
from byrote import InvalidInput
from byrote.models import VAE, ImportanceSampling

SMALL = {"latent_dim": 2, "epochs": 2, "batch_size": 4, "draws": 24, "random_state": 0}
CONNECTED = {"hidden": (8,)}
CONVOLUTIONAL = {"network": "convolutional", "features": 2}
KINDS = {
    "connected bernoulli": {**CONNECTED},
    "connected gaussian": {**CONNECTED, "likelihood": "gaussian"},
    "connected shared": {**CONNECTED, "likelihood": "shared-gaussian", "defensive": 0.2},
    "connected levels": {**CONNECTED, "likelihood": "logistic-mixture"},
    "connected real": {**CONNECTED, "likelihood": "gaussian", "space": "real"},
    "convolutional bernoulli": {**CONVOLUTIONAL},
    "convolutional gaussian": {**CONVOLUTIONAL, "likelihood": "gaussian", "flips": True},
    "convolutional shared": {**CONVOLUTIONAL, "likelihood": "shared-gaussian", "redraw": True},
    "convolutional levels": {**CONVOLUTIONAL, "likelihood": "logistic-mixture"},
}
CASES = [  # the smallest images that each network takes; colours once for each likelihood
    *((kind, (4, 4)) for kind in KINDS if "connected " in kind),
    *((kind, (4, 4, 3)) for kind in KINDS if "connected " in kind),
    *((kind, (32, 32)) for kind in KINDS if "convolutional" in kind),
    ("convolutional gaussian", (32, 32, 3)),
]


def images(shape, n=9, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


@cache
def fitted(kind, shape):
    """Shared by tests that do not change it."""
    return VAE(**SMALL, **KINDS[kind]).fit(images(shape))


@cache
def scored(kind, shape):
    """Scores of the images that it was fitted to."""
    return fitted(kind, shape).score_samples(images(shape))


every_case = pytest.mark.parametrize(("kind", "shape"), CASES)
# Each space, with colours, flips and redrawn noise; networks see nothing but numbers.
every_space = pytest.mark.parametrize(
    ("kind", "shape"),
    [
        *((kind, (4, 4)) for kind in KINDS if "connected " in kind),
        ("connected bernoulli", (4, 4, 3)),
        ("convolutional shared", (32, 32)),
        ("convolutional gaussian", (32, 32, 3)),
    ],
)


@every_case
def test_scores_are_finite_and_diagnosed(kind, shape):
    model, x = fitted(kind, shape), images(shape)
    found = model.score_samples(x)
    assert found.shape == (9,)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    assert set(model.diagnostics_) == {"mc_error", "effective_sample_size", "k_hat"}
    for values in model.diagnostics_.values():
        assert values.dtype == np.float32
        assert values.shape == (9,)
    assert (model.diagnostics_["effective_sample_size"] >= 0.999).all()
    assert (model.diagnostics_["effective_sample_size"] <= 24.001).all()
    full = model.importance(x)
    assert isinstance(full, ImportanceSampling)
    np.testing.assert_array_equal(full.log_prob, found)
    np.testing.assert_array_equal(full.k_hat.astype(np.float32), model.diagnostics_["k_hat"])


@every_space
def test_bytes_and_fractions_are_the_same_records(kind, shape):
    x = images(shape)
    model, score = fitted(kind, shape), scored(kind, shape)
    for other in (x / 255, x.astype(np.float32) / np.float32(255)):
        again = VAE(**SMALL, **KINDS[kind]).fit(other)
        assert again.losses_ == model.losses_
        np.testing.assert_array_equal(again.score_samples(other), score)
        np.testing.assert_array_equal(model.score_samples(other), score)


@every_case
def test_samples_are_records(kind, shape):
    model = fitted(kind, shape)
    drawn = model.sample(9)
    assert drawn.shape == (9, *shape)
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(drawn, model.sample(9))
    if "real" not in kind:
        assert drawn.min() >= 0
        assert drawn.max() <= 1
        np.testing.assert_allclose(drawn * 255, np.rint(drawn * 255), atol=1e-4)
        model.score_samples(drawn)
    assert len(np.unique(drawn.reshape(9, -1), axis=0)) == 9


@every_case
def test_weights_go_round(kind, shape):
    model, x = fitted(kind, shape), images(shape)
    weights = model.get_weights()
    assert all(isinstance(value, np.ndarray) for value in weights.values())
    again = VAE(**{**SMALL, "random_state": 0}, **KINDS[kind]).set_weights(weights)
    np.testing.assert_array_equal(again.score_samples(x), scored(kind, shape))
    np.testing.assert_array_equal(again.sample(3), model.sample(3))
    for value in weights.values():
        value[...] = 0  # they are copies
    np.testing.assert_array_equal(model.score_samples(x), scored(kind, shape))


@every_case
def test_pickled_it_is_the_same(kind, shape):
    again = pickle.loads(pickle.dumps(fitted(kind, shape)))
    np.testing.assert_array_equal(again.score_samples(images(shape)), scored(kind, shape))


@every_case
def test_following_a_training_does_not_change_it(kind, shape):
    x, told = images(shape), []
    model = VAE(**SMALL, **KINDS[kind])

    def look(*_):
        told.append((model.loss(x), model.score_samples(x[:5]), model.sample(2)))

    model.fit(x, on_epoch=look)
    expected, found = fitted(kind, shape).get_weights(), model.get_weights()
    assert list(expected) == list(found)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    assert told[-1][0] == model.loss(x)
    np.testing.assert_array_equal(told[-1][1], model.score_samples(x[:5]))
    assert told[0][0] != told[1][0]


@every_case
def test_the_loss_bounds_the_score(kind, shape):
    model, x = fitted(kind, shape), images(shape)
    loss = model.loss(x)
    assert type(loss) is float
    assert model.loss(x) == loss
    many = pickle.loads(pickle.dumps(model)).set_params(draws=100)
    found = many.importance(x)
    error = 6 * (found.standard_error.max() + 1)
    assert loss > -found.log_prob.mean() - error
    one = pickle.loads(pickle.dumps(model)).set_params(draws=1)
    values = [one.set_params(random_state=seed).score(x) for seed in range(1, 9)]
    # A redrawn dequantization changes every score by far more than the code does.
    tolerance = 6 * np.std(values) + 1e-3 * abs(loss)
    assert loss == pytest.approx(-np.mean(values), abs=tolerance)


def test_colours_are_not_mixed_up():
    """Red is always on, green always off, blue a coin: the model has to see it so."""
    x = np.zeros((200, 4, 4, 3))
    x[..., 0] = 1
    x[..., 2] = np.random.default_rng(0).integers(0, 2, (200, 1, 1))
    settings = {**SMALL, "epochs": 60, "learning_rate": 1e-2, "batch_size": 50}
    model = VAE(**settings, hidden=(16,)).fit(x)
    drawn = model.sample(200)
    np.testing.assert_allclose(drawn.mean(axis=(0, 1, 2)), [1, 0, 0.5], atol=0.15)
    within = drawn[..., 2].reshape(200, -1)
    assert within.std(axis=1).mean() < 0.2  # an image is blue or not
    assert model.score(x) == pytest.approx(-np.log(2), abs=0.6)


def test_a_table_of_numbers_has_a_density_in_its_units():
    rng = np.random.default_rng(0)
    x = rng.multivariate_normal([3, -5], [[1, 0.8], [0.8, 1]], 1000)
    settings = {**SMALL, "epochs": 40, "learning_rate": 1e-2, "batch_size": 100, "draws": 100}
    model = VAE(**settings, hidden=(16,), likelihood="shared-gaussian", space="real").fit(x)
    truth = multivariate_normal([3, -5], [[1, 0.8], [0.8, 1]]).logpdf(x).mean()
    alone = norm([3, -5], 1).logpdf(x).sum(axis=1).mean()
    assert alone < model.score(x) < truth + 0.05
    np.testing.assert_allclose(model.sample(4000).mean(axis=0), [3, -5], atol=0.3)
    grid = np.stack(np.meshgrid(np.linspace(-3, 9, 61), np.linspace(-11, 1, 61)), -1).reshape(-1, 2)
    assert np.exp(model.score_samples(grid)).sum() * 0.04 == pytest.approx(1, abs=0.03)


def test_pixels_without_information_cost_eight_bits():
    """Uniform noise has 8 bits per dimension; a model in logit space cannot beat it on average."""
    x = images((4, 4), n=500)
    settings = {**SMALL, "epochs": 15, "learning_rate": 1e-2, "batch_size": 100}
    for likelihood, worst in (("gaussian", 8.2), ("shared-gaussian", 8.2)):
        model = VAE(**settings, hidden=(8,), likelihood=likelihood).fit(x)
        bits = -model.score(images((4, 4), n=200, seed=1)) / (16 * np.log(2))
        assert 8 <= bits < worst
    mixture = VAE(**settings, hidden=(8,), likelihood="logistic-mixture").fit(x)
    bits = -mixture.score(images((4, 4), n=200, seed=1)) / (16 * np.log(2))
    assert 8 <= bits < 8.4


@pytest.mark.parametrize("shape", [(20,), (28, 28), (32, 31), (16, 16, 3), (1024,)])
def test_other_sizes_are_refused(shape):
    x = np.zeros((4, *shape))
    model = VAE(**SMALL, **CONVOLUTIONAL)
    message = r"X must hold images of 32 x 32 pixels for network='convolutional'; got .*shape \("
    for method in (model.fit, model.check_input):
        with pytest.raises(InvalidInput, match=message):
            method(x)


BAD_SETTINGS = {
    "network": ({"network": "conv"}, "network must be one of fully-connected, convolutional; got"),
    "features": ({"features": 0}, "features must be an integer of at least 1; got 0"),
    "likelihood": ({"likelihood": "gausian"}, "likelihood must be one of .*did you mean gaussian"),
    "space": (
        {"space": "log"},
        "space must be one of auto, binary, logit, real, levels, columns",
    ),
    "space and likelihood": ({"space": "logit"}, "space must be auto or binary with likelihood="),
    "space and levels": (
        {"likelihood": "logistic-mixture", "space": "real"},
        "space must be auto or levels with likelihood='logistic-mixture'; got 'real'",
    ),
    "flips": ({"flips": 1}, "flips must be True or False; got 1"),
    "flips of rows": ({"flips": True}, r"flips needs images, X of shape .*got \(n, 6\)"),
    "defensive=1": ({"defensive": 1.0}, "defensive must be a number of at least 0 and below 1"),
    "defensive=-0.1": ({"defensive": -0.1}, "defensive must be a number of at least 0"),
    "defensive='a'": ({"defensive": "a"}, "defensive must be a number of at least 0"),
    "defensive=nan": ({"defensive": np.nan}, "defensive must be a number of at least 0"),
}


@pytest.mark.parametrize(("changes", "message"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_bad_settings_are_refused(changes, message):
    model = VAE(**{**SMALL, **CONNECTED, **changes})
    with pytest.raises(InvalidInput, match=message):
        model.fit(np.full((12, 6), 0.5))
    assert not hasattr(model, "network_")


BETWEEN = np.full((12, 6), 0.5)
BAD_RECORDS = {
    "above, logit": ("gaussian", "auto", BETWEEN * 4, "in logit space .*; got 72 of 72 values"),
    "above, levels": ("logistic-mixture", "auto", BETWEEN * 4, "256 levels; got 72 of 72 values"),
    "between levels": ("logistic-mixture", "auto", BETWEEN, "must hold multiples of 1/255"),
    "not finite": ("gaussian", "real", BETWEEN * np.nan, "X must be finite"),
    "no images": ("gaussian", "auto", images((8, 8), 0), "X must hold at least one record"),
    "channels first": ("gaussian", "auto", images((3, 32, 32)), "channels last"),
    "bytes in rows": ("gaussian", "auto", images((8,)), r"must lie in \[0, 1\]"),
}


@pytest.mark.parametrize(
    ("likelihood", "space", "x", "message"), BAD_RECORDS.values(), ids=BAD_RECORDS
)
def test_bad_records_are_refused(likelihood, space, x, message):
    model = VAE(**SMALL, **CONNECTED, likelihood=likelihood, space=space)
    for method in (model.fit, model.check_input):
        with pytest.raises(InvalidInput, match=message):
            method(x)


def test_real_numbers_far_from_standard_are_refused_before_a_run_and_warned_of_in_a_fit():
    x = np.random.default_rng(0).normal(50, 20, (12, 6)) * [1, 1, 1, 1, 0.01, 0.01]
    model = VAE(**SMALL, **CONNECTED, likelihood="gaussian", space="real")
    message = (
        r"4 of 6 are further off, up to a mean of \d\d and a standard deviation of \d\d:"
        r" standardize columns first \(--standardize\)"
    )
    with pytest.raises(InvalidInput, match=message):
        model.check_input(x)
    with pytest.warns(UserWarning, match=message):
        assert np.isfinite(model.fit(x).score_samples(x)).all()
    model.check_input((x - x.mean(axis=0)) / x.std(axis=0))
    pixels = np.random.default_rng(0).integers(0, 256, (12, 3, 2), dtype=np.uint8)
    model.check_input(pixels)  # which stand for x / 255


@pytest.mark.parametrize(("mean", "deviation"), [(100, 1), (1000, 1), (0, 1e4)])
def test_a_run_on_columns_far_from_standard_is_refused(mean, deviation):
    x = mean + deviation * np.random.default_rng(0).normal(size=(40, 4))
    model = VAE(**SMALL, **CONNECTED, likelihood="gaussian", space="real")
    with pytest.raises(InvalidInput, match="standardize columns"):
        byrote.score_memorization(model, x, plan=byrote.KFold(4, repeats=2), seed=0)


def without(name):
    return lambda weights: {key: value for key, value in weights.items() if key != name}


def changed(name, value):
    return lambda weights: {**weights, name: value}


BAD_WEIGHTS = {
    "nothing": (lambda _: {}, "layers cannot be 1 with 0 arrays"),
    "no shape": (without("record_shape"), "the entry 'record_shape' is missing"),
    "a wrong shape": (changed("record_shape", [0]), r"must be positive; got \[0\]"),
    "no shape at all": (changed("record_shape", "a"), "must be one to three integers"),
    "another size": (changed("record_shape", [7]), "must be numbers of shape"),
    "one missing": (without("network.mean.bias"), "the entry 'network.mean.bias' is missing"),
    "one more": (changed("x", np.zeros(2)), "the entry 'x' is unknown"),
    "text": (changed("network.mean.bias", ["a", "b"]), "must be numbers of shape"),
}


@pytest.mark.parametrize(("change", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_weights_that_do_not_fit_are_refused(change, message):
    settings = {**SMALL, **CONNECTED}
    weights = VAE(**settings).fit(np.full((12, 6), 0.5)).get_weights()
    model = VAE(**settings)
    with pytest.raises(InvalidInput, match=message):
        model.set_weights(change(weights))
    assert not hasattr(model, "network_")


@pytest.mark.parametrize(
    "changes", [{"latent_dim": 3}, {"hidden": (9,)}, {"likelihood": "gaussian"}], ids=str
)
def test_weights_of_another_model_are_refused(changes):
    settings = {**SMALL, **CONNECTED}
    weights = VAE(**settings).fit(np.full((12, 6), 0.5)).get_weights()
    with pytest.raises(InvalidInput, match="weights must fit the VAE's parameters"):
        VAE(**{**settings, **changes}).set_weights(weights)


def test_bytes_stay_bytes():
    """No copy of all records in another type is made: memory stays near that of the bytes."""
    import tracemalloc

    x = np.zeros((3000, 32, 32, 3), dtype=np.uint8)  # 9 MB; 37 MB in float32
    x.flags.writeable = False
    model = VAE(1, hidden=(2,), likelihood="gaussian", epochs=1, batch_size=200, random_state=0)
    model.fit(x[:2])  # what loads late is loaded
    tracemalloc.start()
    model.fit(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 9e6  # less than another copy, even of bytes
