"""Diffusion as a density estimator: the same bits, weights, labels, early stopping, refusals."""

import pickle
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

import byrote
from byrote.errors import InvalidInput, TrainingDiverged
from byrote.models import Diffusion
from byrote.models.diffusion.denoiser import Denoiser
from byrote.models.diffusion.i_mmse import Estimates
from byrote.models.diffusion.networks import FullyConnected, UNet
from byrote.models.diffusion.noise import record_noise
from byrote.models.diffusion.pixels import space_of
from byrote.models.diffusion.scoring import differing
from byrote.models.torch_utils import denormals_are_flushed
from byrote.models.weights import weights_of, with_weights
from byrote.runs.kinds.labelled import LabelledArrays, LabelledContent
from byrote.runs.sharing import share_as_file

SMALL = {"hidden": (16, 16), "epochs": 2, "levels": 24, "steps": 24, "precision": "float32"}
TABLE = np.random.default_rng(0).normal(size=(60, 3))
DIGITS = load_digits().images[:40].astype(np.float32) / 16
IMAGES = np.kron(DIGITS[:6], np.ones((1, 2, 2), dtype=np.float32))
CASES = {
    "table": (TABLE, {}),
    "digits": (DIGITS, {}),
    "images": (IMAGES, {"network": "u-net", "features": 4}),
    "colour": (np.stack([IMAGES] * 3, axis=-1), {"features": 4}),
}


def small(**more):
    return Diffusion(**{**SMALL, "random_state": 0, **more})


@cache
def fitted(case="table"):
    """Shared by tests that do not change it."""
    x, more = CASES[case]
    return small(**more).fit(x)


@pytest.mark.parametrize("case", CASES)
def test_a_model_of_each_kind_of_record_is_trained_scored_sampled_and_kept(case):
    x, more = CASES[case]
    model = fitted(case)
    log_prob = model.score_samples(x)
    assert log_prob.shape == model.diagnostics_["mc_error"].shape == (len(x),)
    assert np.isfinite(log_prob).all()
    assert model.sample(3).shape == (3, *x.shape[1:])
    again = with_weights(small(**more), weights_of(model))
    np.testing.assert_array_equal(again.score_samples(x), log_prob)
    np.testing.assert_array_equal(again.sample(4), model.sample(4))
    assert again.loss(x) == model.loss(x)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.score_samples(x), log_prob)


@pytest.mark.parametrize("case", CASES)
def test_the_same_seed_gives_the_same_bits_and_another_does_not(case):
    x, more = CASES[case]
    model, again, followed = fitted(case), small(**more), []
    again.fit(x, on_epoch=lambda *_: followed.append(again.score_samples(x)))
    np.testing.assert_array_equal(again.score_samples(x), model.score_samples(x))
    assert again.losses_ == model.losses_
    assert (followed[0] != followed[1]).all()
    other = small(**more, random_state=1)
    assert (other.fit(x).score_samples(x) != model.score_samples(x)).any()


def test_bytes_are_255ths_and_samples_are_pixels():
    pixels = (DIGITS * 255).astype(np.uint8)
    numbers = pixels.astype(np.float32) / np.float32(255)
    one, two = small().fit(pixels), small().fit(numbers)
    assert one.losses_ == two.losses_
    np.testing.assert_array_equal(one.score_samples(pixels), two.score_samples(numbers))
    drawn = one.sample(5) * 255
    np.testing.assert_allclose(drawn, np.rint(drawn), atol=1e-3)
    assert drawn.min() >= 0
    assert drawn.max() <= 255


def test_density_of_normal_numbers_is_learned():
    """Of noisy records: variances grow by that of the noise, and a mean is taken around each."""
    generator = np.random.default_rng(1)
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    train, fresh = (generator.multivariate_normal([0.5, -0.5], covariance, n) for n in (500, 200))
    model = Diffusion(hidden=(32, 32), epochs=40, sigma_min=0.1, draws=4, precision="float32")
    model.set_params(random_state=0, estimator="both").fit(train)
    noisy = covariance + 0.01 * np.eye(2)
    centred = fresh - [0.5, -0.5]
    squared = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(noisy), centred)
    at_record = -0.5 * (squared + np.log(np.linalg.det(2 * np.pi * noisy)))
    around = at_record - 0.5 * 0.01 * np.trace(np.linalg.inv(noisy))
    found = model.score_samples(fresh)
    gap = around.mean() - found.mean()
    assert -0.05 < gap < 0.1
    assert -model.loss(fresh) == pytest.approx(found.mean(), abs=0.25)
    assert np.median(np.abs(model.diagnostics_["ode"] - at_record)) < 0.35
    assert model.losses_[-1] < model.losses_[0]
    assert model.diagnostics_["estimates_differ"].mean() < 0.05
    drawn = model.sample(1000)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.3)


