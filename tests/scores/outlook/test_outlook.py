"""What a plan is said to find, against closed forms and against the runs themselves."""

import time
from contextlib import contextmanager
from functools import cache
from math import comb, log
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, LeaveOneOut, Probes, Subset
from byrote.data.sources import as_records
from byrote.plans import Context, design_of
from byrote.runs.executors.pool import InProcess
from byrote.runs.fit_file import FitFile
from byrote.runs.request import Request, Settings
from byrote.runs.table import Table
from byrote.scores.outlook.evaluation_time import evaluation_seconds
from byrote.scores.outlook.goal import Goal
from byrote.scores.outlook.outlook import Noise, foresee, foresee_looks, noise_of, outlook
from byrote.scores.outlook.proposal import Planner, propose_plans
from byrote.stats.moderated_test import VariancePrior

NOISE = Noise(1.0, VariancePrior(1.0, 5.0))
N = 3000
X = np.random.default_rng(0).normal(size=(400, 2))


def foreseen(plan, noise=NOISE, n=N):
    return outlook(plan, design_of(plan, n), noise)


@pytest.mark.parametrize(
    ("plan", "smallest"),
    [
        (KFold(3, repeats=6), 3.0**-6),
        (KFold(10, repeats=2), 0.01),
        (Probes(100, fits=12), 1 / comb(12, 6)),
        (Probes(100, fits=12, pairs=True), 2.0**-6),
    ],
)
def test_smallest_p(plan, smallest):
    assert foreseen(plan).smallest_p == pytest.approx(smallest)


@pytest.mark.parametrize(
    ("plan", "epsilon"),
    [  # all guesses right: q = .05^(1/guesses)
        (Probes(100, fits=12), 3.49297),
        (Probes(100, fits=10, coins=True), 3.49297),  # 100 of 1,000 coins are guessed
        (Probes(1000, fits=10, coins=True), 5.8091),
        (Probes(100, fits=12, pairs=True), 0.0),
        (KFold(3, repeats=6), -log(20 ** (1 / 5) - 1)),
        (KFold(3, repeats=5), 0.0),
        (LeaveOneOut(), 0.0),
    ],
)
def test_the_epsilon_provable_at_best(plan, epsilon):
    n = 50 if isinstance(plan, LeaveOneOut) else N
    assert foreseen(plan, n=n).epsilon == pytest.approx(epsilon, rel=1e-4)


@pytest.mark.parametrize(
    ("plan", "blind", "reason"),
    [
        (KFold(3, repeats=6), False, ""),
        (KFold(3, repeats=1), True, "too few memberships"),
        (Probes(500, fits=8), False, ""),
        (Probes(500, fits=2), True, "too few fits"),
        (Probes(4, fits=8), True, "10 scored records"),
        (Probes(4, fits=12), False, "10 scored records"),  # by the exact test
        (LeaveOneOut(), True, "too few fits"),
    ],
)
def test_plans_that_find_no_single_record(plan, blind, reason):
    result = foreseen(plan, n=200 if isinstance(plan, LeaveOneOut) else N)
    assert result.blind == blind
    assert reason in result.reason
    assert (result.reason == "") == (reason == "")


def test_more_fits_find_more():
    effects = [foreseen(Probes(500, fits=f)).detectable for f in (6, 8, 12, 16)]
    assert effects == sorted(effects, reverse=True)


def looks_at(plan, noise=NOISE):
    return foresee_looks(plan, Context(N, 0, np.arange(N)), noise, 1)


