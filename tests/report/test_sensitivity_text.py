"""What a run found and what it could have found: "no evidence" never reads like an all-clear."""

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, Probes
from byrote.report.cautions import wider_held_out
from byrote.report.memorization import to_json
from byrote.report.sensitivity import control, significance, undetected
from byrote.scores.memorization.sensitivity import Sensitivity

from estimators import PureNoise

X = np.random.default_rng(0).normal(size=(30, 2))
BY_CONTROL = Sensitivity(
    control="permuted memberships",
    control_values=36_000,
    control_below={"0.05": 0.0512, "0.01": 0.009, "0.001": 0.0008},
    detectable=5.125,
    detectable_noisy=9.3,
    upper_limit=12.04,
)
NONE_FOUND = "No record is found to be memorized at a 5% false discovery rate."
POWER = (
    "With 80% power this run finds a single record whose log-likelihood training raises by 5.12"
    " nats, a noisy record from 9.30 nats on, if it is the only one memorized; where many are,"
    " smaller effects can be found too."
)
UPPER = (
    "By a one-sided limit for all records together, with 95% confidence, training raises no"
    " scored record's log-likelihood by more than 12.0 nats."
)


@pytest.fixture(scope="module")
def noise():
    return byrote.score_memorization(PureNoise(), X, plan=KFold(5, 4))


def said(result, *, sensitivity=BY_CONTROL, **changes):
    """The sentences where the summary is changed so."""
    values = {"significant": 0, "share_significant": 0.0, "p_value_method": "moderated t"}
    values |= {"sensitivity": sensitivity, "standard_error_reason": "", **changes}
    console = Console(file=io.StringIO(), width=1000, highlight=False)
    console.print(significance(replace(result, _summary=replace(result.summary(), **values))))
    return console.file.getvalue().splitlines()


def test_none_found_is_followed_by_what_could_have_been(noise):
    assert said(noise) == [
        NONE_FOUND,
        POWER,
        UPPER,
        "p-values: moderated t.",
        "Negative control (permuted memberships): of 36,000 p-values by chance alone 5.1% are"
        " below 5%, 0.9% are below 1%, 0.08% are below 0.1%. That is no more than there"
        " should be: the test raises no false alarms beyond its level. Of the records themselves"
        " this says nothing.",
    ]


def test_a_control_with_too_many_small_p_values_says_what_follows():
    often = replace(BY_CONTROL, control_below={"0.05": 0.062, "0.01": 0.009})
    sentence = control(often)
    assert sentence.startswith("That is more than there should be below 5%, so")
    assert sentence.endswith("That keeps false discoveries at their rate, and may miss records.")


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "1 record (3.3%) is memorized at a 5% false discovery rate."),
        (3, "3 records (10.0%) are memorized at a 5% false discovery rate."),
    ],
)
def test_what_was_found_comes_first(noise, count, sentence):
    lines = said(noise, significant=count, share_significant=count / 30)
    assert lines[0] == sentence
    assert POWER in lines
    assert not any("No record" in line or "not cleared" in line for line in lines)


@pytest.mark.parametrize(
    ("found", "sure", "sentence"),
    [
        (1, 1, "it truly is."),
        (1, 0, "it cannot be said that it truly is."),
        (3, 0, "it cannot be said that any of them truly is."),
        (3, 1, "at least 1 of them truly is."),
        (3, 2, "at least 2 of them truly are."),
    ],
)
def test_how_many_truly_are_is_said(noise, found, sure, sentence):
    p_value = np.r_[np.full(sure, 1e-9), np.full(30 - sure, 0.9)]
    lines = said(replace(noise, p_value=p_value), significant=found, share_significant=found / 30)
    assert lines[1] == f"With 97.5% confidence {sentence}"


