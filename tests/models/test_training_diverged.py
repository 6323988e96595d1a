"""Training that diverges fails with its reason; large values of a table are no reason yet."""

import math

import numpy as np
import pytest
import torch

import byrote
from byrote.errors import ByroteError, InvalidInput, TrainingDiverged
from byrote.models import DP, VAE, CausalLM, CharLSTM, Flow
from byrote.models.vae.autoencoder import build
from byrote.models.weights import weights_of
from byrote.runs.job import Job, Task
from byrote.runs.kinds.arrays import ArrayContent
from byrote.runs.sharing import InMemory
from byrote.runs.worker import run_job

import tiny_hf

TABLE = np.random.default_rng(0).normal(size=(60, 5)) * [1, 10, 100, 1, 1]
TABLE[0] *= 8
IMAGES = np.random.default_rng(0).random((10, 32, 32)).astype(np.float32)
PIXELS = IMAGES.reshape(40, -1)[:, :12]
TEXTS = ["the random number is 281265017\n"] * 12
NOISY = DP(noise_multiplier=1.0, delta=1e-3)
FAR = 1e38  # a step so long that weights are no numbers after a few


def vae(**more):
    options = {"hidden": (8,), "epochs": 3, "draws": 4, "batch_size": 10, "random_state": 0}
    return VAE(2, **{**options, "compile": False, **more})


def lstm(**more):
    return CharLSTM(8, 1, **{"epochs": 3, "batch_size": 4, "window": 9, **more})


def table(**more):
    return vae(likelihood="gaussian", space="real", **more)


def flow(**more):
    options = {"hidden": (8,), "epochs": 3, "batch_size": 10, "random_state": 0}
    return Flow("maf", **{**options, **more})


DIVERGING = {
    "flow": (flow, TABLE, "lower learning_rate"),
    "private flow": (lambda **more: flow(dp=NOISY, **more), PIXELS, "lower learning_rate"),
    "pixels": (vae, PIXELS, "lower learning_rate=1e[+]38"),
    "16 bits": (lambda **more: vae(precision="bfloat16", **more), PIXELS, "lower learning_rate"),
    "a table": (table, TABLE, "bring the columns of X to mean 0 and deviation 1, or lower"),
    "images": (lambda **more: vae(network="convolutional", features=2, **more), IMAGES, "lower"),
    "private": (lambda **more: vae(dp=NOISY, **more), PIXELS, "lower learning_rate"),
    "characters": (lambda **more: lstm(optimizer="sgd", **more), TEXTS, "lower learning_rate"),
    "private text": (lambda **more: lstm(dp=NOISY, **more), TEXTS, "lower learning_rate"),
}


@pytest.mark.filterwarnings("ignore:X must have columns near mean 0")
@pytest.mark.parametrize("case", DIVERGING)
def test_training_that_diverges_fails_with_its_reason_and_the_way_out(case):
    make, records, way_out = DIVERGING[case]
    for steps in ({}, {"epochs": 1}):  # found at the end too, where the last loss was a number
        with pytest.raises(TrainingDiverged, match=f"training diverged: .*; {way_out}") as caught:
            make(learning_rate=FAR, **steps).fit(records)
        assert isinstance(caught.value, ByroteError)
        assert not isinstance(caught.value, InvalidInput)
    fine = make().fit(records)
    assert all(np.isfinite(weights).all() for weights in weights_of(fine).values())


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_network_of_the_library_that_diverges(tmp_path, epochs):
    folder = tiny_hf.saved(tmp_path / "model")
    model = CausalLM(folder, window=16, epochs=epochs, learning_rate=FAR)
    with pytest.raises(TrainingDiverged, match="; lower learning_rate=1e[+]38$"):
        model.fit(TEXTS)


@pytest.mark.parametrize(("make", "records"), [(vae, PIXELS), (lstm, TEXTS)])
def test_a_loss_that_is_no_number_is_reported_to_nobody(make, records):
    seen = []
    with pytest.raises(TrainingDiverged):
        make(learning_rate=FAR).fit(records, on_epoch=lambda k, losses: seen.append(losses))
    assert all(math.isfinite(losses["train"]) for losses in seen)


