"""Runs that are looked at and may stop: their level, their answers, and how they go on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, false_discovery_control, norm
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, LeaveOneOut, Membership, Probes, Subset
from byrote.plans import Context, Grouped
from byrote.report.command import command_of
from byrote.report.sensitivity import headline
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.memorization.stopping import Question
from byrote.stats.planning import conditional_power
from discovery import EFFECTS, NOISES
from looks import LOOKS, PLANS, evaluations, trial

from estimators import Misbehaving, PureNoise

X = np.random.default_rng(0).normal(size=(90, 2))
KERNEL, PLAN = KernelDensity(bandwidth=0.2), Probes(60, fits=24)
GROWING = {
    "folds": KFold(3, repeats=7),
    "leave-one-out": LeaveOneOut(repeats=4),
    "subsets": Subset(0.6, fits=11),
    "probes": Probes(20, fits=18),
    "pairs": Probes(20, fits=18, pairs=True),
    "coins": Probes(20, fits=13, coins=True),
    "groups": Grouped(KFold(3, repeats=5), np.arange(90) // 2),
}


def score(out=None, model=KERNEL, plan=PLAN, x=X, **more):
    return byrote.score_memorization(model, x, plan=plan, out=out, **more)


def same(first, second):
    return first.to_frame().equals(second.to_frame())


# -- the level of a look --------------------------------------------------------------------------


def test_looks_together_keep_the_level():
    plan, noise, runs = PLANS["3 folds, 6 times"], NOISES["left exponential"], 15
    none = [trial(plan, noise, (1, run), EFFECTS[:0]) for run in range(runs)]
    found_at_any_look = sum(run[0, 0] for run in none)
    assert found_at_any_look <= binom.ppf(0.99, runs, 0.05)


@pytest.mark.parametrize("plan", ["pairs, 24 fits", "3 folds, 6 times"])
def test_what_is_found_at_a_look_is_what_scipy_finds_at_its_part_of_the_level(plan):
    generator = np.random.default_rng(0)
    for evaluation in evaluations(PLANS[plan], NOISES["normal"], generator, EFFECTS):
        table = evaluation.table
        alone = evaluate(replace(table, design=replace(table.design, looks=1)))
        vars(alone)["discovery"] = evaluation.discovery
        found = false_discovery_control(alone.p_value) <= 0.05 / LOOKS
        assert found.any()
        assert ((false_discovery_control(evaluation.p_value) <= 0.05) == found).all()
        exact = np.minimum(1, LOOKS * alone.p_value_exact)
        assert evaluation.p_value_exact == pytest.approx(exact)
        width = np.ptp(evaluation.interval, axis=1) / np.ptp(alone.interval, axis=1)
        assert (width > 1.15).all()  # Student's quantiles at 0.05 / 6 and 0.025


def test_conditional_power_is_that_of_data_drawn_to_the_end():
    generator = np.random.default_rng(0)
    share, level, t = 0.4, 0.01, np.array([0.5, 1.5, 2.5])
    first = t[:, None] * np.sqrt(share)  # sum of the first values; the whole has variance 1
    rest = generator.normal(size=(3, 200_000)) * np.sqrt(1 - share)
    total = first + first / share * (1 - share) + rest
    drawn = (norm.sf(total) <= level).mean(axis=1)
    assert conditional_power(t, share, level) == pytest.approx(drawn, abs=0.005)


# -- the plan at its looks ------------------------------------------------------------------------


@given(plan=st.sampled_from(sorted(GROWING)), data=st.data())
def test_every_look_is_at_a_beginning_of_the_plan(plan, data):
    plan = GROWING[plan]
    size = plan.spec()[plan.size]
    looks = data.draw(st.integers(1, size // 2 if plan.size == "fits" else size))
    sizes, before = plan.sizes(looks), None
    assert len(sizes) == looks
    assert sizes[-1] == size
    for look in sizes:
        design = plan.resized(look).draw(Context(90, 3, np.arange(90)), after=before)
        if before is not None:
            assert design.fits > before.fits
            assert design.begins_with(before)
        before = design


def test_probes_are_in_half_of_the_fits_at_every_look():
    result = score(stop_when="discover=60", looks=2)
    scored = result.n_in > 0
    assert (result.n_in[scored] == result.n_out[scored]).all()


# -- answers --------------------------------------------------------------------------------------


def test_a_run_stops_once_enough_records_are_found(tmp_path):
    result = score(tmp_path / "run", stop_when="discover=5")
    look = result.summary().look
    assert (look.number, look.of, look.fits, look.most_fits) == (1, 3, 8, 24)
    assert look.answer == "found"
    assert (result.q_value <= 0.05).sum() >= 5
    assert headline(result)[-1].startswith("Look 1 of 3, after 8 of at most 24 fits: stopped")
    run = byrote.open_run(tmp_path / "run")
    assert not run.incomplete
    assert same(run.memorization(), result)
    assert run.memorization().summary() == result.summary()


def test_a_run_stops_where_what_is_asked_is_out_of_reach():
    look = score(model=PureNoise(), stop_when="discover=40").summary().look
    assert look.answer == "out of reach"
    assert look.fits < look.most_fits


@pytest.mark.parametrize(("limit", "answer", "verdict"), [(0.1, "above", 3), (500, "within", 0)])
def test_an_answered_limit_is_what_the_gate_says(tmp_path, limit, answer, verdict):
    x = np.concatenate([X, [[9.0, 9.0]]])
    how = {"model": KernelDensity(bandwidth=0.5), "x": x, "plan": KFold(3, repeats=10)}
    score(tmp_path, **how, stop_when=f"max-score={limit}", looks=2)
    run = byrote.open_run(tmp_path)
    assert run.memorization().summary().look.answer == answer
    assert run.memorization().summary().look.fits == 15
    assert byrote.check(run, max_score=limit).exit_code == verdict


def test_a_question_is_open_without_p_values_that_could_answer_it():
    table = Table(
        replace(KFold(3, 2).draw(Context(30, 0, np.arange(30))), randomized=False, looks=2),
        np.arange(30, dtype=np.uint32),
        np.random.default_rng(0).normal(size=(6, 30)),
    )
    for question in ("discover=1", "max-score=1"):
        assert Question.parse(question).answer(evaluate(table), 0.5) == ""


# -- going on -------------------------------------------------------------------------------------


def test_a_stopped_run_goes_on_for_another_question_and_to_the_end(tmp_path):
    np.save(tmp_path / "x.npy", X)
    run, how = tmp_path / "run", {"model": PureNoise(), "x": byrote.load(str(tmp_path / "x.npy"))}
    first = score(run, **how, stop_when="discover=40")
    assert command_of(byrote.open_run(run)).split(" --plan ")[1] == (
        "probes --probes 60 --fits 24 --looks 3 --stop-when discover=40 --seed 0 --threads 1"
    )
    assert same(first, score(run, **how, stop_when="discover=40"))
    end = score(run, **how, looks=3)
    assert end.summary().look.fits == 24
    assert ": complete. " in headline(end)[-1]
    assert same(end, score(**how, looks=3))


def test_a_run_whose_fits_failed_is_looked_at_when_they_are_done(tmp_path):
    x = np.random.default_rng(1).normal(size=(120, 1))
    model = Misbehaving(marked=x[3, 0], flag=str(tmp_path / "flag"))
    how = {"model": model, "x": x, "plan": KFold(3, repeats=6), "stop_when": "discover=80"}
    (tmp_path / "flag").touch()
    with pytest.raises(byrote.IncompleteRun, match="2 of 6 fits are missing"):
        score(tmp_path / "run", **how)
    (tmp_path / "flag").unlink()
    assert same(score(tmp_path / "run", **how), score(**how))


def test_a_run_stops_at_the_same_look_whatever_the_executor():
    with ThreadPoolExecutor(3) as executor:
        there = score(model=PureNoise(), stop_when="discover=30", executor=executor)
    here = score(model=PureNoise(), stop_when="discover=30")
    assert same(there, here)
    assert there.summary() == here.summary()


def test_spent_looks_are_neither_taken_back_nor_added(tmp_path):
    score(tmp_path / "run", stop_when="discover=5")
    for change in ({}, {"looks": 2}, {"looks": 3, "plan": Probes(60, fits=30)}):
        with pytest.raises(byrote.RunMismatch, match="plan looks"):
            score(tmp_path / "run", **change)
    score(tmp_path / "other")
    with pytest.raises(byrote.RunMismatch, match="plan looks"):
        score(tmp_path / "other", looks=3)


INVALID = {
    "another question": ({"stop_when": "discver=5"}, "stop_when must be discover=N"),
    "half a record": ({"stop_when": "discover=0.5"}, "discover must be a number of records"),
    "no limit": ({"stop_when": "max-score=much"}, "stop_when must be discover=N"),
    "no look": ({"looks": 0}, "looks must be an integer of at least 1; got 0"),
    "more looks than pairs of fits": ({"looks": 13}, "looks must be at most 12 at fits=24"),
    "a plan that cannot grow": (
        {"looks": 2, "plan": Membership(np.eye(90, dtype=bool))},
        "looks need a plan that can grow: KFold, .*; got Membership",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_bad_input_is_refused_before_anything_is_written(case, tmp_path):
    arguments, message = INVALID[case]
    with pytest.raises(byrote.InvalidInput, match=message):
        score(tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()
