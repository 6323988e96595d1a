"""The VAE as a scikit-learn density estimator."""

import pickle
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import (
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
)

from byrote import InvalidInput
from byrote.models import VAE, spaces
from byrote.models.spaces import content_uniforms
from byrote.models.torch_utils import denormals_are_flushed, flushed_denormals, seeded
from byrote.models.vae import autoencoder, scoring
from byrote.models.vae import fitted_vae as asked

SMALL = {"latent_dim": 2, "hidden": (16,), "epochs": 3, "batch_size": 32, "draws": 32}


@cache
def digits():
    return load_digits().data[:300] / 16


def small(**changes):
    return VAE(**{**SMALL, "random_state": 0, **changes})


@cache
def fitted():
    """Shared by tests that do not change it."""
    return small().fit(digits())


@pytest.mark.parametrize(
    "check",
    [
        check_parameters_default_constructible,
        check_get_params_invariance,
        check_set_params,
        check_no_attributes_set_in_init,
    ],
)
def test_scikit_learn_agrees(check):
    check("VAE", VAE())


def test_clone_and_parameters():
    model = small(redraw=True, noise_seed=7, learning_rate=0.01)
    assert clone(model).get_params() == model.get_params()
    assert VAE().set_params(**model.get_params()).get_params() == model.get_params()
    assert not hasattr(clone(fitted()), "network_")


def test_pickled_it_scores_the_same():
    model = fitted()
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.score_samples(digits()), model.score_samples(digits()))
    np.testing.assert_array_equal(again.sample(5), model.sample(5))
    assert again.losses_ == model.losses_


@pytest.mark.parametrize("method", ["score_samples", "score", "sample"])
def test_before_fit_nothing_is_known(method):
    argument = 3 if method == "sample" else digits()
    with pytest.raises(NotFittedError, match="not fitted"):
        getattr(small(), method)(argument)


def test_the_same_seed_gives_the_same_bits():
    one, two, other = (small(random_state=seed).fit(digits()) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.score_samples(digits()), two.score_samples(digits()))
    np.testing.assert_array_equal(one.sample(9), two.sample(9))
    assert one.losses_ == two.losses_
    assert (one.score_samples(digits()) != other.score_samples(digits())).all()
    assert (one.sample(9) != other.sample(9)).any()
    assert one.losses_ != other.losses_


def test_fitting_again_forgets():
    model = small()
    model.fit(digits()[::-1]).fit(digits())
    np.testing.assert_array_equal(model.score_samples(digits()), fitted().score_samples(digits()))
    assert len(model.losses_) == SMALL["epochs"]


def test_without_a_seed_fits_differ():
    one, two = (small(random_state=None).fit(digits()) for _ in range(2))
    assert one.losses_ != two.losses_


def test_scoring_is_repeatable_whatever_came_between():
    model = fitted()
    first = model.score_samples(digits())
    torch.rand(5)
    model.sample(3)
    np.testing.assert_array_equal(model.score_samples(digits()), first)
    assert first.dtype == np.float64
    assert np.isfinite(first).all()
    assert model.score(digits()) == pytest.approx(first.mean())


@pytest.mark.parametrize("shape", [(64,), (8, 8), (8, 8, 1)])
def test_records_of_every_shape_are_the_same_values(shape):
    x = digits().reshape(-1, *shape)
    model = small().fit(x)
    assert model.n_features_in_ == 64
    assert model.losses_ == fitted().losses_
    np.testing.assert_array_equal(model.score_samples(x), fitted().score_samples(digits()))
    drawn = model.sample(7)
    assert drawn.shape == (7, *shape)
    np.testing.assert_array_equal(drawn.reshape(7, -1), fitted().sample(7))


def test_records_of_every_type_are_the_same_values():
    x = np.round(digits()).astype(np.float64)  # zeros and ones, exact in all of them
    expected = small().fit(x).score_samples(x)
    for other in (x.astype(np.float32), x.tolist(), np.asfortranarray(x), x > 0.5):
        np.testing.assert_array_equal(small().fit(other).score_samples(other), expected)


def test_input_is_left_alone():
    x = digits().copy()
    x.flags.writeable = False
    small().fit(x).score_samples(x)
    np.testing.assert_array_equal(x, digits())