def test_noisy_fits_do_not_make_training_lower_what_was_found(noise):
    mean_log = np.r_[-0.026, 17.1, np.zeros(28)]
    q_value = np.r_[0.01, 0.01, np.ones(28)]
    found = replace(noise, mean_log=mean_log, q_value=q_value)
    assert said(found, significant=2, share_significant=2 / 30)[0] == (
        "2 records (6.7%) are memorized at a 5% false discovery rate: training raises their"
        " log-likelihood by up to an estimated 17.1 nats."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "effects below 5.12 nats may go undetected"),
        ({"detectable": np.inf}, "this plan can find no single record"),
        ({"detectable": np.nan}, "what may go undetected is unknown"),
        ({"far_from_normal": True}, "what may go undetected is unknown"),
    ],
)
def test_a_count_of_none_stands_beside_what_may_go_undetected(noise, changes, words):
    sensitivity = replace(BY_CONTROL, **changes)
    assert undetected(replace(noise.summary(), sensitivity=sensitivity)) == words


def test_a_record_far_above_the_others_is_not_cleared(noise):
    mean_log, interval = noise.mean_log.copy(), noise.interval.copy()
    mean_log[7], interval[7] = 76.0, (57.0, 95.0)
    result = replace(noise, mean_log=mean_log, interval=interval)
    lines = said(result, sensitivity=replace(BY_CONTROL, unexplained=7))
    assert lines[:2] == [
        NONE_FOUND,
        "Record 7 is not cleared: training on it raises its log-likelihood by 76.0 nats [57.0,"
        " 95.0], but this test cannot tell that from chance.",
    ]


def test_without_a_limit_none_is_claimed(noise):
    lines = said(noise, sensitivity=replace(BY_CONTROL, upper_limit=np.inf))
    assert lines[1] == POWER
    assert not any("upper limit" in line for line in lines)


def test_records_tested_exactly_are_counted(noise):
    lines = said(noise, sensitivity=replace(BY_CONTROL, tested_exactly=2))
    exactly = "exact for 2 records with too few or infinite values"
    assert f"p-values: moderated t, {exactly}." in lines


EXACT = {
    "found by chance alone": (
        {"smallest_p": 0.001, "needed": 1},
        "The smallest p-value possible is 0.001.",
    ),
    "several at once": (
        {"smallest_p": 0.01, "needed": 6},
        "The smallest p-value possible is 0.01; at least 6 records must reach it for any to be"
        " found.",
    ),
    "none can": (
        {"smallest_p": 0.2, "needed": 120},
        "The smallest p-value possible is 0.2: no record can reach significance; use more repeats"
        " (--repeats).",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), EXACT.values(), ids=EXACT)
def test_by_the_exact_test_alone(noise, changes, sentence):
    by_rank = Sensitivity(reason="the exact test was asked for", tested_exactly=30)
    lines = said(noise, sensitivity=by_rank, p_value_method="exact", **changes)
    method = "p-values: exact (the exact test was asked for)."
    assert lines == [NONE_FOUND, sentence, method]


@pytest.mark.parametrize(
    ("plan", "lever"),
    [(KFold(5, 4), "use more repeats (--repeats)"), (Probes(4, 6), "use more fits (--fits)")],
)
def test_where_no_single_record_can_be_found_the_lever_is_named(plan, lever):
    result = byrote.score_memorization(PureNoise(), X, plan=plan)
    blind = replace(BY_CONTROL, detectable=np.inf, detectable_noisy=np.inf, upper_limit=np.inf)
    assert said(result, sensitivity=blind)[1] == f"No single record can be found: {lever}."


def test_records_found_together_do_not_mean_that_one_alone_can_be(noise):
    blind = replace(BY_CONTROL, detectable=np.inf, detectable_noisy=np.inf, upper_limit=np.inf)
    lines = said(noise, significant=9, share_significant=0.3, sensitivity=blind)
    sentence = "No single record can be found, only several together: use more repeats (--repeats)."
    assert sentence in lines


