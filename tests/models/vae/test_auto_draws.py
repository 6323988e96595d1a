"""Draws "auto": chosen from two fits of a run, the same in all, and few only where harmless."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.special import logsumexp

import byrote
from byrote import KFold
from byrote.data import Records
from byrote.models import VAE
from byrote.models.auto_values import PilotFit
from byrote.models.vae import auto_draws, scoring
from byrote.models.vae.auto_draws import FEWER, MOST, fewest_draws
from byrote.runs.request import Request, Settings

X = np.random.default_rng(0).random((90, 6)).astype(np.float32)
SMALL = {"latent_dim": 2, "hidden": (8,), "epochs": 2, "compile": False, "precision": "float32"}
PLAN = KFold(3, repeats=1)


def score(out, model=None, plan=PLAN, **settings):
    model = VAE(draws="auto", **SMALL) if model is None else model
    return byrote.score_memorization(model, X, plan=plan, seed=1, out=out, **settings)


def settled(out):
    return json.loads((out / "run.json").read_text())["settled"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("auto") / "run"
    return out, score(out)


def log_probs(out):
    return byrote.open_run(out).table().log_prob


def test_a_run_is_that_with_the_number_it_chose(run, tmp_path):
    out, result = run
    draws = settled(out)["draws"]
    assert draws in (*FEWER, MOST)
    score(tmp_path / "fixed", VAE(draws=draws, **SMALL))
    np.testing.assert_array_equal(log_probs(out), log_probs(tmp_path / "fixed"))
    assert result.summary().diagnostics.draws == draws
    assert byrote.open_run(out).manifest.model.parameters["draws"] == "auto"


def test_the_number_does_not_depend_on_who_computes_or_when(run, tmp_path):
    out, _ = run
    with ThreadPoolExecutor(1) as executor:
        score(tmp_path / "elsewhere", executor=executor)
    np.testing.assert_array_equal(log_probs(out), log_probs(tmp_path / "elsewhere"))
    assert settled(out) == settled(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "work").exists()


def test_a_resumed_run_keeps_its_number(run, tmp_path, monkeypatch):
    out, _ = run
    resumed = tmp_path / "resumed"
    shutil.copytree(out, resumed)
    (resumed / "fits" / "fit-000001.parquet").unlink()
    monkeypatch.setattr(auto_draws, "fewest_draws", None)  # not asked again
    score(resumed, plan=KFold(3, repeats=2))
    np.testing.assert_array_equal(log_probs(out), log_probs(resumed)[:3])


def test_with_looks_the_complete_plan_decides(tmp_path, monkeypatch):
    fits = []
    monkeypatch.setattr(auto_draws, "fewest_draws", lambda pilot, count: fits.append(count) or 32)
    score(tmp_path / "looks", plan=KFold(3, repeats=3), looks=3)
    assert fits == [9]


def test_a_start_killed_in_its_pilot_is_started_again(run, tmp_path):
    out, _ = run
    (tmp_path / "run" / "work").mkdir(parents=True)
    score(tmp_path / "run")
    np.testing.assert_array_equal(log_probs(out), log_probs(tmp_path / "run"))


def test_a_comparison_names_the_numbers_of_draws(run, tmp_path):
    score(tmp_path / "few", VAE(draws=16, **SMALL))
    comparison = byrote.compare([run[0], tmp_path / "few"])
    assert comparison.runs[1].differs == {"draws": (settled(run[0])["draws"], 16)}


class Unscorable(VAE):
    """A VAE that can be trained in the preflight alone, whose seed is 0."""

    def fit(self, X, y=None, *, on_epoch=None):
        if self.random_state:
            raise ValueError("no")
        return super().fit(X, on_epoch=on_epoch)


def test_a_pilot_that_fails_leaves_the_most_draws_and_the_failures_to_the_run(tmp_path):
    with pytest.raises(byrote.IncompleteRun, match="3 failed"):
        score(tmp_path / "run", Unscorable(draws="auto", **SMALL))
    assert settled(tmp_path / "run")["draws"] == MOST


def test_the_forecast_counts_the_pilot_and_measures_with_its_number():
    records = Records(X, source="made up")
    few, auto = (
        Request(VAE(draws=draws, **SMALL), records, PLAN, Settings()).planned()
        for draws in (32, "auto")
    )
    assert few.total(2.0) - few.overhead == 3 * 2.0
    assert auto.total(2.0) - auto.overhead == (3 + 2) * 2.0
    names = Request(auto.model, records, PLAN, Settings()).kind.pilot(auto).outcome.diagnostics
    assert set(names) == {"mc_error", "effective_sample_size", "k_hat"}


def test_two_more_fits_are_made_only_where_they_may_save_time():
    long, short = (VAE(draws="auto", **{**SMALL, "epochs": epochs}) for epochs in (100, 5))
    assert long.settled((1000, 8, 8), fits=4).draws == MOST
    assert long.settled((1000, 8, 8), fits=100).draws == "auto"
    assert short.settled((1000, 8, 8), fits=4).draws == "auto"
    assert VAE(draws=7, **SMALL).settled((1000, 8, 8), fits=4).draws == 7


def test_changes_are_those_of_the_first_draws():
    weights = np.random.default_rng(0).normal(0, 3, (5, 256))
    found = scoring.summarize_weights(weights, FEWER)
    first = [logsumexp(weights[:, :n], axis=1) - np.log(n) for n in FEWER]
    np.testing.assert_allclose(found.changes.T + found.log_prob, first, atol=1e-12)
    model = VAE(draws="auto", random_state=0, **SMALL).fit(X)
    fixed = VAE(draws=256, random_state=0, **SMALL).fit(X)
    np.testing.assert_array_equal(model.score_samples(X), fixed.score_samples(X))
    assert set(model.diagnostics_) - set(fixed.diagnostics_) == {
        f"change_with_{n}_draws" for n in FEWER
    }


def simulated(noise, heaviness, fits, n, generator, held_out=1.0):
    """(4, fits, n) log p with 32, 64, 128 and 256 log-normal weights of mean 1; who is in training.

    ``held_out`` multiplies the standard deviation of the log-weights where a record is held out.
    """
    included = generator.random((fits, n)) < 0.5
    sigma = np.where(included, heaviness, heaviness * held_out)[:, :, None]
    weights = sigma * generator.standard_normal((fits, n, MOST)) - sigma**2 / 2
    retrained = noise * generator.standard_normal((fits, n))
    values = [logsumexp(weights[:, :, :k], axis=2) - np.log(k) for k in (*FEWER, MOST)]
    return np.array(values) + retrained, included


def root_mean_square_errors(values, included):
    """Of mean_log, whose true value is 0, with each number of draws."""
    inside, outside = (
        np.where(side, values, 0).sum(axis=1) / side.sum(axis=0) for side in (included, ~included)
    )
    return np.sqrt(np.mean((inside - outside) ** 2, axis=1))


@pytest.mark.parametrize(
    ("noise", "heaviness", "held_out"),
    [(0.2, 1.0, 1.0), (1.0, 1.5, 1.0), (2.5, 1.5, 1.0), (0.8, 0.2, 1.0), (2.5, 1.5, 1.4)],
)
def test_the_error_of_mean_log_rises_by_a_twentieth_at_most(noise, heaviness, held_out):
    fits, generator = 24, np.random.default_rng(0)
    values, included = simulated(noise, heaviness, fits, 600, generator, held_out)
    names = [f"change_with_{n}_draws" for n in FEWER]
    pilot = [
        PilotFit(
            included[fit],
            values[3, fit],
            dict(zip(names, values[:3, fit] - values[3, fit], strict=True)),
        )
        for fit in range(2)
    ]
    draws = fewest_draws(pilot, fits)
    errors = dict(zip((*FEWER, MOST), root_mean_square_errors(values, included), strict=True))
    assert errors[draws] <= 1.07 * errors[MOST]  # 5 % and what two fits leave uncertain
    if draws > FEWER[0]:
        assert errors[draws // 2] >= 1.03 * errors[MOST]  # no more draws than that needs


def test_little_is_known_from_one_fit_or_few_records():
    generator = np.random.default_rng(0)
    included = np.ones(100, dtype=bool)
    fit = PilotFit(
        included,
        generator.normal(0, 9, 100),
        {f"change_with_{n}_draws": np.zeros(100) for n in FEWER},
    )
    other = PilotFit(included, generator.normal(0, 9, 100), fit.diagnostics)
    assert fewest_draws([fit, other], 10) == FEWER[0]
    assert fewest_draws([fit], 10) == fewest_draws([], 10) == MOST
    assert fewest_draws([fit, fit], 10) == MOST  # no noise at all
    apart = PilotFit(~included, other.log_prob, fit.diagnostics)
    assert fewest_draws([fit, apart], 10) == MOST
