"""byrote score --from-samples: generators without a density on the command line."""

import json

import numpy as np
import pytest

import byrote
from byrote.models import FromSamples

from estimators import NoisyCopies

SCORE = ["score", "x.npy", "--model", "estimators:NoisyCopies", "--plan", "probes"]
SCORE += ["--probes", "20", "--fits", "8", "--out", "run"]


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(__file__.rsplit("/", 2)[0])
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(60, 4)))


def test_scores_are_those_of_the_function_in_units_of_their_own(byrote_, tmp_path):
    code, out, err = byrote_(*SCORE, "--from-samples", "3", "--set", "noise=0.3")
    assert (code, err) == (0, "")
    model = FromSamples(NoisyCopies(noise=0.3), samples=3)
    x = np.load(tmp_path / "x.npy")
    expected = byrote.score_memorization(model, x, plan=byrote.Probes(20, fits=8))
    run = byrote.open_run("run")
    assert np.array_equal(run.memorization().mean_log, expected.mean_log, equal_nan=True)
    assert "Mean nearest-sample estimate:" in out
    assert "log p" not in out
    assert "log-likelihood" not in out
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert manifest["model"]["statistic"]["name"] == "nearest-sample estimate"
    assert byrote_(*SCORE, "--from-samples", "3", "--set", "noise=0.3")[1] == out


def test_a_changed_generator_is_another_model(byrote_, tmp_path):
    source = (
        "class Own:\n    def fit(self, X): self.x = X\n    def sample(self, n): return self.x[:1]"
    )
    (tmp_path / "own_generator.py").write_text(f"{source}.repeat(n, axis=0)\n")
    run = [word if "NoisyCopies" not in word else "own_generator:Own" for word in SCORE]
    assert byrote_(*run, "--from-samples", "1")[0] == 0
    code = json.loads((tmp_path / "run" / "run.json").read_text())["model"]["code"]
    assert len(code) == 16


def test_what_samples_are_not_is_refused(byrote_, tmp_path):
    code, out, err = byrote_(*SCORE)
    assert (code, out) == (2, "")
    assert "NoisyCopies has no score_samples (FromSamples, --from-samples, takes" in err
    code, out, err = byrote_(*SCORE, "--from-samples", "0")
    assert (code, out) == (2, "")
    assert "--from-samples must be an integer of at least 1; got 0" in err
    code, out, err = byrote_("score", "x.npy", "--model", "kde", "--from-samples", "1", "--dry-run")
    assert code == 0
    assert not (tmp_path / "run").exists()


def test_values_of_another_kind_are_named_in_comparisons_and_figures_and_not_mixed(byrote_):
    for name, noise in (("one", "0.1"), ("two", "1.0")):
        words = [word if word != "run" else name for word in SCORE]
        assert byrote_(*words, "--from-samples", "2", "--set", f"noise={noise}")[0] == 0
    out = byrote_("compare", "one", "two")[1]
    assert "held-out nearest-sample estimate, nats" in out
    assert "log-likelihood" not in out
    run = byrote.open_run("one").memorization()
    axes = byrote.figures.memorized_by_log_prob(run)
    assert axes.get_xlabel() == "nearest-sample estimate, in training (nats)"
    words = [word if word != "run" else "kde" for word in SCORE if "NoisyCopies" not in word]
    words[words.index("--model") + 1 : words.index("--model") + 1] = ["kde"]
    assert byrote_(*words)[0] == 0
    code, out, err = byrote_("compare", "one", "kde")
    assert (code, out) == (2, "")
    assert "'one' has nearest-sample estimate, 'kde' log p" in err