def test_more_training_on_few_records_is_memorization():
    model = small(hidden=(64, 64), epochs=150, learning_rate=5e-3).fit(TABLE[:8])
    inside, outside = model.score_samples(TABLE[:8]), model.score_samples(TABLE[8:])
    assert inside.mean() > outside.mean() + 5


@pytest.mark.parametrize(("estimator", "result"), [("i-mmse", "i_mmse"), ("ode", "ode")])
def test_an_estimator_gives_the_result_and_both_are_in_the_diagnostics(estimator, result):
    model = clone(fitted()).set_params(estimator="both").fit(TABLE)
    by_default = model.score_samples(TABLE)
    both = model.diagnostics_
    assert set(both) == {"mc_error", "i_mmse", "ode", "estimates_differ"}
    np.testing.assert_array_equal(both["i_mmse"], by_default.astype(np.float32))
    chosen = model.set_params(estimator=estimator).score_samples(TABLE)
    np.testing.assert_array_equal(chosen.astype(np.float32), both[result])


@pytest.mark.parametrize(
    ("ode", "error", "differ"),
    [(0.0, 1.0, False), (9.0, 1.0, False), (9.1, 1.0, True), (-9.1, 1.0, True),
     (5.1, np.nan, True), (np.nan, 1.0, True), (-np.inf, 1.0, True)],
)  # fmt: skip
def test_estimates_differ_beyond_half_the_dimensions_and_four_errors(ode, error, differ):
    estimates = Estimates(np.zeros(1), np.full(1, error))
    assert differing(estimates, np.array([ode]), d=10) == differ


def test_noise_is_of_the_record_alone():
    x = np.concatenate([TABLE, -0.0 * TABLE[:1], 0.0 * TABLE[:1]]).astype(np.float32)
    noise = record_noise(x, 7, 5)
    assert noise.shape == (62, 5, 3)
    order = np.random.default_rng(0).permutation(len(x))
    np.testing.assert_array_equal(record_noise(x[order], 7, 5), noise[order])
    np.testing.assert_array_equal(noise[60], noise[61])
    assert (record_noise(x, 8, 5) != noise).all()
    assert (record_noise(x, 7, 5, purpose=1) != noise).all()
    values = record_noise(np.random.default_rng(0).normal(size=(400, 3)), 0, 50)
    assert abs(values.mean()) < 0.015
    assert abs(values.std() - 1) < 0.01
    np.testing.assert_array_equal(record_noise(x * np.float32(1 + 1e-7), 7, 5), noise)
    pixels = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    np.testing.assert_array_equal(
        record_noise(pixels, 0, 2), record_noise(pixels / np.float32(255), 0, 2)
    )


def test_scores_do_not_depend_on_other_records_nor_on_the_seed_of_the_fit():
    model = fitted("digits")
    whole = model.score_samples(DIGITS)
    np.testing.assert_allclose(model.score_samples(DIGITS[7:9]), whole[7:9], rtol=1e-6)
    copy = pickle.loads(pickle.dumps(model)).set_params(random_state=99)
    np.testing.assert_array_equal(copy.score_samples(DIGITS), whole)
    copy.set_params(noise_seed=1)
    assert (copy.score_samples(DIGITS) != whole).all()


def test_the_bound_is_the_integral_of_the_errors():
    """Denoiser.bound by levels from ``sigmas`` against the trapezoid, for any network."""
    torch.manual_seed(0)
    network = FullyConnected(3, (16,))
    torch.nn.init.normal_(network.last.weight, std=0.3)
    denoiser = Denoiser(network, 3, 0.05, 60.0)
    denoiser.learn_moments(np.array([0.1, 0.2, 0.3]), 1.3)
    x = torch.randn(1, 3)
    count = 40_000
    noise = torch.randn(count, 3)
    with torch.no_grad():
        sigma = denoiser.sigmas((torch.arange(count) + 0.5) / count)
        bound = denoiser.bound(denoiser.cost(x, noise, sigma)).double().numpy()
        denoised = denoiser(x + sigma[:, None] * noise, sigma)
        errors = (x - denoised).square().sum(dim=1).double().numpy()
    sigma = sigma.double().numpy()
    integral = np.trapezoid(errors / sigma**2, np.log(sigma))
    constant = 1.5 * np.log(2 * np.pi * np.e * 0.05**2)
    error = 5 * bound.std() / np.sqrt(count)
    assert sigma.min() == pytest.approx(0.05, rel=1e-3)
    assert sigma.max() < 60.0
    assert bound.mean() == pytest.approx(constant + integral, abs=error + 0.02)


