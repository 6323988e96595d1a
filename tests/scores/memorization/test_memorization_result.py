"""The result as an object: frames, files, summaries, reasons."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.stats import t
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, LeaveOneOut, Membership, Probes, Subset
from byrote.plans import design_of
from byrote.runs.table import Table
from byrote.scores.compare.compare import score_change
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.memorization.memorization_result import result_from_table
from byrote.studies.execute import StudyRun
from byrote.studies.findings.audits import held_out

from estimators import Kernel, PureNoise

X = np.random.default_rng(0).normal(size=(30, 2))


def test_saved_and_loaded_it_is_the_same(tmp_path):
    labels = np.array(["a", "b"] * 15)
    ids = np.array([f"r{i}" for i in range(30)])
    result = byrote.score_memorization(
        PureNoise(), X, plan=Probes(["r3", "r9"], fits=6), ids=ids, labels=labels
    )
    result.save(tmp_path / "scores.parquet")
    again = byrote.MemorizationResult.load(tmp_path / "scores.parquet")
    assert again.to_frame().equals(result.to_frame())
    assert repr(again.summary()) == repr(result.summary())
    assert again.description == result.description


def test_rows_are_taken_of_all_columns():
    result = byrote.score_memorization(PureNoise(), X, plan=KFold(5, repeats=4))
    rows = np.array([7, 2, 2])
    expected = result.to_frame().iloc[rows].reset_index(drop=True)
    assert result.take(rows).to_frame().equals(expected)


def test_something_else_is_not_loaded(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(byrote.CorruptFile, match="cannot be read"):
        byrote.MemorizationResult.load(tmp_path / "x.parquet")


def test_reasons_are_counted():
    probes = byrote.score_memorization(Kernel(), X, plan=Probes(4, fits=4))
    assert probes.summary().unscored == {"not scored by the plan": 26}
    assert np.isnan(probes.score).sum() == 26
    assert (probes.n_in[~np.isnan(probes.score)] == 2).all()

    matrix = np.ones((3, 30), dtype=bool)
    matrix[:, 0] = False
    matrix[0, 1] = False
    given = byrote.score_memorization(Kernel(), X, plan=Membership(matrix))
    assert given.summary().unscored == {"never trained on": 1, "never held out": 28}
    assert given.summary().scored == 1
    assert given.to_frame()["reason"].tolist()[:3] == ["never trained on", "", "never held out"]

    apart = np.array([[0.0], [0.0], [9.0], [20.0]])
    tophat = byrote.score_memorization(KernelDensity(kernel="tophat"), apart, plan=KFold(2, 1))
    # Either group alone gives the others zero density, but each record has a density of its own.
    assert not tophat.summary().unscored.get("zero density both in and out")


def test_zero_density_in_and_out():
    from byrote.scores.memorization.summary import Reason

    class Nothing(Kernel):
        def score_samples(self, X):
            return np.full(len(X), -np.inf)

    result = byrote.score_memorization(Nothing(), X, plan=KFold(3, 1))
    assert (result.reason == Reason.ZERO_DENSITY).all()
    assert result.summary().unscored == {"zero density both in and out": 30}
    assert np.isnan(result.q_value).all()


def test_no_p_value_without_known_randomness():
    matrix = np.random.default_rng(1).random((8, 30)) < 0.5
    given = byrote.score_memorization(PureNoise(), X, plan=Membership(matrix))
    assert np.isnan(given.p_value).all()
    assert given.summary().significant is None
    assert given.summary().p_value_method.startswith("none")
    declared = byrote.score_memorization(PureNoise(), X, plan=Membership(matrix, randomized=True))
    assert not np.isnan(declared.p_value).all()
    np.testing.assert_array_equal(given.score, declared.score)


def test_one_repeat_has_no_standard_error_and_says_why():
    result = byrote.score_memorization(PureNoise(), X, plan=KFold(10, repeats=1), test="exact")
    assert np.isnan(result.standard_error["score"]).all()
    summary = result.summary()
    assert "two repeats" in summary.standard_error_reason
    assert summary.smallest_p == 0.1
    assert summary.significant == 0
    assert summary.needed == 60  # more than there are: nothing can be discovered
    assert np.isnan(summary.reliability.score)


def test_attainable_exact_p_values():
    def summary(plan, x=X):
        return byrote.score_memorization(PureNoise(), x, plan=plan, test="exact").summary()

    two = summary(KFold(10, repeats=2))
    assert (two.smallest_p, two.needed) == (0.01, 6)
    assert summary(Probes(5, fits=10)).smallest_p == 1 / 252
    assert summary(LeaveOneOut(2), X[:10]).smallest_p == 1 / 6


def test_summary_statistics_are_those_of_numpy_and_scipy():
    from scipy.stats import skew

    result = byrote.score_memorization(PureNoise(2.0), np.zeros((500, 1)), plan=KFold(4, 3))
    found = result.summary().distribution["score"]
    assert found["mean"].value == pytest.approx(result.score.mean())
    assert found["skewness"].value == pytest.approx(skew(result.score))
    assert found["q0.999"].value == pytest.approx(np.quantile(result.score, 0.999))
    assert found["mean"].standard_error > 0


def test_reliability_tells_signal_from_noise():
    class Signal(PureNoise):
        def fit(self, X, y=None):
            self.known_ = set(X[:, 0].tolist())
            return super().fit(X)

        def score_samples(self, X):
            learned = np.array([value if value in self.known_ else 0.0 for value in X[:, 0]])
            return super().score_samples(X) + learned

    x = np.linspace(0, 10, 200)[:, None]
    signal = byrote.score_memorization(Signal(0.5), x, plan=KFold(4, 6)).summary().reliability
    noise = byrote.score_memorization(PureNoise(0.5), x, plan=KFold(4, 6)).summary().reliability
    assert signal.mean_log > 0.95
    assert abs(noise.mean_log) < 0.25


@pytest.mark.parametrize("plan", [KFold(4, 25), Subset(0.5, 30), Probes(20, 30)])
def test_summary_errors_match_the_spread_over_seeds(plan):
    values, errors = [], []
    for seed in range(12):
        design = design_of(plan, 20, seed)
        noise = np.random.default_rng(seed).normal(size=(design.fits, len(design.scored)))
        table = Table(design, design.scored, noise)
        evaluation = evaluate(table).by("exact")
        result = result_from_table(table, evaluation, np.arange(20), None, {})
        mean = result.summary().distribution["mean_log"]["mean"]
        values.append(mean.value)
        errors.append(mean.standard_error)
    assert 0.5 < np.std(values, ddof=1) / np.mean(errors) < 2.0


def test_labels_are_summarized():
    labels = np.repeat([0, 1], 15)
    summary = byrote.score_memorization(Kernel(), X, plan=KFold(3, 2), labels=labels).summary()
    assert list(summary.labels) == ["0", "1"]
    assert summary.labels["0"].records == 15


def by_unit(fits, units):
    """Mean over records of their means over fits, and its jackknife error, unit by unit left out.

    fits: for each fit its log-likelihoods on one side, by record.
    """

    def mean(kept):
        chosen = [pd.Series(one) for one, unit in zip(fits, units, strict=True) if kept(unit)]
        return pd.concat(chosen).groupby(level=0).mean().mean()

    names = sorted(set(units))
    without = np.array([mean(lambda unit, left=left: unit != left) for left in names])
    error = np.sqrt((len(names) - 1) * np.var(without))
    return mean(lambda unit: True), error


def test_mean_log_prob_is_that_of_the_records_with_its_error_over_repeats():
    x = np.random.default_rng(3).normal(size=(31, 2))
    plan = byrote.KFold(3, repeats=4)
    result = byrote.score_memorization(KernelDensity(leaf_size=31), x, plan=plan)
    found, design = result.summary().mean_log_prob, design_of(plan, 31)
    sides = {"in": [], "out": []}
    for fit in range(design.fits):
        kept = design.training_rows(fit)
        left = np.setdiff1d(np.arange(31), kept)
        values = KernelDensity(leaf_size=31).fit(x[kept]).score_samples(x)
        sides["in"].append(dict(zip(kept, values[kept], strict=True)))
        sides["out"].append(dict(zip(left, values[left], strict=True)))
    for side, fits in sides.items():
        value, error = by_unit(fits, design.repeat.tolist())
        assert found[side].value == pytest.approx(value)
        assert found[side].standard_error == pytest.approx(error)
    gap = found["in"].value - found["out"].value
    assert gap == pytest.approx(result.mean_log.mean())  # every record has both sides


def test_mean_log_prob_takes_a_pair_as_one(tmp_path):
    x, plan = np.random.default_rng(3).normal(size=(30, 2)), byrote.Probes(8, fits=6, pairs=True)
    byrote.score_memorization(KernelDensity(), x, plan=plan, out=tmp_path / "run")
    tables = [pq.read_table(path).to_pandas() for path in sorted((tmp_path / "run/fits").iterdir())]
    for missing in (False, True):
        if missing:  # a fit whose twin is missing does not count
            (tmp_path / "run" / "fits" / "fit-000005.parquet").unlink()
        result = byrote.open_run(tmp_path / "run").memorization(partial=missing)
        found, probes = result.summary().mean_log_prob, np.flatnonzero(result.n_out)
        kept = tables[:4] if missing else tables
        kept = [table[table["record"].isin(probes)] for table in kept]  # without bystanders
        for side, included in (("out", 0), ("in", 1)):
            fits = [
                table[table["included"] == included].set_index("record")["log_prob"]
                for table in kept
            ]
            value, error = by_unit(fits, [place // 2 for place in range(len(kept))])
            assert found[side].value == pytest.approx(value)
            assert found[side].standard_error == pytest.approx(error)


def test_show_compare_and_studies_give_one_mean_held_out_log_likelihood(tmp_path):
    x = np.random.default_rng(6).normal(size=(60, 2)) * np.linspace(0.2, 5, 60)[:, None]
    runs = [tmp_path / "one", tmp_path / "other"]
    for seed, run in enumerate(runs):
        plan = byrote.Probes(list(range(0, 60, 3)), fits=6)
        byrote.score_memorization(GaussianMixture(2), x, plan=plan, out=run, seed=seed)
    shown = byrote.open_run(runs[0]).memorization().summary().mean_log_prob["out"]
    compared = byrote.compare(runs, match="ids")
    opened = [byrote.open_run(run) for run in runs]
    one = held_out(StudyRun(None, None, None, opened[0]))
    found = compared.runs[0].held_out
    assert one.value == shown.value
    assert one == found
    half = t.ppf(0.975, 5) * shown.standard_error
    assert (found.high - found.low) / 2 == pytest.approx(half)
    change = compared.changes[0].held_out
    assert score_change(*opened).held_out == change
