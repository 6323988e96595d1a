"""Differences of exposures, canary by canary, against scipy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import byrote
from byrote.report.comparison import rows
from byrote.report.comparison_verdicts import verdicts
from byrote.scores.compare import matched_canaries
from byrote.scores.compare.matched_canaries import MatchedCanaries

from languages import Ngram

TEXT = [f"line {k} of a text about {k % 7} cats and {k % 11} dogs" for k in range(300)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("exposures")
    made = {}
    for name, alpha, fits, text in (
        ("plain", 0.01, 2, TEXT),
        ("smooth", 3.0, 2, TEXT),
        ("one", 0.01, 1, TEXT),
        ("other", 0.01, 2, TEXT[:250]),
    ):
        made[name] = root / name
        byrote.score_exposure(
            Ngram(order=4, alpha=alpha),
            byrote.Corpus(["\n".join(text) + "\n"]),
            [byrote.Canary("the code is {digits:4}")],
            insertions=(1, 4),
            canaries_per_level=3,
            controls=3,
            fits=fits,
            references=200,
            out=made[name],
        )
    return made


def test_levels_and_losses_pair_by_canary_and_fit(runs):
    found = byrote.compare([runs["plain"], runs["smooth"]])
    before, after = (byrote.open_run(runs[name]).exposure() for name in ("plain", "smooth"))
    change = found.changes[0]
    gap = after.exposure.bits - before.exposure.bits
    np.testing.assert_allclose(change.difference, gap)
    for level in (0, 1, 4):
        at = before.inserted == level
        told = change.levels[level]
        if before.exposure.saturated[at].any() or after.exposure.saturated[at].any():
            assert np.isnan(told.low)
            assert "lower bounds" in told.reason
            continue
        assert told.value == pytest.approx(gap[at].mean())
        assert told.low < told.value < told.high
    losses = after.test_loss - before.test_loss
    reach = stats.t.ppf(0.975, 1) * losses.std(ddof=1) / np.sqrt(2)
    told = change.test_loss
    assert told.low == pytest.approx(losses.mean() - reach)
    assert told.high == pytest.approx(losses.mean() + reach)
    perplexity = found.runs[1].perplexity
    assert perplexity.value == pytest.approx(np.exp(after.test_loss.mean()))
    table = dict(rows(found))
    assert f"{np.exp(before.test_loss.mean()):.2f}" in table["test perplexity per token"][0]
    assert any("test perplexity is" in line for line in verdicts(found))


def test_one_canary_a_secret_has_students_interval(runs):
    """With one fit each secret is one draw, and the interval is the paired t-test's."""
    one = matched_canaries.match_canaries(exposure_runs(runs, ["one"]), partial=False)["one"]
    count = len(one.rows)
    shift = np.random.default_rng(0).normal(1, 2, count)
    whole = one.result.exposure
    moved = replace(whole, bits=whole.bits + shift, saturated=np.zeros(count, bool))
    plain = replace(whole, saturated=np.zeros(count, bool))
    base, other = (
        MatchedCanaries(one.run, replace(one.result, exposure=each), one.rows)
        for each in (plain, moved)
    )
    change = matched_canaries.exposure_change("moved", base, other)
    for level in (0, 1, 4):
        test = stats.ttest_1samp(shift[one.result.inserted == level], 0)
        told = change.levels[level]
        assert (told.low, told.high) == pytest.approx(tuple(test.confidence_interval()))
    assert change.test_loss.reason == "an interval needs two fits or more"


def exposure_runs(runs, names):
    from byrote.scores.compare.compare import open_runs

    both = open_runs([runs[names[0]], runs["plain"]], [names[0], "beside"], "ids")
    return {names[0]: both[names[0]]}


BOUNDS = {
    "baseline": ((True, False), "at most"),
    "other": ((False, True), "at least"),
    "both": ((True, True), ""),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_lower_bounds_make_bounds_of_differences(case, runs):
    (base_bound, other_bound), bound = BOUNDS[case]
    one = matched_canaries.match_canaries(exposure_runs(runs, ["one"]), partial=False)["one"]
    sides = []
    for saturated in (base_bound, other_bound):
        flags = (one.result.inserted == 4) & saturated
        found = replace(one.result, exposure=replace(one.result.exposure, saturated=flags))
        sides.append(MatchedCanaries(one.run, found, one.rows))
    told = matched_canaries.exposure_change("x", *sides).levels[4]
    assert told.bound == bound
    assert np.isnan(told.low)
    assert "lower bounds" in told.reason
    assert np.isnan(told.value) == (case == "both")


def test_other_texts_are_matched_by_id_and_their_losses_are_not_compared(runs):
    with pytest.raises(byrote.InvalidInput, match="the data differ"):
        byrote.compare([runs["plain"], runs["other"]])
    found = byrote.compare([runs["plain"], runs["other"]], match="ids")
    assert found.matched == 18
    assert np.isnan(found.changes[0].test_loss.value)
    assert "may differ" in found.changes[0].test_loss.reason


def test_kinds_do_not_mix(runs, made):
    with pytest.raises(byrote.InvalidInput, match="runs must be of one kind"):
        byrote.compare([runs["plain"], made("once", 0.3)])
