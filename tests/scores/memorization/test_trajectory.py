"""Trajectories and what a model says of its own log-likelihoods, against brute force."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import logsumexp

import byrote
from byrote import KFold, Probes
from byrote.cli import app, exits
from byrote.runs.paths import RunPaths

from estimators import Kernel, Steps, Weighs

X = np.random.default_rng(0).normal(1.0, size=(24, 2))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked") / "run"
    plan = KFold(3, repeats=2)
    byrote.score_memorization(Steps(4, noise=0.1), X, plan=plan, out=folder, track=[1, 3])
    return folder


def rows(run):
    """All fits as one frame, read without byrote."""
    import pandas as pd

    return pd.concat(
        pq.read_table(path).to_pandas().assign(fit=number)
        for number, path in enumerate(sorted(RunPaths(run).fits.iterdir()))
    )


def test_scores_by_epoch_are_equation_3(run):
    found = byrote.open_run(run).trajectory()
    assert found.epochs.tolist() == [1, 3, 4]
    table = rows(run)
    for e, epoch in enumerate(found.epochs):
        for record in (0, 7, 23):
            one = table[(table["epoch"] == epoch) & (table["record"] == record)]
            inside = one["log_prob"][one["included"] == 1]
            outside = one["log_prob"][one["included"] == 0]
            score = logsumexp(inside) - np.log(4) - logsumexp(outside) + np.log(2)
            assert found.score[e, record] == pytest.approx(score)
            assert found.mean_log[e, record] == pytest.approx(inside.mean() - outside.mean())


def test_losses_and_frame(run):
    found = byrote.open_run(run).trajectory()
    assert found.loss_epochs.tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(found.train_loss, np.tile([1.0, 1 / 2, 1 / 3, 1 / 4], (6, 1)))
    assert found.held_out_loss.shape == (6, 4)
    assert not np.isnan(found.held_out_loss).any()
    assert found.mean_losses(3) == pytest.approx((1 / 3, found.held_out_loss[:, 2].mean()))
    frame = found.to_frame()
    assert frame["epoch"].tolist() == [1] * 24 + [3] * 24 + [4] * 24
    one = frame[(frame["epoch"] == 3) & (frame["id"] == 5)]
    assert one["score"].item() == found.score[1, 5]


def test_quantiles_are_those_of_numpy(run):
    found = byrote.open_run(run).trajectory()
    for q in (0.5, 0.95, 0.999):
        np.testing.assert_allclose(found.quantile(q), np.quantile(found.score, q, axis=1))
    expected = np.quantile(found.mean_log, 0.9, axis=1)
    np.testing.assert_allclose(found.quantile(0.9, "mean_log"), expected)
    assert "jackknife" in found.quantile_error_reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1.5,), "q must be a number between 0 and 1"), ((0.5, "scor"), "did you mean score?")],
)
def test_bad_quantiles(run, arguments, message):
    with pytest.raises(byrote.InvalidInput, match=message.replace("?", r"\?")):
        byrote.open_run(run).trajectory().quantile(*arguments)


def test_only_scored_records_and_unknown_losses(tmp_path):
    plan = Probes(6, fits=4)
    byrote.score_memorization(Kernel(), X, plan=plan, out=tmp_path / "run")
    found = byrote.open_run(tmp_path / "run").trajectory()
    result = byrote.open_run(tmp_path / "run").memorization()
    scored = ~np.isnan(result.score)
    np.testing.assert_array_equal(found.ids, result.ids[scored])
    np.testing.assert_array_equal(found.score, result.score[scored][None])
    assert found.epochs.tolist() == [0]
    assert found.train_loss.shape == (4, 0)


def test_missing_fits(run, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    RunPaths(copy).fit(2).unlink()
    with pytest.raises(byrote.IncompleteRun, match="1 of 6 fits are missing"):
        byrote.open_run(copy).trajectory()
    found = byrote.open_run(copy).trajectory(partial=True)
    assert np.isnan(found.train_loss).all(axis=1).tolist() == [False, False, True] + [False] * 3


def call(capfd, *arguments):
    code = exits.run(lambda: app.app([*map(str, arguments)], standalone_mode=False), debug=False)
    return (int(code), *capfd.readouterr())


def test_show_prints_the_course_of_training(run, capfd):
    code, out, err = call(capfd, "show", run)
    assert (code, err) == (0, "")
    assert "held-out loss" in out
    found = byrote.open_run(run).trajectory()
    data = json.loads(call(capfd, "show", run, "--json")[1])["trajectory"]
    assert [row["epoch"] for row in data] == [1, 3, 4]
    np.testing.assert_allclose([row["q0.95"] for row in data], found.quantile(0.95))
    np.testing.assert_allclose([row["train_loss"] for row in data], [1, 1 / 3, 1 / 4])


def test_show_of_an_epoch(run, capfd):
    code, out, _ = call(capfd, "show", run, "--epoch", 3)
    assert code == 0
    assert "after epoch 3" in out
    data = json.loads(call(capfd, "show", run, "--epoch", 3, "--json")[1])
    assert "trajectory" not in data
    median = np.median(byrote.open_run(run).trajectory().score[1])
    assert data["summary"]["distribution"]["score"]["median"]["value"] == pytest.approx(median)
    code, out, err = call(capfd, "show", run, "--epoch", 2)
    assert (code, out) == (2, "")
    assert "epoch must be one of the scored epochs, 1, 3, 4; got 2" in err


@pytest.mark.parametrize(
    ("track", "message"),
    [("5;6", "--track must be epochs separated by commas"), ("0", "track must be a list")],
)
def test_bad_epochs_on_the_command_line(capfd, tmp_path, track, message):
    np.save(tmp_path / "x.npy", np.zeros((20, 2)))
    arguments = ("--model", "vae", "--out", tmp_path / "run", "--track", track)
    code, _, err = call(capfd, "score", tmp_path / "x.npy", *arguments)
    assert code == 2
    assert message in err


def test_tracked_from_the_command_line(capfd, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", X)
    arguments = ("--model", "estimators:Steps", "--folds", 3, "--repeats", 2)
    arguments = (*arguments, "--out", tmp_path / "run")
    code, out, _ = call(capfd, "score", tmp_path / "x.npy", *arguments, "--track", "1,2")
    assert code == 0
    assert "99.9th pct." in out
    assert byrote.open_run(tmp_path / "run").trajectory().epochs.tolist() == [1, 2, 4]


@pytest.mark.parametrize("plan", [KFold(3, repeats=2), Probes(8, fits=4, bystanders=0)])
def test_diagnostics_over_fits(tmp_path, plan):
    result = byrote.score_memorization(Weighs(), X, plan=plan, out=tmp_path / "run")
    table = rows(tmp_path / "run")
    assert table["other"].dtype == np.float32
    by_record = table.groupby("record")
    expected = {
        "mc_error": by_record["mc_error"].agg(lambda v: np.sqrt((v**2).mean())),
        "effective_sample_size": by_record["effective_sample_size"].min(),
        "k_hat": by_record["k_hat"].max(),
    }
    for name, values in expected.items():
        column = getattr(result, name)
        np.testing.assert_allclose(column[values.index], values, rtol=1e-6)
        assert np.isnan(np.delete(column, values.index)).all()
    trust = result.summary().diagnostics
    assert trust.mc_error == pytest.approx(np.sqrt((expected["mc_error"] ** 2).mean()))
    assert trust.effective_sample_size == np.median(expected["effective_sample_size"])
    assert trust.k_hat_above == pytest.approx((table["k_hat"] > 0.7).mean())
    assert trust.k_hat_limit == pytest.approx(1 - 1 / np.log10(256))
    assert trust.k_hat_above_limit == pytest.approx((table["k_hat"] > trust.k_hat_limit).mean())
    assert 0 < trust.k_hat_above < trust.k_hat_above_limit < 1
    result.save(tmp_path / "scores.parquet")
    again = byrote.MemorizationResult.load(tmp_path / "scores.parquet")
    assert again.to_frame().equals(result.to_frame())
    assert again.summary().diagnostics == trust
    assert "k_hat" in again.to_frame()


def test_trust_is_said_in_a_line(tmp_path, capfd):
    byrote.score_memorization(Weighs(), X, plan=KFold(3, 1), out=tmp_path / "run")
    text = " ".join(call(capfd, "show", tmp_path / "run")[1].split())
    assert "Log-likelihoods: Monte Carlo error 0." in text
    assert " nats (root mean square, the bias of a high k-hat not counted); " in text
    assert "; median effective sample size in a record's worst fit " in text
    assert "of 256; k-hat, the heaviness of the weights' tail, above 0.7 in" in text
    assert ", above 0.58 in" in text


def test_without_diagnostics_there_is_nothing(run, capfd):
    result = byrote.open_run(run).memorization()
    assert result.k_hat is None
    assert result.summary().diagnostics is None
    assert "k_hat" not in result.to_frame()
    assert "Log-likelihoods:" not in call(capfd, "show", run)[1]


def test_diagnostics_of_earlier_epochs_are_kept_beside_the_last(tmp_path):
    class Both(Steps):
        def score_samples(self, X):
            self.diagnostics_ = {"k_hat": np.full(len(X), np.linalg.norm(self.mean_))}
            return super().score_samples(X)

    result = byrote.score_memorization(
        Both(3), X, plan=KFold(3, 1), out=tmp_path / "run", track=[1]
    )
    table = rows(tmp_path / "run")
    first = table[table["epoch"] == 1].groupby("record")["k_hat"].max()
    assert not np.allclose(result.k_hat, first, rtol=1e-3)
    last = table[table["epoch"] == 3].groupby("record")["k_hat"].max()
    np.testing.assert_allclose(result.k_hat, last, rtol=1e-6)
    assert byrote.open_run(tmp_path / "run").memorization(epoch=1).k_hat is None


@pytest.mark.parametrize(
    ("wrong", "message"), [("length", "must have shape"), ("kind", "must map names to arrays")]
)
def test_bad_diagnostics_are_refused(wrong, message):
    with pytest.raises(byrote.InvalidInput, match=message):
        byrote.score_memorization(Weighs(wrong=wrong), X, plan=KFold(3, 1))
