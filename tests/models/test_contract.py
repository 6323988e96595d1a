"""What counts as a density model, and how a run prepares one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from byrote import InvalidInput
from byrote.models import VAE, Diffusion, Flow, FromSamples, contract, identity

from estimators import Kernel, KnownVariance, Learner, NoScore, PureNoise

MODELS = {
    "vae": lambda: VAE(latent_dim=2, hidden=(8,), epochs=2, draws=16),
    "vae of logits": lambda: VAE(2, hidden=(8,), epochs=2, draws=16, likelihood="gaussian"),
    "vae of numbers": lambda: VAE(
        2, hidden=(8,), epochs=2, draws=16, likelihood="shared-gaussian", space="real", redraw=True
    ),
    "flow": lambda: Flow("maf", hidden=(8,), epochs=2),
    "diffusion": lambda: Diffusion(hidden=(8,), epochs=2, levels=24),
    "kde": lambda: KernelDensity(bandwidth=0.5),
    "gmm": lambda: GaussianMixture(2),
    "one's own": KnownVariance,
    "noise": PureNoise,
    "samples": lambda: FromSamples(GaussianMixture(2), samples=2),
    "pipeline": lambda: make_pipeline(StandardScaler(), GaussianMixture(2)),
}
X = np.random.default_rng(0).random((40, 3, 3))


@pytest.fixture(params=MODELS.values(), ids=MODELS)
def model(request):
    return request.param()


def test_every_model_passes(model):
    assert contract.check_model(model) is None


def test_prepared_twice_it_scores_the_same(model):
    scores = []
    for _ in range(2):
        copy = contract.seeded_clone(model, training=3, noise=4)
        x = contract.as_input(copy, X)
        contract.fit(copy, x, lambda *_: None)
        contract.reseed(copy, 5)
        scores.append(copy.score_samples(x))
    assert scores[0].shape == (40,)
    np.testing.assert_array_equal(*scores)


def test_preparing_leaves_the_model_alone(model):
    before = identity.parameters(model), model.get_params(deep=False).get("random_state")
    copy = contract.seeded_clone(model, training=3, noise=4)
    assert copy is not model
    assert before == (
        identity.parameters(model),
        model.get_params(deep=False).get("random_state"),
    )


def test_parameters_are_plain_and_without_seeds(model):
    found = identity.parameters(model)
    again = json.loads(json.dumps(found))
    assert again == found
    for seed in (1, 2):
        copy = contract.seeded_clone(model, training=seed, noise=seed)
        assert identity.parameters(copy) == found


class Needy(KernelDensity):
    """Its constructor does more than scikit-learn allows, so that clone cannot copy it."""

    def __init__(self, width=1.0):
        self.width = float(width) + 1
        super().__init__()


class Secretive(Kernel):
    def get_params(self, deep=True):
        raise RuntimeError("no")


class NoParameters:
    def fit(self, X):
        return self

    def score_samples(self, X):
        return np.zeros(len(X))


class Attribute(BaseEstimator):
    score_samples = 3

    def fit(self, X):
        return self


class NoFit(BaseEstimator):
    def score_samples(self, X):
        return np.zeros(len(X))


REFUSED = {
    "a class": (KernelDensity, "model must be an instance; got the class KernelDensity"),
    "no fit": (NoFit(), "NoFit has no fit"),
    "no score_samples": (NoScore(), "NoScore has no score_samples"),
    "no method": (Attribute(), "Attribute has no score_samples"),
    "no get_params": (NoParameters(), "NoParameters has no get_params"),
    "a pipeline that scores nothing": (
        make_pipeline(StandardScaler(), StandardScaler()),
        "Pipeline has no score_samples",
    ),
    "uncloneable": (Needy(), "sklearn.base.clone can copy; Needy raises RuntimeError"),
    "unreadable": (Secretive(), "Secretive raises RuntimeError: no"),
    "a number": (3, "int has no fit"),
    "nothing": (None, "NoneType has no fit"),
    "a name": ("vae", "str has no fit"),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_density_model_is_refused(model, message):
    with pytest.raises(InvalidInput, match=message):
        contract.check_model(model)


def test_seeds_reach_nested_models():
    pipeline = Pipeline([("flat", QuantileTransformer(n_quantiles=5)), ("mix", GaussianMixture(2))])
    copy = contract.seeded_clone(pipeline, training=11, noise=12)
    assert copy.get_params()["mix__random_state"] == 11
    assert copy.get_params()["flat__random_state"] == 11
    assert pipeline.get_params()["mix__random_state"] is None


def test_the_noise_seed_is_its_own():
    copy = contract.seeded_clone(VAE(), training=11, noise=12)
    assert (copy.random_state, copy.noise_seed) == (11, 12)
    contract.reseed(copy, 13)
    assert (copy.random_state, copy.noise_seed) == (13, 12)


def test_the_noise_seed_reaches_nested_models():
    # What parameters() leaves out, prepared() has to set.
    pipeline = Pipeline([("vae", VAE(noise_seed=5))])
    copy = contract.seeded_clone(pipeline, training=11, noise=12)
    assert copy.get_params()["vae__noise_seed"] == 12


def test_a_model_without_seeds_is_only_copied():
    copy = contract.seeded_clone(KernelDensity(bandwidth=0.3), training=1, noise=2)
    assert copy.get_params() == KernelDensity(bandwidth=0.3).get_params()
    contract.reseed(copy, 3)
    assert copy.get_params() == KernelDensity(bandwidth=0.3).get_params()


def test_reseeding_keeps_the_fit():
    model = contract.seeded_clone(VAE(2, hidden=(8,), epochs=1, draws=4), training=1, noise=2).fit(
        X
    )
    first = model.score_samples(X)
    contract.reseed(model, 99)
    assert (model.score_samples(X) != first).any()
    assert model.losses_


def test_parameters_hold_settings_and_no_seed():
    assert identity.parameters(KernelDensity(bandwidth=0.3))["bandwidth"] == 0.3
    found = identity.parameters(VAE(latent_dim=3, random_state=7, noise_seed=8))
    assert found["latent_dim"] == 3
    assert not {"random_state", "noise_seed"} & set(found)
    assert list(found) == sorted(found)
    assert found != identity.parameters(VAE(latent_dim=4))


def test_nested_parameters_hold_settings_and_no_seed():
    def described(components, seed):
        pipeline = make_pipeline(StandardScaler(), GaussianMixture(components, random_state=seed))
        return identity.parameters(pipeline)

    assert described(2, 1) == described(2, 2)
    assert described(2, 1) != described(3, 1)
    assert "random_state" not in json.dumps(described(2, 1))


def test_arrays_are_told_apart_by_content_and_not_printed():
    weights = np.array([0.123456, 0.876544])

    def described(array):
        return identity.parameters(GaussianMixture(2, weights_init=array))["weights_init"]

    assert described(weights) == described(weights.copy())
    assert described(weights) == described(np.repeat(weights, 2)[::2])  # another memory layout
    assert described(weights) != described(weights[::-1])
    assert described(weights) != described(weights.astype(np.float32))
    assert described(weights) != described(weights[:, None])
    assert described(np.zeros(2)) != described(np.zeros(2, dtype=int))  # the same bytes
    assert "0.123" not in json.dumps(described(weights))


def tophat():
    """A function as a parameter."""


class Other:
    def __init__(self, width=1):
        self.width = width


PLAIN = {
    "none": (None, None),
    "text": ("a", "a"),
    "number of numpy": (np.float32(0.5), 0.5),
    "truth of numpy": (np.bool_(True), True),
    "tuple": ((1, (2, 3)), [1, [2, 3]]),
    "dictionary": ({1: (2,), "a": None}, {"1": [2], "a": None}),
    "function": (tophat, f"{__name__}.tophat"),
    "class": (KernelDensity, "sklearn.neighbors._kde.KernelDensity"),
    "estimator": (PureNoise(2.0), {"class": "estimators.PureNoise", "common": 0.0, "spread": 2.0}),
}


@pytest.mark.parametrize(("value", "expected"), PLAIN.values(), ids=PLAIN)
def test_plain(value, expected):
    found = identity.plain(value)
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found)


def test_objects_are_told_apart_by_content():
    assert identity.plain(Other(1)) == identity.plain(Other(1))
    assert identity.plain(Other(1)) != identity.plain(Other(2))
    assert identity.plain(lambda x: x + 1) != identity.plain(lambda x: x + 2)
    assert identity.plain({"a", "b"}) != identity.plain({"a", "c"})
    assert identity.plain(np.nan) == identity.plain(np.nan)
    assert identity.plain(np.inf) != identity.plain(-np.inf)


SCRIPT = """
import json, sys
import numpy as np
from byrote.models.identity import plain