@pytest.mark.parametrize(
    ("make", "records", "validation"), [(vae, PIXELS[:30], PIXELS[30:]), (lstm, TEXTS, ["lazy"])]
)
def test_weights_kept_from_before_it_diverged_are_kept(make, records, validation):
    """With early stopping the best epoch's weights come back, whatever came after."""
    model = make(patience=2, validation=validation, epochs=6, learning_rate=0.01)

    def spoil(k, losses):
        if k == 2:
            with torch.no_grad():
                next(model.network_.parameters()).fill_(math.nan)

    model.fit(records, on_epoch=spoil)
    assert model.facts_["stopped"]["epoch"] <= 2
    assert all(np.isfinite(weights).all() for weights in weights_of(model).values())
    never = make(patience=2, validation=validation, epochs=6, learning_rate=FAR)
    with pytest.raises(TrainingDiverged, match="weights are not finite"):
        never.fit(records)


@pytest.mark.filterwarnings("ignore:X must have columns near mean 0")
def test_a_private_record_out_of_all_bounds_fails_nothing():
    """Its gradient is left out; a failure would tell that it is there."""
    x = TABLE.copy()
    x[3] = 1e30
    model = table(dp=NOISY).fit(x)
    assert np.isfinite(model.score_samples(TABLE)).all()


def test_a_fit_that_diverges_is_a_failed_fit_with_its_reason():
    task, rows = (
        Task(vae(learning_rate=FAR), InMemory(PIXELS), ArrayContent),
        np.arange(2, dtype=np.uint32),
    )
    failure = run_job(task, Job(0, len(PIXELS), rows, None, 0, 0, 0)).failure
    assert failure.type == "TrainingDiverged"
    assert "training diverged: the loss of epoch" in str(failure)
    assert "lower learning_rate" in str(failure)


@pytest.mark.parametrize("how", ["memorization", "exposure"])
def test_a_run_that_would_diverge_is_refused_with_the_reason(tmp_path, how):
    with pytest.raises(InvalidInput, match="training diverged: .*; lower learning_rate"):
        if how == "memorization":
            model, plan = vae(learning_rate=FAR), byrote.KFold(2, repeats=1)
            byrote.score_memorization(model, PIXELS, plan=plan, out=tmp_path / "run")
        else:
            model = lstm(optimizer="sgd", learning_rate=FAR)
            canary = byrote.Canary("code {digits:2}")
            byrote.score_exposure(model, TEXTS * 9, canary, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


# Seeds of initial weights whose first step made codes of 1e22 from this table.
@pytest.mark.filterwarnings("ignore:X must have columns near mean 0")
@pytest.mark.parametrize("seed", [9, 25, 35, 45, 51, 52, 58])
@pytest.mark.parametrize("outlier", [None, 0.05])
def test_large_values_of_a_table_do_not_overflow(seed, outlier):
    model = table(outlier=outlier, epochs=2, batch_size=64, random_state=seed).fit(TABLE)
    assert np.isfinite(model.losses_).all()
    assert np.isfinite(model.score_samples(TABLE)).all()


def test_the_encoders_variance_has_a_ceiling_that_it_comes_down_from():
    model = build(
        "fully-connected",
        "gaussian",
        channels=1,
        pixels=3,
        latent_dim=4,
        hidden=(5,),
        features=1,
    )
    bias = torch.tensor([-3.0, 9.99, 11.0, 1e30])
    with torch.no_grad():
        model.network.log_variance.weight.zero_()
        model.network.log_variance.bias.copy_(bias)
    _, found = model.encode(torch.ones(2, 3))
    assert found[0].tolist() == [*bias[:2].tolist(), 10.0, 10.0]
    torch.exp(found).sum().backward()
    expected = 2 * torch.exp(torch.tensor([*bias[:2], 10.0, 10.0]))
    torch.testing.assert_close(model.network.log_variance.bias.grad, expected)