def test_looks_find_strong_effects_early_and_cost_weak_ones():
    looks = looks_at(KFold(3, repeats=12))
    assert [*looks] == [12, 24, 36]
    assert [*looks.values()] == sorted(looks.values(), reverse=True)
    # A third of the level at each look is what three times as many records get at one.
    for fits, effect in looks.items():
        alone = foreseen(KFold(3, repeats=fits // 3), n=3 * N).detectable
        assert effect == pytest.approx(alone, rel=1e-6)
    # Probes are drawn for one look after the other, which costs degrees of freedom.
    looks, alone = looks_at(Probes(500, fits=24)), foreseen(Probes(500, fits=24)).detectable
    assert [*looks] == [8, 16, 24]
    assert alone < looks[24] < 1.2 * alone < looks[8]


def test_no_looks_at_plans_of_few_fits():
    assert looks_at(KFold(3, repeats=2)) == {}  # fewer repeats than looks
    assert looks_at(KFold(3, repeats=3)) == {}  # found at the last look, if at all
    assert looks_at(KFold(3, repeats=12), Noise(1.0, None, "no spread")) == {}
    assert looks_at(KFold(3, repeats=6))[6] == np.inf


def test_a_pilot_without_a_moderated_test_is_said():
    result = foreseen(KFold(3, repeats=4), Noise(1.0, None, "no spread"))
    assert (result.reason, result.detectable) == ("no spread", np.inf)


def test_densities_without_noise():
    request = Request(KernelDensity(), as_records(np.zeros((60, 2))), KFold(3, 4), Settings())
    _, result = foresee(request)
    assert result.reason
    assert result.blind


@pytest.mark.parametrize("shared", [0.7, -0.7])
def test_noise_of_single_fits_is_seen_in_paired_ones(shared):
    """Values of a pair of this correlation, each of standard deviation 1."""
    design = design_of(Probes(400, fits=8, pairs=True), 400)
    generator = np.random.default_rng(0)
    pairs = generator.multivariate_normal([0, 0], [[1, shared], [shared, 1]], size=(4, 400))
    table = Table(design, design.scored, pairs.swapaxes(1, 2).reshape(8, 400))
    assert noise_of(table, 0).spread == pytest.approx(np.sqrt(1 - shared), rel=0.1)
    assert noise_of(table, 0, pairs=False).spread == pytest.approx(1.0, rel=0.1)


# -- promises --------------------------------------------------------------------------------------

MIXTURE, KERNEL = GaussianMixture(3), KernelDensity(bandwidth=0.5)
PROMISES = {
    "folds": (MIXTURE, KFold(5, repeats=4)),
    "probes": (MIXTURE, Probes(100, fits=12)),
    "coins": (MIXTURE, Probes(100, fits=14, coins=True)),
    "subsets": (MIXTURE, Subset(0.7, fits=12)),
    "pairs of a kernel": (KERNEL, Probes(100, fits=12, pairs=True)),
}


@pytest.mark.parametrize(("model", "plan"), PROMISES.values(), ids=PROMISES)
def test_promises_hold(model, plan):
    """Standard error and detectable effect, within 25 % of what the run shows."""
    _, promised = foresee(Request(model, as_records(X), plan, Settings(seed=3)))
    run = byrote.score_memorization(model, X, plan=plan, seed=3)
    error = np.nanmedian(run.standard_error["mean_log"])
    shown = run.summary().sensitivity
    assert promised.standard_error == pytest.approx(error, rel=0.25)
    assert promised.detectable == pytest.approx(shown.detectable, rel=0.25)


# -- time -----------------------------------------------------------------------------------------


def test_time_counts_what_came_before():
    request = Request(MIXTURE, as_records(X[:100]), KFold(3, repeats=2), Settings())
    started = time.perf_counter() - 1000
    costs, _ = foresee(request, started)
    assert 1000 < costs.overhead < 1100
    assert costs.seconds == pytest.approx(costs.overhead + 6 * costs.seconds_per_fit)
    proposals = Planner(MIXTURE, as_records(X[:100]), Settings(), started).propose(Goal(), np.inf)
    assert all(1000 < proposal.costs.overhead < 1100 for proposal in proposals.proposals)


def test_time_counts_the_files_of_fits(monkeypatch):
    """A slow disk."""
    write = FitFile.write
    monkeypatch.setattr(FitFile, "write", lambda *of: (time.sleep(0.1), write(*of)))
    request = Request(KERNEL, as_records(X[:60]), Probes(20, fits=8), Settings())
    assert request.forecast().seconds_per_fit > 0.1


def test_time_counts_the_start_of_workers(monkeypatch):
    opened = []

    @contextmanager
    def slow_pool(*of):
        opened.append(of)
        time.sleep(0.1)
        yield InProcess()

    monkeypatch.setattr("byrote.runs.request.open_pool", slow_pool)
    for executor, workers in (("auto", 2), ("processes", 1), ("in-process", 2), ("auto", 1)):
        settings = Settings(executor=executor, workers=workers)
        before = len(opened)
        planned = Request(KERNEL, as_records(X), Probes(20, fits=8), settings).planned()
        assert planned.overhead > 0.1 * (len(opened) - before)
    assert opened == [("auto", 2, 1), ("processes", 1, 1)]


def test_the_evaluation_of_many_records_is_extrapolated(monkeypatch):
    def evaluate(table, seed):
        evaluated.append(len(table.rows))
        time.sleep(0.1)
        return SimpleNamespace(discovery=None, exact_tests=None)

    evaluated = []
    monkeypatch.setattr("byrote.scores.outlook.evaluation_time.evaluate", evaluate)
    assert evaluation_seconds(design_of(KFold(3, repeats=2), 2500), 0) > 0.1
    assert evaluation_seconds(design_of(KFold(3, repeats=2), 25_000), 0) > 1.0
    assert evaluated == [2500, 2500]


# -- goals and proposals ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        ("find=3", "goal must be discover=N"),
        ("discovery=3", "did you mean discover"),
        ("se", "goal must be discover=N"),
        ("se=many", "goal must be discover=N"),
        ("se=0", "se must be a number above 0"),
        ("effect=-1", "effect must be a number above 0"),
        ("epsilon=nan", "epsilon must be a number above 0"),
        ("discover=0", "discover must be an integer of at least 1"),
        ("discover=1.5", "discover must be a number of records"),
        ("discover=inf", "discover must be a number of records"),
    ],
)
def test_goals_that_are_refused(goal, message):
    with pytest.raises(byrote.InvalidInput, match=message):
        Goal.parse(goal)