def test_a_new_network_is_the_best_denoiser_of_a_normal_distribution():
    denoiser = Denoiser(UNet((8, 8), 1, 4), 64, 0.02, 80.0)
    denoiser.learn_moments(np.full(64, 0.5), 2.0)
    z, sigma = torch.randn(5, 64), torch.tensor([0.02, 0.1, 1.0, 10.0, 80.0])
    with torch.no_grad():
        found = denoiser(z, sigma)
    kept = 4 / (4 + sigma[:, None] ** 2)
    torch.testing.assert_close(found, 0.5 + kept * (z - 0.5), rtol=1e-4, atol=1e-5)


def test_labels_are_conditions():
    x, y = np.repeat([[-2.0], [2.0]], 40, axis=0), np.repeat([0, 1], 40)
    x = x + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    model = small(classes=2, epochs=60, learning_rate=1e-2).fit(x, y)
    assert model.takes_labels
    assert (model.score_samples(x, y) > model.score_samples(x, 1 - y) + 5).mean() > 0.95
    drawn = model.sample(20)[:, 0]
    assert (drawn[::2] < 0).all()
    assert (drawn[1::2] > 0).all()
    assert (model.sample(3, [1, 1, 1]) > 0).all()
    again = with_weights(small(classes=2), weights_of(model))
    np.testing.assert_array_equal(again.score_samples(x, y), model.score_samples(x, y))


def test_a_run_passes_labels_on(tmp_path):
    """Two clouds apart: a record is likelier under its own label than under a label of chance."""
    x, y = np.repeat([[-2.0], [2.0]], 15, axis=0), np.repeat(["left", "right"], 15)
    x = x + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    plan, model = byrote.KFold(2, repeats=1), small(classes=2, epochs=30, learning_rate=2e-2)
    by_label = byrote.score_memorization(
        model, x, labels=y, plan=plan, out=tmp_path, track=[15], keep_models="release"
    )
    again = byrote.score_memorization(model, x, labels=y, plan=plan)
    assert by_label.to_frame().equals(again.to_frame()[by_label.to_frame().columns])
    kept = byrote.open_run(tmp_path).model()
    right = (y == "right").astype(int)
    own, other = (kept.score_samples(x, labels) for labels in (right, 1 - right))
    assert (own > other).mean() > 0.9
    assert byrote.open_run(tmp_path).sample(4).shape == (4, 1)


def test_workers_share_records_with_labels(tmp_path):
    kind = LabelledArrays(byrote.Records(DIGITS, labels=np.arange(40) % 7 + 3))
    content = LabelledContent(share_as_file(kind.shared, tmp_path).get())
    np.testing.assert_array_equal(content.values(np.arange(5, 9)), DIGITS[5:9])
    np.testing.assert_array_equal(content.labels(None), np.arange(40) % 7)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        (None, 2, "labels must be given for Diffusion with classes"),
        (np.arange(60) % 3, 2, "at least the number of different labels, 3; got 2"),
    ],
)
def test_labels_that_do_not_fit_the_classes_are_refused_before_a_run(labels, classes, message):
    with pytest.raises(InvalidInput, match=message):
        byrote.score_memorization(small(classes=classes), TABLE, labels=labels)


def test_early_stopping_keeps_the_best_weights():
    model = small(hidden=(64,), epochs=60, patience=3, learning_rate=0.02, batch_size=8)
    model.set_params(validation=TABLE[30:]).fit(TABLE[:30])
    stopped = model.facts_["stopped"]
    assert stopped["epochs"] == stopped["epoch"] + 3 < 60
    assert model.loss(TABLE[30:]) == stopped["loss"]
    assert model.facts_["sigma_min"] == 0.02


def test_training_that_diverges_fails_with_the_way_out():
    for epochs in (1, 3):
        with pytest.raises(TrainingDiverged, match="lower learning_rate=1e[+]38"):
            small(learning_rate=1e38, epochs=epochs).fit(TABLE)


def test_surroundings_are_left_as_they_were():
    before = torch.get_rng_state().tolist(), torch.is_grad_enabled(), denormals_are_flushed()
    small(estimator="both").fit(TABLE[:20]).score_samples(TABLE[:5])
    after = torch.get_rng_state().tolist(), torch.is_grad_enabled(), denormals_are_flushed()
    assert before == after


