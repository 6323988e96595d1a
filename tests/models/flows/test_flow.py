"""Flow as an estimator: its levels, its seeds, its refusals, its place in a run."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote.data import load
from byrote.errors import InvalidInput, MissingExtra
from byrote.models import DP, Dequantized, Diffusion, Flow, extras, registry
from byrote.models.flows.networks import KINDS, untrained
from byrote.models.flows.spaces import Levels, fixed
from byrote.models.flows.training import after_epoch_of, train
from byrote.models.privacy.dp_sgd import NoisyStep, private_training
from byrote.models.torch_utils import generator_from
from byrote.runs.paths import RunPaths

DIGITS = load("digits").x[:120]
NUMBERS = np.random.default_rng(0).normal(size=(40, 3))
PRIVATE = DP(noise_multiplier=1.0, delta=1e-3)


def small(kind="maf", **more):
    options = {"transforms": 2, "hidden": (8,), "epochs": 2, "batch_size": 16, "random_state": 0}
    return Flow(kind, **{**options, **more})


def table(n=40):
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {"age": generator.integers(18, 90, n), "height": generator.normal(170, 9, n)}
    )


@pytest.mark.parametrize("kind", KINDS)
def test_weights_bring_back_scores_and_samples(kind):
    model = small(kind).fit(NUMBERS)
    loaded = small(kind).set_weights(model.get_weights())
    np.testing.assert_array_equal(loaded.score_samples(NUMBERS), model.score_samples(NUMBERS))
    np.testing.assert_array_equal(loaded.sample(5), model.sample(5))
    assert loaded.levels_ == model.levels_


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_loss_of_the_records(kind):
    model = small(kind, epochs=8, learning_rate=0.01).fit(DIGITS)
    assert model.losses_[-1] < model.losses_[0] - 1
    assert model.loss(DIGITS) == pytest.approx(-model.score_samples(DIGITS).mean())
    assert model.sample(3).shape == (3, 8, 8)


RECOGNIZED = {
    "digits": (DIGITS, 17),
    "bytes": ((DIGITS * 16).astype(np.uint8), 256),
    "binary": (np.rint(DIGITS), 2),
    "rows of levels": (DIGITS[:, 2:4, 2:6].reshape(120, -1), 17),
    "numbers": (NUMBERS, ["real"] * 3),
    "whole": (np.rint(9 * NUMBERS), ["whole"] * 3),
    "images of numbers": (NUMBERS.reshape(20, 3, 2), ["real"] * 6),
}


@pytest.mark.parametrize(("x", "levels"), RECOGNIZED.values(), ids=RECOGNIZED)
def test_levels_are_recognized(x, levels):
    model = small().fit(x)
    assert model.levels_ == levels
    assert model.facts_ == ({"levels": levels} if isinstance(levels, int) else {})
    sample = model.sample(20)
    if levels != ["real"] * 3 and isinstance(levels, int):
        steps = sample * (levels - 1)
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)
        assert 0 <= sample.min() <= sample.max() <= 1


def test_whole_numbers_and_multiples_of_a_step_are_the_same_levels():
    rows = DIGITS.reshape(120, -1)
    one, two = (small(levels=17).fit(x) for x in (rows, np.rint(16 * rows)))
    weights, others = one.get_weights(), two.get_weights()
    assert [n for n in weights if not np.array_equal(weights[n], others[n])] == ["space.white"]
    np.testing.assert_array_equal(16 * one.sample(4), two.sample(4))
    alone = np.eye(1, 64)  # a record of zeros and ones is still one of whole numbers
    torch.testing.assert_close(two.space_.values(alone), one.space_.values(alone / 16))


def test_a_density_of_repeated_levels_makes_no_spikes():
    """The loss cannot fall below the entropy of the levels; that of levels as numbers does."""
    x = np.repeat([0.0, 1.0], 50)[:, None]
    options = {"epochs": 40, "batch_size": 100, "learning_rate": 0.05, "hidden": (16,)}
    whole, real = (small("nsf", levels=[k], **options).fit(x) for k in ("whole", "real"))
    assert np.log(2) - 0.1 < whole.losses_[-1] < np.log(2) + 0.3
    assert real.losses_[-1] < -0.5


def test_noise_belongs_to_the_record_and_the_run():
    """Not to its row, the other records or the seed of training."""
    model = small(noise_seed=3).fit(DIGITS)
    alone = [model.score_samples(DIGITS[k : k + 1])[0] for k in (0, 50, 119)]
    np.testing.assert_allclose(model.score_samples(DIGITS)[[0, 50, 119]], alone, rtol=1e-6)
    other = clone(model).set_params(random_state=9).fit(DIGITS[20:])
    inputs, again, new = (
        next(fixed(m.space_, DIGITS, seed))[0] for m, seed in ((model, 3), (other, 3), (model, 4))
    )
    assert torch.equal(inputs, again)
    assert not torch.equal(inputs, new)


REFUSED = {
    "kind": (small("planar"), NUMBERS, "kind must be one of nsf, maf, realnvp, nice, affine"),
    "hidden": (small(hidden=()), NUMBERS, "hidden must be a list of layer widths"),
    "bins": (small(bins=1), NUMBERS, "bins must be"),
    "levels": (small(levels="many"), NUMBERS, "levels must be a number of levels, 'real'"),
    "a kind of columns": (small(levels=["int"]), NUMBERS, "levels must be one of whole, real"),
    "too few kinds": (small(levels=["real"]), NUMBERS, "each of the 3 values of a record; got 1"),
    "other levels": (small(levels=16), DIGITS, r"multiples of 1/15 in \[0, 1\] for levels=16"),
    "other numbers": (small(levels=9), 9 * NUMBERS, "whole numbers from 0 to 8 for levels=9"),
    "not whole": (small(levels=["whole"] * 3), NUMBERS, "got 120 other values"),
    "real digits": (small(levels="real"), DIGITS, "not be 'real' for 17 levels"),
    "real whole numbers": (
        small(levels="real"), np.rint(9 * NUMBERS), "'real' for whole numbers in 3 columns",
    ),
    "a constant column": (small(), NUMBERS * [1, 0, 1], "1 of 3 is constant: 1 "),
    "missing values": (small(), np.where(NUMBERS > 2, np.nan, NUMBERS), "X must be finite"),
    "texts": (small(), [["a"], ["b"]], "X must be numeric"),
    "patience": (small(patience=2), NUMBERS, "patience needs validation"),
    "validation": (
        small(patience=2, validation=NUMBERS[:3]), NUMBERS, "3 of 3 are among X",
    ),
    "dp of a Gaussian": (small("affine", dp=PRIVATE), NUMBERS, "kind must be .* with dp"),
    "device": (small(device="abacus"), NUMBERS, "device must be one that PyTorch has here"),
}  # fmt: skip


@pytest.mark.parametrize(("model", "x", "message"), REFUSED.values(), ids=REFUSED)
def test_unusable_input_is_refused_in_a_sentence(model, x, message):
    for refuse in (model.check_input, model.fit):
        with pytest.raises(InvalidInput, match=message) as caught:
            refuse(x)
        assert "\n" not in str(caught.value)
    assert not hasattr(model, "network_")


def test_a_table_is_refused_by_the_names_of_its_columns():
    frame = table().assign(country=1)
    with pytest.raises(InvalidInput, match="1 of 3 is constant: 'country'"):
        byrote.score_memorization(small(), frame)
    with pytest.raises(InvalidInput, match="'sex' holds categories.*VAE"):
        byrote.score_memorization(small(), table().assign(sex=["f", "m"] * 20))


def test_without_zuko_the_way_out_is_named(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"Flow needs Zuko.*pip install 'byrote\[flows\]'"):
        small().check_input(NUMBERS)
    assert small("affine").fit(NUMBERS).losses_


def test_other_weights_are_refused():
    weights = small().fit(NUMBERS).get_weights()
    for model, message in (
        (small(hidden=(9,)), "weights must fit the Flow's parameters"),
        (small("nsf"), "weights must fit the Flow's parameters"),
        (small(levels=17), "levels is 17, and theirs"),
        (small(hidden=(60_000,)), "hidden cannot be 60000"),
    ):
        with pytest.raises(InvalidInput, match=message):
            model.set_weights(weights)
    with pytest.raises(InvalidInput, match="the space's 'mean' has shape"):
        small().set_weights({n: v for n, v in weights.items() if n != "space.mean"})


def test_early_stopping_keeps_the_epoch_of_the_lowest_validation_loss():
    options = {"epochs": 20, "learning_rate": 0.03, "hidden": (32,)}
    stopped = small(patience=3, validation=DIGITS[60:], **options).fit(DIGITS[:60])
    losses = []
    plain = small(**options)
    plain.fit(DIGITS[:60], on_epoch=lambda *_: losses.append(plain.loss(DIGITS[60:])))
    facts = stopped.facts_["stopped"]
    assert facts["epoch"] == int(np.argmin(losses[: facts["epochs"]])) + 1 < facts["epochs"] < 20
    assert facts["loss"] == pytest.approx(min(losses[: facts["epochs"]]))
    assert stopped.loss(DIGITS[60:]) == pytest.approx(facts["loss"])


def test_weight_decay_shrinks_weights():
    sizes = [
        sum(np.square(w).sum() for n, w in m.fit(NUMBERS).get_weights().items() if "weight" in n)
        for m in (small(learning_rate=0.1), small(learning_rate=0.1, weight_decay=0.9))
    ]
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize("kind", ["nsf", "maf", "realnvp"])
def test_a_private_step_sums_gradients_that_are_clipped_one_by_one(kind, monkeypatch):
    model = small(kind, dp=DP(noise_multiplier=0.0, delta=1e-3), epochs=1, batch_size=40)
    model._initialize(*model._checked_space(NUMBERS), (3,))
    network, y = model.network_, torch.from_numpy(NUMBERS).float()
    single = [
        torch.autograd.grad(-network(y[k : k + 1]).sum(), list(network.parameters()))
        for k in range(40)
    ]
    lengths = [float(torch.cat([g.flatten() for g in own]).norm()) for own in single]
    norm = float(np.median(lengths))  # so that some are clipped, and some are not
    model.dp = DP(noise_multiplier=0.0, delta=1e-3, max_grad_norm=norm)
    given = []
    monkeypatch.setattr(NoisyStep, "__call__", lambda self, total: given.extend(total))
    private = private_training(model, 40)
    monkeypatch.setattr(type(private), "batches", lambda self: lambda: [np.arange(40)])
    monkeypatch.setattr(
        model,
        "space_",
        SimpleNamespace(
            values=lambda x: torch.from_numpy(x),
            enter=lambda values, noise: (values, values[:, 0] * 0),
        ),
    )
    train(model, y.numpy(), generator_from(0, "cpu"), private, after_epoch_of(model, None))
    for number, found in enumerate(given):
        parts = [own[number] * min(1.0, norm / n) for own, n in zip(single, lengths, strict=True)]
        torch.testing.assert_close(found, torch.stack(parts).sum(dim=0), rtol=1e-3, atol=1e-4)


def test_a_private_flow_says_what_it_promises_and_reads_nothing_without_noise():
    model = small(dp=DP(target_epsilon=3.0, delta=1e-3)).fit(5 + NUMBERS)
    facts = model.facts_["privacy"].to_facts()
    assert 2.97 <= facts["epsilon"] <= 3
    json.dumps(facts, allow_nan=False)
    np.testing.assert_array_equal(model.get_weights()["space.mean"], 0)
    assert np.isfinite(model.score_samples(5 + NUMBERS)).all()


def test_initial_weights_follow_from_the_seed_alone():
    first, again, other = (untrained(small(random_state=seed), 3) for seed in (1, 1, 2))
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(one, two) for one, two, _ in pairs)
    assert not all(torch.equal(one, three) for one, _, three in pairs)


def test_a_run_of_a_table_recognizes_its_columns_once_and_keeps_the_model(tmp_path):
    table().to_csv(tmp_path / "table.csv", index=False)
    plan, records = byrote.KFold(2, repeats=2), byrote.load(str(tmp_path / "table.csv"))
    model = registry.build("flow", {"kind": "maf", "epochs": 2, "hidden": [8]})
    scores = byrote.score_memorization(
        model, records, plan=plan, out=tmp_path / "run", keep_models="release", track=[1]
    )
    assert np.isfinite(scores.to_frame()["score"]).all()
    manifest = json.loads(RunPaths(tmp_path / "run").manifest.read_text())
    assert manifest["model"]["parameters"]["levels"] == ["whole", "real"]
    run = byrote.open_run(tmp_path / "run")
    sample = run.sample(50)
    np.testing.assert_array_equal(sample["age"], np.rint(sample["age"]))
    assert run.model().score_samples(records.x).shape == (40,)


def test_any_density_is_per_level_once_its_records_are_dequantized():
    """Of a Gaussian: that of the logits, and their determinant."""
    model = Dequantized(GaussianMixture(1, reg_covar=0.1)).fit(DIGITS)
    ((logits, log_determinant),) = fixed(Levels(17), DIGITS, 0)
    covariance = np.cov(logits.numpy().T, bias=True) + 0.1 * np.eye(64)
    expected = multivariate_normal(logits.mean(dim=0), covariance).logpdf(logits)
    np.testing.assert_allclose(
        model.score_samples(DIGITS), expected + log_determinant.numpy(), rtol=1e-4
    )
    assert model.facts_ == {"levels": 17}
    with pytest.raises(InvalidInput, match="levels must be given, for none are recognized"):
        Dequantized(KernelDensity()).check_input(NUMBERS)
    scores = byrote.score_memorization(
        Dequantized(KernelDensity(bandwidth=0.5)), DIGITS, plan=byrote.KFold(2, repeats=1)
    )
    assert np.median(scores.score) > 10  # it copies


def test_what_a_model_of_levels_reports_of_its_log_densities_is_passed_on():
    diffusion = Diffusion(hidden=(8,), epochs=1, draws=2, random_state=0, precision="float32")
    model = Dequantized(diffusion).fit(DIGITS)
    model.score_samples(DIGITS[:5])
    assert model.diagnostics_["mc_error"].shape == (5,)
    assert model.facts_ == {"sigma_min": 0.02, "levels": 17}