@pytest.mark.parametrize("budget", [0, -1.0, float("nan"), "2h"])
def test_budgets_that_are_refused(budget):
    with pytest.raises(byrote.InvalidInput, match="budget must be a positive number of seconds"):
        propose_plans(GaussianMixture(2), X, budget=budget)


def test_too_few_records_are_refused():
    with pytest.raises(byrote.InvalidInput, match="records must be at least 40"):
        propose_plans(GaussianMixture(2), X[:20])


KFOLD_FITS = [3 * repeats for repeats in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)]
PROBES_FITS = [4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96]


def new_planner():
    """Pilots, which know no goal."""
    return Planner(GaussianMixture(2), as_records(X[:100]), Settings())


planner = cache(new_planner)


def planned(goal, budget=np.inf):
    return planner().propose(Goal.parse(goal), budget)


def test_each_goal_recommends_a_plan_that_reaches_it():
    best = planned("epsilon=4").recommended
    assert (best.name, best.reaches_goal) == ("coins", True)
    assert best.outlook.epsilon >= 4
    error = planned("se=0.05").recommended
    assert error.outlook.standard_error <= 0.05
    effect = planned("effect=0.5").recommended
    assert effect.outlook.detectable <= 0.5
    found = planned("discover=5").recommended
    assert found.name == "kfold"  # which tests every record
    assert found.reaches_goal


def test_looks_at_the_recommended_plan_are_said_where_a_question_ends_it():
    proposals = planned("effect=0.1")
    *_, (last, effect) = proposals.looks.items()
    assert last == proposals.recommended.costs.fits
    assert effect > proposals.recommended.outlook.detectable
    text = " ".join(str(proposals).split())
    assert "With --stop-when discover=1 it may end after" in text
    assert f"of its {last} fits; if it does not, it finds effects from" in text
    assert planned("se=0.05").looks == planned("epsilon=4").looks == {}
    assert "--stop-when" not in str(planned("se=0.05"))


def test_what_no_plan_reaches():
    proposals = planned("effect=0.000001")
    assert not any(p.reaches_goal for p in proposals.proposals)
    assert proposals.recommended.outlook.detectable == min(
        p.outlook.detectable for p in proposals.proposals
    )


def test_a_budget_limits_plans():
    large = planned("se=0.0001", budget=1e6)
    small = planned("se=0.0001", budget=1.0)
    assert all(p.within_budget for p in large.proposals)
    pairs = zip(small.proposals, large.proposals, strict=True)
    assert all(s.costs.fits <= g.costs.fits for s, g in pairs)
    assert not any(p.reaches_goal for p in small.proposals)


def test_the_largest_plan_in_a_budget_is_taken_though_few_are_timed(monkeypatch):
    """Evaluations of 100 s for each fit leave fits and imports of no account."""
    timed = []

    def evaluation(design, seed):
        timed.append(design.fits)
        return 100.0 * design.fits

    monkeypatch.setattr("byrote.scores.outlook.proposal.evaluation_seconds", evaluation)
    goal, planner = Goal.parse("se=0.0001"), new_planner()
    proposals = planner.propose(goal, 3650.0).proposals
    first = 100 * timed[0]  # of the pilot, by which libraries are loaded
    for proposal, sizes in zip(proposals, (KFOLD_FITS, *[PROBES_FITS] * 3), strict=True):
        assert proposal.costs.fits == max(f for f in sizes if 100 * f + first < 3600)
        assert proposal.within_budget
    assert len(timed) < 30
    assert not any(p.within_budget for p in planner.propose(goal, 1e-9).proposals)