@pytest.mark.parametrize(("ratio", "warned"), [(None, False), (1.1, False), (1.5, True)])
def test_values_that_vary_more_held_out_are_a_caution(noise, ratio, warned):
    sensitivity = replace(BY_CONTROL, held_out_spread=ratio)
    summary = replace(noise.summary(), sensitivity=sensitivity)
    sentences = wider_held_out(replace(noise, _summary=summary))
    assert len(sentences) == warned
    assert all("vary 1.5 times as much where it is held out" in each for each in sentences)


def test_far_from_normal_no_effect_is_promised(noise):
    lines = said(noise, sensitivity=replace(BY_CONTROL, far_from_normal=True, detectable=595.0))
    assert not any("595" in line or "80% power" in line for line in lines)
    assert lines[1] == (
        "Retraining noise is far from normal, as the control shows: which effect this run would"
        " find in a single record cannot be said; use more repeats (--repeats) in another folder,"
        " with another --seed."
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([7], "1 record (10.0%) is memorized at a 5% false discovery rate: training raises its"
              " log-likelihood by an estimated 12.0 nats."),
        ([7, 8], "2 records (10.0%) are memorized at a 5% false discovery rate: training raises"
                 " their log-likelihood by an estimated 0.50 to 12.0 nats."),
    ],
)  # fmt: skip
def test_the_effects_of_records_found_are_stated(noise, rows, sentence):
    mean_log, q_value = noise.mean_log.copy(), np.ones(len(noise))
    mean_log[7], mean_log[8], q_value[rows] = 12.0, 0.5, 0.01
    result = replace(noise, mean_log=mean_log, q_value=q_value)
    assert said(result, significant=len(rows), share_significant=0.1)[0] == sentence


def test_a_kernel_far_narrower_than_the_data_has_noise_far_from_normal():
    x = np.random.default_rng(0).normal(size=(400, 2))
    for model, far in ((KernelDensity(bandwidth=0.05), True), (PureNoise(), False)):
        result = byrote.score_memorization(model, x, plan=Probes(100, 12))
        assert result.summary().sensitivity.far_from_normal == far


@pytest.fixture(scope="module")
def outlier(tmp_path_factory):
    """A mixture, and a point far from all others, which it learns by heart."""
    folder = tmp_path_factory.mktemp("outlier") / "run"
    x = np.random.default_rng(0).normal(size=(600, 2))
    x[7] = 8.0
    byrote.score_memorization(GaussianMixture(2), x, plan=KFold(3, repeats=6), out=folder)
    return byrote.open_run(folder)


def test_an_outlier_is_found_with_18_fits_and_by_ranks_it_is_named(outlier):
    found = outlier.memorization()
    assert found.q_value[7] < 0.001
    assert found.mean_log[7] > 50
    others = (found.q_value <= 0.05) & (found.ids != 7)
    assert (found.mean_log[others] < 5).all()  # the mixture fits the nearest of them a little
    assert found.summary().sensitivity.unexplained == -1
    by_ranks = outlier.memorization(test="exact")
    assert by_ranks.summary().significant == 0
    assert by_ranks.summary().sensitivity.unexplained == 7
    assert np.array_equal(by_ranks.p_value, found.p_value_exact)
    console = Console(file=io.StringIO(), width=1000)
    console.print(significance(by_ranks))
    assert "Record 7 is not cleared" in console.file.getvalue()


def test_json_holds_what_could_have_been_found(outlier):
    result = outlier.memorization()
    data = to_json(result)
    assert data["memorized"][0]["id"] == 7
    assert all(record["q_value"] <= 0.05 for record in data["memorized"])
    kept = data["summary"]["sensitivity"]
    assert set(kept) == {
        *("reason", "tested_exactly", "control", "control_values", "control_below"),
        *("detectable", "detectable_noisy", "far_from_normal", "upper_limit", "unexplained"),
        "held_out_spread",
    }
    assert kept["control"] == "permuted memberships"
    assert kept["detectable"] == result.summary().sensitivity.detectable