class Mine:  # as in a user's script
    def __init__(self, width):
        self.width = width

print(json.dumps(plain({
    "lambda": lambda x: x + 1,
    "set": {"a", "b", "c", "d", "e"},
    "array of objects": np.array(["a", None, (1, 2)], dtype=object),
    "object": Mine(3),
})))
"""


def test_parameters_are_described_alike_in_every_process(tmp_path):
    # Or the same script, started again, would be refused its own run.
    (tmp_path / "script.py").write_text(SCRIPT)
    first, second = (
        json.loads(
            subprocess.run(
                [sys.executable, tmp_path / "script.py"],
                env={**os.environ, "PYTHONHASHSEED": seed},
                check=True,
                capture_output=True,
            ).stdout
        )
        for seed in ("1", "2")
    )
    assert [name for name in first if first[name] != second[name]] == []


def test_a_class_has_a_path():
    assert identity.class_path(KernelDensity()) == "sklearn.neighbors._kde.KernelDensity"
    assert identity.class_path(PureNoise()) == "estimators.PureNoise"


@pytest.mark.parametrize("shape", [(5, 4), (5, 2, 2), (5, 2, 2, 1), (5, 2, 2, 3)])
def test_images_stay_images_only_for_models_that_take_them(shape):
    x = np.random.default_rng(0).random(shape)
    rows = contract.as_input(KernelDensity(), x)
    assert rows.shape == (5, x[0].size)
    np.testing.assert_array_equal(rows[3], x[3].reshape(-1))
    assert contract.as_input(VAE(), x) is x
    assert contract.as_input(NoParameters(), x).ndim == 2  # no tags at all
    contract.fit(clone(KernelDensity()), rows, lambda *_: None)


def test_epochs_are_followed_where_fit_can():
    told = []
    contract.fit(Learner(epochs=2), np.zeros((3, 1)), lambda *at: told.append(at))
    assert told == [(1, {"train": 1.0}), (2, {"train": 0.5})]
    contract.fit(KernelDensity(), np.zeros((3, 1)), lambda *at: told.append(at))
    assert len(told) == 2


def test_a_model_may_refuse_its_input():
    contract.check_input(KernelDensity(), np.full((3, 2), 7.0))
    contract.check_input(VAE(), np.ones((3, 2)))
    with pytest.raises(InvalidInput, match="Bernoulli"):
        contract.check_input(VAE(), np.full((3, 2), 7.0))


def test_a_model_sees_the_shape_that_it_will_get_and_its_errors_stay_private():
    class Checking(Kernel):
        def check_input(self, X):
            raise RuntimeError(f"{X.shape}: a secret")

    class Telling(Kernel):
        def check_input(self, X):
            raise InvalidInput(f"X must be other than {X.shape}")

    with pytest.raises(InvalidInput, match="Checking refuses the records.*RuntimeError") as caught:
        contract.check_input(Checking(), X)
    assert "secret" not in str(caught.value)
    with pytest.raises(InvalidInput, match=r"X must be other than \(40, 9\)"):
        contract.check_input(Telling(), X)


def test_torch_loads_when_a_model_needs_it():
    code = """
import sys

class Absent:
    def find_spec(self, name, *more):
        if name == "torch":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import byrote.models, byrote.models.registry, byrote.models.contract
try:
    byrote.models.VAE
except ModuleNotFoundError:
    sys.exit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7


def test_there_is_no_other_name():
    import byrote.models

    with pytest.raises(AttributeError, match="has no attribute 'GAN'"):
        byrote.models.GAN  # noqa: B018


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ([1], "must be a mapping"),
        ({"epsilon": float("inf")}, "finite numbers"),
        ({"array": np.zeros(2)}, "finite numbers"),
    ],
)
def test_facts_that_no_file_can_hold_are_refused(facts, message):
    model = PureNoise()
    model.facts_ = facts
    with pytest.raises(TypeError, match=message):
        contract.facts(model)
