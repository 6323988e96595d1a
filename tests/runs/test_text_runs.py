"""Runs on texts: what their numbers are, that their bits stay the same, and that texts stay out."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

import byrote
from byrote import KFold, LeaveOneOut, Probes, Subset
from byrote.models import DP, CharLSTM
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder

from estimators import PureNoise
from languages import Ngram

SECRET = "hunter2"
TEXTS = [f"the cat {n} sat on mat {n * n}" for n in range(23)] + [f"my password is {SECRET}"]
IDS = [f"m{n}" for n in range(len(TEXTS))]
SMALL = {"hidden": 8, "layers": 1, "epochs": 2, "batch_size": 8, "window": 16}
DP_TEXTS = DP(noise_multiplier=1.0, delta=1e-3)
MODELS = {
    "char-lstm": lambda: CharLSTM(**SMALL, precision="float32", dropout=0.2),
    "private char-lstm": lambda: CharLSTM(
        **{**SMALL, "window": 40}, precision="float32", dp=DP_TEXTS
    ),
}
PLANS = {
    "kfold": KFold(3, repeats=2),
    "leave-one-out": LeaveOneOut(1),
    "subset": Subset(0.5, 6),
    "probes": Probes(6, fits=6),
}


def score(model, plan=PLANS["kfold"], **how):
    return byrote.score_memorization(model, TEXTS, plan=plan, ids=IDS, **how)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    score(MODELS["char-lstm"](), out=folder, track=(1,))
    return byrote.open_run(folder)


def contents(folder):
    run = RunFolder.open(RunPaths(folder))
    return [
        (
            run.log_prob(fit).tobytes(),
            {k: v.tobytes() for k, v in run.file(fit).diagnostics().items()},
        )
        for fit in range(run.design.fits)
    ]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_every_plan_scores_texts_as_it_scores_records(plan):
    """A model of a text's length alone has the scores of the same model of rows."""
    result = score(Ngram(order=1), plan=plan)
    assert np.isfinite(result.score[result.n_out > 0]).all()
    assert result.tokens is None  # the model reports none


def test_counterfactual_memorization_is_the_difference_of_accuracies(run):
    result, design = run.memorization(), run.design
    correct = np.array([run.folder.file(fit).diagnostics()["correct"] for fit in range(6)])
    accuracy = correct / [len(text) for text in TEXTS]
    trained = np.array([design.included(fit) for fit in range(6)]).astype(bool)
    inside = np.where(trained, accuracy, np.nan)
    outside = np.where(trained, np.nan, accuracy)
    np.testing.assert_allclose(
        result.accuracy_in, np.nanmean(inside, axis=0), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        result.accuracy_out, np.nanmean(outside, axis=0), rtol=1e-9, atol=1e-12
    )
    by_repeat = [
        np.nanmean(inside[repeat], axis=0) - np.nanmean(outside[repeat], axis=0)
        for repeat in (slice(0, 3), slice(3, 6))
    ]
    np.testing.assert_allclose(
        result.counterfactual, np.mean(by_repeat, axis=0), rtol=1e-9, atol=1e-12
    )
    error = np.std(by_repeat, axis=0, ddof=1) / np.sqrt(2)
    np.testing.assert_allclose(result.counterfactual_error, error, rtol=1e-9, atol=1e-12)
    means = [each.mean() for each in by_repeat]
    summary = result.summary().per_token
    assert summary.counterfactual.value == pytest.approx(np.mean(means), rel=1e-9)
    t = ttest_rel(means, [0, 0]).statistic
    expected = abs(np.mean(means) / t)
    assert summary.counterfactual.standard_error == pytest.approx(expected, rel=1e-6)


def test_bits_per_token_are_log_p_over_tokens(run):
    result = run.memorization()
    assert result.tokens.tolist() == [len(text) for text in TEXTS]
    bits = -result.log_prob_out / result.tokens / np.log(2)
    np.testing.assert_allclose(result.bits_per_token_out, bits)
    summary, mean = result.summary().per_token, result.summary().mean_log_prob["out"]
    total = sum(map(len, TEXTS))
    assert summary.tokens == total
    expected = -mean.value * len(TEXTS) / total / np.log(2)
    assert summary.bits_per_token["out"].value == pytest.approx(expected)


def test_a_tracked_epoch_has_its_own_accuracy(run):
    first, last = run.memorization(1), run.memorization()
    assert (first.accuracy_in != last.accuracy_in).any()
    assert run.trajectory().epochs.tolist() == [1, 2]


def test_a_result_of_texts_is_the_same_after_it_was_saved(run, tmp_path):
    result = run.memorization()
    result.save(tmp_path / "scores.parquet")
    loaded = byrote.MemorizationResult.load(tmp_path / "scores.parquet")
    assert loaded.to_frame().equals(result.to_frame())
    assert loaded.summary() == result.summary() or str(loaded) == str(result)


@pytest.mark.parametrize("name", MODELS)
def test_another_process_and_a_second_start_change_no_bit(name, another_process, tmp_path):
    score(MODELS[name](), out=tmp_path / "there", executor=another_process)
    score(MODELS[name](), out=tmp_path / "here")
    whole = contents(tmp_path / "here")
    assert contents(tmp_path / "there") == whole
    paths = RunPaths(tmp_path / "here")
    for fit in (1, 4):
        paths.fit(fit).unlink()
    score(MODELS[name](), out=tmp_path / "here")
    assert contents(tmp_path / "here") == whole


def test_a_private_run_guarantees_texts(tmp_path):
    score(MODELS["private char-lstm"](), out=tmp_path / "run")
    run = byrote.open_run(tmp_path / "run")
    assert run.guarantee["unit"] == "text"
    assert "window" not in run.guarantee


def test_a_list_of_texts_needs_a_language_model():
    with pytest.raises(byrote.InvalidInput, match="PureNoise does not take texts"):
        byrote.score_memorization(PureNoise(), TEXTS)
