"""Early stopping: the best epoch's weights, the same every time, on records outside the audit."""

import json
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

import byrote
from byrote.cli.verbs.expose import track_request
from byrote.data import load
from byrote.errors import IncompleteRun, InvalidInput, RunMismatch
from byrote.models import VAE, CharLSTM, contract, identity
from byrote.models.early_stopping import EarlyStopping
from byrote.runs.paths import RunPaths
from byrote.runs.request import Request, Settings
from byrote.runs.run_folder import RunFolder

DIGITS = load("digits").x[:200]
X, VALIDATION = DIGITS[:40], DIGITS[40:100]
TEXTS = [f"the number is {k * 7919 % 1000:03d}\n" for k in range(14)]
OTHERS = [f"the number is {k * 7907 % 1000:03d} or so\n" for k in range(10)]
PLAN = byrote.KFold(2, repeats=1)


def vae(**more):
    """Forty records and many steps: it soon fits them too well."""
    model = VAE(4, hidden=(32,), epochs=40, batch_size=8, learning_rate=0.01, draws=8)
    model.set_params(random_state=0, patience=2, validation=VALIDATION)
    return model.set_params(**more)


def lstm(**more):
    model = CharLSTM(16, 1, epochs=60, batch_size=2, window=10, learning_rate=0.02)
    return model.set_params(precision="float32", patience=2, validation=OTHERS).set_params(**more)


CASES = {"vae": (vae, X), "char-lstm": (lstm, TEXTS)}


@cache
def stopped(case):
    """Shared by tests that do not change it."""
    make, x = CASES[case]
    return make().fit(x)


@cache
def by_epoch(case):
    """Losses of the validation data after each epoch, and weights, without stopping."""
    make, x = CASES[case]
    model = make()
    given = model.validation
    plain = clone(model).set_params(patience=None, validation=None)
    losses, weights = [], []

    def look(epoch, _):
        losses.append(plain.loss(given))
        weights.append(plain.get_weights())

    plain.set_params(epochs=20).fit(x, on_epoch=look)
    return losses, weights


@pytest.mark.parametrize(
    ("losses", "patience", "epoch", "epochs", "loss"),
    [
        ([3, 2, 1, 2, 1, 0], 2, 3, 5, 1),  # as low is no new low
        ([3, 2, 3, 1, 2], 2, 4, 5, 1),
        ([1, 2], 1, 1, 2, 1),
        ([1, float("nan"), 0.5], 2, 3, 3, 0.5),
        ([float("nan")] * 3, 3, 3, 3, None),
    ],
)
def test_the_lowest_loss_decides(losses, patience, epoch, epochs, loss):
    network, coming = nn.Linear(1, 1), iter(losses)
    stopping = EarlyStopping(network, lambda: next(coming), patience)
    for number in range(1, len(losses) + 1):
        with torch.no_grad():
            network.weight.fill_(number)
        ended = stopping.stops()
        if ended:
            break
    assert ended == (number - epoch >= patience or loss is None)
    stopping.restore()
    assert stopping.facts() == {"epoch": epoch, "epochs": epochs, "loss": loss}
    assert network.weight.item() == epoch
    json.dumps(stopping.facts(), allow_nan=False)