def test_samples_are_binary():
    drawn = fitted().sample(50)
    assert set(np.unique(drawn)) == {0, 1}
    assert len(np.unique(drawn, axis=0)) > 1
    assert fitted().sample().shape == (1, 64)


def test_training_lowers_the_loss():
    model = small(epochs=40, learning_rate=1e-2, draws=100).fit(digits())
    assert model.losses_[-1] < model.losses_[0] - 10
    assert max(np.diff(model.losses_)) < 1
    p = digits().mean(axis=0).clip(1e-3, 1 - 1e-3)
    x = (np.random.default_rng(0).random(digits().shape) < digits()).astype(float)
    independent = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    assert model.score(x) > independent + 1  # it has learned how pixels hang together


def test_the_likelihood_is_above_the_bound_that_was_trained():
    x = (digits() > 0.5).astype(float)
    model = small(epochs=15, draws=200).fit(x)
    assert -model.losses_[-1] < model.score(x) < 0


def test_every_epoch_is_told():
    told = []
    model = small(epochs=4).fit(digits(), on_epoch=lambda *at: told.append(at))
    assert [epoch for epoch, _ in told] == [1, 2, 3, 4]
    assert all(set(losses) == {"train"} for _, losses in told)
    assert [losses["train"] for _, losses in told] == model.losses_
    assert all(type(loss) is float for loss in model.losses_)


def test_following_a_training_does_not_change_it():
    model = small()
    scores = []
    model.fit(digits(), on_epoch=lambda *_: scores.append(model.score_samples(digits()[:20])))
    assert model.losses_ == fitted().losses_
    np.testing.assert_array_equal(scores[-1], model.score_samples(digits()[:20]))
    assert (scores[0] != scores[-1]).all()


def test_the_settings_reach_the_training():
    reference = fitted().losses_
    for name, value in {
        "latent_dim": 5,
        "hidden": (8, 8),
        "batch_size": 300,
        "learning_rate": 1e-4,
    }.items():
        assert small(**{name: value}).fit(digits()).losses_ != reference, name
    assert small(epochs=1).fit(digits()).losses_ == reference[:1]
    assert small(draws=7, redraw=True, noise_seed=3).fit(digits()).losses_ == reference
    assert small(hidden=[16]).fit(digits()).losses_ == reference


GREY = np.random.default_rng(0).uniform(0.2, 0.8, (150, 64))


def rescored(model, **changes):
    """Scores of a fitted model under other settings of scoring."""
    return pickle.loads(pickle.dumps(model)).set_params(**changes).score_samples(GREY)


def test_a_fixed_draw_is_the_same_in_every_fit():
    model = small(epochs=1, draws=300).fit(GREY)
    fixed = [rescored(model, random_state=seed) for seed in (1, 2)]
    redrawn = [rescored(model, random_state=seed, redraw=True) for seed in (1, 2)]
    assert np.std(fixed[0] - fixed[1]) < 0.5  # importance sampling alone
    assert np.std(redrawn[0] - redrawn[1]) > 1
    other = rescored(model, random_state=1, noise_seed=9)
    assert np.std(fixed[0] - other) > 1
    np.testing.assert_array_equal(redrawn[0], rescored(model, random_state=1, redraw=True))
    np.testing.assert_array_equal(
        redrawn[0], rescored(model, random_state=1, redraw=True, noise_seed=9)
    )


def test_a_fixed_draw_is_the_records_own():
    x = GREY[:50]
    model = small(epochs=1, draws=2000).fit(x)
    whole = model.score_samples(x)
    order = np.random.default_rng(1).permutation(len(x))
    np.testing.assert_allclose(model.score_samples(x[order]), whole[order], atol=0.3)
    np.testing.assert_allclose(model.score_samples(x[40:]), whole[40:], atol=0.3)
    grey = x.astype(np.float32)
    binary = (content_uniforms(grey, model.noise_seed) < grey).astype(np.float32)
    np.testing.assert_array_equal(model.score_samples(binary), whole)