def test_constant_columns_of_a_table_are_refused_before_a_run_but_not_those_of_images():
    x = np.column_stack([TABLE, np.full(60, 3.0), np.zeros(60)])
    with pytest.raises(InvalidInput, match="2 of 5 are constant .* leave them out"):
        small().check_input(x)
    small().fit(x)  # of a part of the records, of which the whole varies
    small().check_input(np.zeros((9, 4, 4)))


BAD = {
    "order": ({"sigma_min": 80}, TABLE, "sigma_min must be below sigma_max=80; got 80"),
    "noise": ({"sigma_min": 0}, TABLE, "sigma_min must be a number above 0; got 0"),
    "levels": ({"levels": 8}, TABLE, "levels must be at least 18 from sigma_min=0.02 to sigma_max"),
    "steps": ({"steps": 3}, TABLE, "steps must be at least 18 .* off by more than a tenth; got 3"),
    "draws": ({"draws": 0}, TABLE, "draws must be an integer of at least 1; got 0"),
    "hidden": ({"hidden": 64}, TABLE, "hidden must be a list of layer widths; got 64"),
    "estimator": ({"estimator": "immse"}, TABLE, "estimator must be one of .*did you mean i-mmse"),
    "network": ({"network": "unet"}, TABLE, "network must be one of .*did you mean u-net"),
    "device": ({"device": "nowhere"}, TABLE, "device must be"),
    "rows": ({"network": "u-net"}, TABLE, "X must hold images, .*; got rows of 3 numbers"),
    "sides": ({"network": "u-net"}, np.zeros((9, 10, 8)), "multiples of 4 .*; got 10 x 8"),
    "values": ({}, DIGITS * 2, r"X must lie in \[0, 1\] for an image"),
    "NaN": ({}, TABLE * np.nan, "X must be finite"),
    "classes": ({"classes": 2}, TABLE, "y must hold labels, from 0 to 1, with classes; got none"),
    "validation": ({"patience": 2, "validation": TABLE[:3]}, TABLE, "3 of 3 are among X"),
    "both": (
        {"patience": 2, "validation": TABLE, "classes": 2}, TABLE, "must be None with classes",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "x", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_a_sentence(settings, x, message):
    model = small(**settings)
    with pytest.raises(InvalidInput, match=message):
        model.fit(x)
    assert not hasattr(model, "denoiser_")


def test_columns_far_from_standard_ones_are_refused_before_a_run():
    with pytest.raises(InvalidInput, match="standardize columns first"):
        small().check_input(TABLE * 100)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1], "an integer label for each of 60 records; got int64 of shape"),
        (np.zeros(60), "y must be an integer label"),
        (np.full(60, 2), "y must lie between 0 and 1 with classes=2; got 2 to 2"),
    ],
)
def test_bad_labels_are_refused(y, message):
    with pytest.raises(InvalidInput, match=message):
        small(classes=2).fit(TABLE, y)


def test_images_for_a_model_of_rows_and_weights_of_another_shape_are_refused():
    with pytest.raises(InvalidInput, match=r"X must hold records of shape \(3,\); got \(8, 8\)"):
        fitted().score_samples(DIGITS)
    with pytest.raises(InvalidInput, match="weights must fit Diffusion's parameters|the Diffusion"):
        with_weights(small(hidden=(16, 32)), weights_of(fitted()))
    with pytest.raises(NotFittedError):
        small().score_samples(TABLE)


def test_runs_with_different_noise_are_not_compared(tmp_path):
    plan = byrote.KFold(2, repeats=2)
    for name, sigma in (("fine", 0.02), ("coarse", 0.05)):
        model = small(hidden=(8,), epochs=1, sigma_min=sigma, estimator="both")
        byrote.score_memorization(model, TABLE[:20], plan=plan, out=tmp_path / name)
    runs = [tmp_path / name for name in ("fine", "coarse")]
    with pytest.raises(InvalidInput, match="one sigma_min, .*'fine' has 0.02, 'coarse' 0.05"):
        byrote.compare(runs)
    estimates = byrote.open_run(runs[0]).memorization().summary().diagnostics.estimates
    assert estimates.of == 80
    assert estimates.differing <= estimates.of


def test_the_space_of_images_has_densities_per_step():
    space = space_of((2, 2), "cpu")
    values, change = space.enter(torch.tensor([[0.0, 0.5, 1.0, 1.0]]), torch.empty(0))
    assert values.tolist() == [[-1.0, 0.0, 1.0, 1.0]]
    assert float(change) == pytest.approx(4 * np.log(2 / 255))
    assert space.leave(values).tolist() == [[0.0, pytest.approx(128 / 255), 1.0, 1.0]]