@pytest.mark.parametrize("case", CASES)
def test_the_best_weights_are_kept(case):
    make, x = CASES[case]
    model, heard = make(), []
    model.fit(x, on_epoch=lambda epoch, _: heard.append(epoch))
    losses, weights = by_epoch(case)
    found = model.facts_["stopped"]
    best = found["epoch"]
    assert 1 < best < found["epochs"] < 20
    assert found["epochs"] == best + 2
    assert heard == list(range(1, found["epochs"] + 1))
    assert best == np.argmin(losses[: found["epochs"]]) + 1
    assert found["loss"] == losses[best - 1]
    assert model.loss(model.validation) == found["loss"]
    for name, value in model.get_weights().items():
        np.testing.assert_array_equal(value, weights[best - 1][name], err_msg=name)
    for name, value in stopped(case).get_weights().items():
        np.testing.assert_array_equal(value, model.get_weights()[name], err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_training_that_reaches_its_end_keeps_the_best_too(case):
    make, x = CASES[case]
    losses, weights = by_epoch(case)
    lowest = int(np.argmin(losses)) + 1
    model = make(patience=50, epochs=20).fit(x)
    assert model.facts_["stopped"]["epochs"] == 20
    assert model.facts_["stopped"]["epoch"] == lowest < 20
    for name, value in model.get_weights().items():
        np.testing.assert_array_equal(value, weights[lowest - 1][name], err_msg=name)


def test_batch_norm_goes_back_as_well():
    x = np.random.default_rng(0).random((12, 32, 32))
    model = VAE(2, network="convolutional", features=2, epochs=6, patience=1, draws=4)
    model.set_params(validation=x[8:] * 0.5, learning_rate=0.5, random_state=0).fit(x[:8])
    best = model.facts_["stopped"]["epoch"]
    assert model.facts_["stopped"]["epochs"] > best
    alone = clone(model).set_params(patience=None, validation=None, epochs=best).fit(x[:8])
    for name, value in alone.get_weights().items():
        np.testing.assert_array_equal(model.get_weights()[name], value, err_msg=name)


def test_reports_by_batches_end_with_training():
    heard = []
    model = lstm(report_every=7).fit(TEXTS, on_epoch=lambda k, losses: heard.append(losses))
    found, batches = model.facts_["stopped"], model.batches(TEXTS)
    assert found == stopped("char-lstm").facts_["stopped"]
    assert len(heard) == -(-found["epochs"] * batches // 7) < model.reports(TEXTS)


def test_files_serve_as_well(tmp_path):
    np.save(tmp_path / "v.npy", VALIDATION)
    (tmp_path / "v.txt").write_text("".join(OTHERS))
    one = vae(validation=str(tmp_path / "v.npy")).fit(X)
    assert one.facts_ == stopped("vae").facts_
    other = lstm(validation=tmp_path / "v.txt").fit(TEXTS)
    assert other.facts_ == lstm(validation=["".join(OTHERS)]).fit(TEXTS).facts_
    before = identity.file_hashes(one)
    np.save(tmp_path / "v.npy", VALIDATION + 0.0 * VALIDATION + 1e-3 * (VALIDATION < 0.5))
    assert identity.file_hashes(one) != before
    assert set(before) == set(identity.file_hashes(other)) == {"validation"}
    assert identity.file_hashes(vae()) == {}


def test_an_image_is_the_same_as_bytes_or_numbers():
    pixels = (DIGITS[:60] * 255).astype(np.uint8)
    numbers = pixels.astype(np.float32) / np.float32(255)
    vae(validation=numbers[40:]).check_input(pixels[:40])
    with pytest.raises(InvalidInput, match="5 of 25 are among X"):
        vae(validation=numbers[35:]).check_input(pixels[:40])


BAD = [
    ("overlap", vae(validation=DIGITS[35:50]), X, "5 of 15 are among X"),
    ("negative zero", vae(validation=-X[:1] * 0), np.zeros((4, 8, 8)), "1 of 1 are among X"),
    ("shape", vae(validation=np.zeros((3, 64))), X, r"the shape of X, \(8, 8\); got \(64,\)"),
    ("values", vae(validation=VALIDATION + 1), X, "validation: X must lie in"),
    ("no file", vae(validation="nowhere.npy"), X, "a .npy file of them: nowhere.npy is not a file"),
    ("no numbers", vae(validation=[["a"]]), X, "validation must be records"),
    ("alone", vae(validation=None), X, "patience needs validation"),
    ("impatient", vae(patience=None), X, "validation decides when training stops and needs"),
    ("zero", vae(patience=0), X, "patience must be an integer of at least 1; got 0"),
    ("texts overlap", lstm(validation=[*OTHERS, TEXTS[3].strip()]), TEXTS, "1 of 11 are among X"),
    ("a part", lstm(validation=["".join(TEXTS[:4])]), ["".join(TEXTS)], "1 of 1 are among X"),
    ("empty", lstm(validation=["", "\n"]), TEXTS, "validation must hold text; it is empty"),
    ("no list", lstm(validation=3), TEXTS, "must be a list of texts, or the path of a text file"),
    ("no text file", lstm(validation="nowhere.txt"), TEXTS, "the file is missing"),
    ("texts alone", lstm(validation=None), TEXTS, "patience needs validation"),
]


@pytest.mark.parametrize(("model", "x", "message"), [c[1:] for c in BAD], ids=[c[0] for c in BAD])
def test_what_cannot_be_had_is_refused(model, x, message):
    with pytest.raises(InvalidInput, match=message):
        model.fit(x)
    if "patience" not in message and "decides" not in message:
        with pytest.raises(InvalidInput, match=message):
            model.check_input(x)


def test_no_epochs_are_promised():
    for model in (vae(), lstm()):
        assert contract.epochs(model) is None
        assert contract.max_epochs(model) == model.epochs
        assert contract.epochs(clone(model).set_params(patience=None)) == model.epochs
        with pytest.raises(InvalidInput, match=f"within the {model.epochs} epochs"):
            contract.check_track(model, [model.epochs + 1])
        contract.check_track(model, [model.epochs])
    for text in ("epoch", "every=5"):
        request = Request(lstm(), None, PLAN, Settings())
        with pytest.raises(InvalidInput, match="--track must be epochs, .* with patience"):
            track_request(request, text)


def test_a_run_says_where_it_stopped_and_keeps_no_record(tmp_path):
    np.save(tmp_path / "v.npy", VALIDATION)
    model = vae(validation=str(tmp_path / "v.npy"), hidden=(8,), epochs=30)
    options = {"plan": PLAN, "out": tmp_path / "run"}
    byrote.score_memorization(model, X, keep_models="release", track=[1], **options)
    run = RunFolder.open(RunPaths(tmp_path / "run"))
    for fit in range(2):
        found = run.facts(fit)["stopped"]
        assert run.file(fit).epochs() == [1, found["epochs"]]
    described = json.loads((tmp_path / "run" / "run.json").read_text())["model"]
    assert set(described["files"]) == {"validation"}
    assert byrote.open_run(tmp_path / "run").model().score_samples(X).shape == (40,)
    np.save(tmp_path / "v.npy", VALIDATION[1:])
    with pytest.raises(RunMismatch):
        byrote.score_memorization(model, X, **options)


def test_a_list_of_records_stays_out_of_the_run():
    for model in (vae(validation=VALIDATION.tolist()), lstm()):
        told = identity.parameters(model)["validation"]
        assert set(told) == {"items", "sha256"}
        other = clone(model).set_params(validation=model.validation[1:])
        assert identity.parameters(other)["validation"]["sha256"] != told["sha256"]


def test_an_epoch_that_never_comes_fails_the_fit(tmp_path):
    model = vae(hidden=(8,), patience=1, learning_rate=0.05)
    with pytest.raises(IncompleteRun, match=r"training ended at epoch \d+; epoch 40 was"):
        byrote.score_memorization(model, X, plan=PLAN, out=tmp_path, track=[1, 40])


def test_the_forecast_works():
    model = vae(hidden=(8,), epochs=3)
    request = Request(model, byrote.data.sources.as_records(X), PLAN, Settings(), track=(1,))
    found = request.forecast()
    assert found.fits == 2
    assert found.seconds > 0