@pytest.mark.parametrize("redraw", [False, True])
def test_records_scored_in_blocks_are_the_same_records(monkeypatch, redraw):
    x = GREY[:20]
    model = small(epochs=1, draws=2000, redraw=redraw).fit(x)
    whole = model.score_samples(x)
    for rows in (1, 7, 19, 20):
        monkeypatch.setattr(scoring, "_CHUNK_VALUES", rows * 64)
        np.testing.assert_allclose(model.score_samples(x), whole, atol=0.3, err_msg=rows)


def test_a_draw_does_not_depend_on_precision():
    model = small(epochs=1).fit(GREY)
    np.testing.assert_array_equal(
        model.score_samples(GREY), model.score_samples(GREY.astype(np.float32))
    )


def bad(row, column, value):
    x = np.full((12, 6), 0.5)
    x[row, column] = value
    return x


GOOD = bad(0, 0, 0.5)
BAD_SETTINGS = {
    "latent_dim=0": ({"latent_dim": 0}, "latent_dim must be an integer of at least 1; got 0"),
    "latent_dim=2.0": ({"latent_dim": 2.0}, "latent_dim must be an integer"),
    "latent_dim=True": ({"latent_dim": True}, "latent_dim must be an integer"),
    "hidden=[]": ({"hidden": []}, r"hidden must be a list of layer widths; got \[\]"),
    "hidden=64": ({"hidden": 64}, "hidden must be a list of layer widths; got 64"),
    "hidden=None": ({"hidden": None}, "hidden must be a list of layer widths; got None"),
    "hidden=[8, 0]": ({"hidden": [8, 0]}, "hidden must be an integer of at least 1; got 0"),
    "hidden='64'": ({"hidden": "64"}, "hidden must be"),
    "epochs=-1": ({"epochs": -1}, "epochs must be an integer of at least 1; got -1"),
    "epochs=0": ({"epochs": 0}, "epochs must be an integer of at least 1; got 0"),
    "epochs='3'": ({"epochs": "3"}, "epochs must be an integer of at least 1; got '3'"),
    "batch_size=0": ({"batch_size": 0}, "batch_size must be an integer of at least 1"),
    "learning_rate=0": ({"learning_rate": 0}, "learning_rate must be a number above 0; got 0"),
    "learning_rate=nan": ({"learning_rate": np.nan}, "learning_rate must be a number above 0"),
    "learning_rate=inf": ({"learning_rate": np.inf}, "learning_rate must be a number above 0"),
    "learning_rate=''": ({"learning_rate": ""}, "learning_rate must be a number above 0"),
    "draws=0": ({"draws": 0}, "draws must be an integer of at least 1, or auto; got 0"),
    "draws='few'": ({"draws": "few"}, "draws must be an integer of at least 1, or auto; got 'few'"),
    "noise_seed=-1": ({"noise_seed": -1}, "noise_seed must be an integer of at least 0"),
    "noise_seed=None": ({"noise_seed": None}, "noise_seed must be an integer of at least 0"),
    "random_state=-1": ({"random_state": -1}, "random_state must be"),
    "random_state='a'": ({"random_state": "a"}, "random_state must be"),
    "redraw='no'": ({"redraw": "no"}, "redraw must be"),
    "device='nowhere'": ({"device": "nowhere"}, "device must be"),
}


@pytest.mark.parametrize(("settings", "message"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_bad_settings_are_refused_at_fit(settings, message):
    model = small(**settings)  # as scikit-learn wants it, the constructor checks nothing
    with pytest.raises(InvalidInput, match=message):
        model.fit(GOOD)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"draws": 0}, "draws must be"), ({"noise_seed": -1}, "noise_seed must be")],
    ids=str,
)
def test_bad_settings_are_refused_at_scoring(settings, message):
    model = small().fit(GOOD).set_params(**settings)
    with pytest.raises(InvalidInput, match=message):
        model.score_samples(GOOD)


BAD_RECORDS = {
    "above": (bad(3, 2, 1.5), r"X must lie in \[0, 1\] for a Bernoulli decoder; got "),
    "below": (bad(3, 2, -0.1), r"X must lie in \[0, 1\] for a Bernoulli decoder; got "),
    "NaN": (bad(3, 2, np.nan), "X must be finite; NaN in row 3"),
    "infinite": (bad(3, 2, np.inf), "X must be finite; an infinite value in row 3"),
    "bytes": (np.full((5, 6), 255, dtype=np.uint8), r"X must lie in \[0, 1\]"),
    "one record": (np.full(6, 0.5), r"X must have shape \(n, d\)"),
    "no records": (np.zeros((0, 6)), "X must hold at least one record"),
    "text": (np.full((5, 6), "a"), "X must be numeric"),
    "ragged": ([[0.5], [0.5, 0.5]], "X must be a regular array"),
}


@pytest.mark.parametrize(("x", "message"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_bad_records_are_refused(x, message):
    model = small().fit(GOOD)
    with pytest.raises(InvalidInput, match=message):
        small().fit(x)
    with pytest.raises(InvalidInput, match=message):
        model.check_input(x)
    with pytest.raises(InvalidInput, match=message):
        model.score_samples(x)


@pytest.mark.parametrize("shape", [(12, 5), (12, 7), (12, 2, 3), (12, 6, 1), (12, 1, 6, 1)])
def test_records_of_another_shape_are_refused(shape):
    model = small().fit(GOOD)
    with pytest.raises(InvalidInput, match=r"X must hold records of shape \(6,\); got \("):
        model.score_samples(np.full(shape, 0.5))


@pytest.mark.parametrize("n", [-1, 1.5, "3"])
def test_bad_numbers_of_samples_are_refused(n):
    with pytest.raises(InvalidInput, match="n_samples must be"):
        fitted().sample(n)


def surroundings():
    return (
        torch.get_num_threads(),
        torch.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        denormals_are_flushed(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        np.geterr(),
    )


@pytest.mark.parametrize("flushed", [False, True])
def test_globals_are_left_as_they_were(flushed):
    def interrupt(*_):
        raise KeyboardInterrupt

    torch.set_flush_denormal(flushed)
    try:
        before = surroundings()
        assert before[4] == flushed
        model = small().fit(digits())
        assert surroundings() == before
        model.score_samples(digits())
        assert surroundings() == before
        model.sample(3)
        assert surroundings() == before
        with pytest.raises(KeyboardInterrupt):
            small().fit(digits(), on_epoch=interrupt)
        assert surroundings() == before
    finally:
        torch.set_flush_denormal(False)


def test_globals_change_no_bits():
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    try:
        model = small().fit(digits())
        np.testing.assert_array_equal(
            model.score_samples(digits()), fitted().score_samples(digits())
        )
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


def test_denormals_are_flushed_in_training():
    inside = []
    small().fit(digits(), on_epoch=lambda *_: inside.append(denormals_are_flushed()))
    assert inside == [True] * SMALL["epochs"]
    assert not denormals_are_flushed()
    with pytest.raises(ValueError, match="inside"), flushed_denormals(), flushed_denormals():
        raise ValueError("inside")
    assert not denormals_are_flushed()


def test_seeded_is_torch_seeded_and_put_back():
    before = torch.get_rng_state()
    with seeded(3):
        inside = torch.rand(4)
    assert (torch.get_rng_state() == before).all()
    assert (inside == torch.rand(4, generator=torch.Generator().manual_seed(3))).all()


def test_no_two_streams_share_a_seed(monkeypatch):
    """Training noise, importance samples, samples and redrawn records are drawn independently."""
    used = {}

    def noting(where, plain):
        def noted(*args):
            used.setdefault(args[-1], set()).add(f"{where} at {doing}")
            return plain(*args)

        return noted

    def generator_from(seed, device):
        used.setdefault(seed, set()).add(f"generator at {doing}")
        return made(seed, device)

    made = asked.generator_from
    monkeypatch.setattr(asked, "generator_from", generator_from)
    monkeypatch.setattr(autoencoder, "seeded", noting("seeded", autoencoder.seeded))
    monkeypatch.setattr(spaces, "content_uniforms", noting("uniforms", spaces.content_uniforms))
    doing = "fit"
    model = small(redraw=True, epochs=1).fit(digits())
    for doing in ("score_samples", "sample", "loss"):
        getattr(model, doing)(3 if doing == "sample" else digits())
    # loss draws records as score_samples does, so that it bounds the same numbers
    assert sorted(map(len, used.values())) == [1, 1, 1, 1, 1, 2]
    assert {"uniforms at score_samples", "uniforms at loss"} in used.values()
