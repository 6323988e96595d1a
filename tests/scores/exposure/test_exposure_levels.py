"""Levels of insertion, and controls that are, or are not, what they should be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import byrote
from byrote.scores.exposure.levels import by_insertions, check_controls, check_roles, mean_exposure

GENERATOR = np.random.default_rng(11)
REFERENCES = GENERATOR.normal(30, 3, 4000)


def made(canaries, references=REFERENCES):
    return byrote.exposure.estimate_exposure(canaries, references)


def test_levels_are_what_scipy_makes_of_their_canaries():
    times = np.array([4, 0, 0, 4, 0, 4, 1])
    exposure = made(np.where(times == 4, 24.0, 30.0) + GENERATOR.normal(0, 1, 7))
    found = by_insertions(exposure, times)
    assert [level.insertions for level in found] == [0, 1, 4]
    for level in found:
        bits = exposure.bits[times == level.insertions]
        assert level.canaries == level.estimated == len(bits)
        assert (level.mean, level.median) == pytest.approx((np.mean(bits), np.median(bits)))
        p_values = exposure.p_value[times == level.insertions]
        assert level.p_value == pytest.approx(stats.combine_pvalues(p_values).pvalue)
    bits = exposure.bits[times == 4]
    interval = stats.t.interval(0.95, 2, bits.mean(), stats.sem(bits))
    assert (found[2].low, found[2].high) == pytest.approx(interval)
    assert np.isnan([found[1].low, found[1].high]).all()


def test_the_interval_of_a_mean_ends_where_exposures_do():
    generator = np.random.default_rng(5)
    exposure, times = made(generator.normal(25, 1, 5)), np.full(5, 4)
    bits = exposure.bits
    free = stats.t.interval(0.95, 4, bits.mean(), stats.sem(bits))
    for ceiling in (bits.max(), free[1] - 0.01, free[1] + 0.01, np.nan):
        level = by_insertions(replace(exposure, maximum=np.full(5, ceiling)), times)[0]
        assert (level.low, level.high) == pytest.approx((free[0], np.fmin(free[1], ceiling)))
    never = mean_exposure([0.1, 4.0, 0.2], [*"abc"], maximum=[10.0, 20.0, 30.0])
    assert never.low == 0
    assert mean_exposure([19.0, 20.0, 20.0], [*"abc"], maximum=20).high == 20
    assert mean_exposure([-1.0, 9.0, 2.0], [*"abc"]).low < 0  # differences have no such ends
    assert mean_exposure([20.5, 20.5], [*"ab"], maximum=20).interval == (20.5, 20.5)


def test_cut_intervals_hold_the_mean_as_often():
    """The true mean is possible, so it is where the interval was cut off or where it was."""
    generator = np.random.default_rng(6)
    hits = {None: 0, 1.0: 0}
    for _ in range(500):
        bits = generator.beta(8, 0.5, size=8)
        for maximum in hits:
            average = mean_exposure(bits, np.arange(8), maximum=maximum)
            hits[maximum] += average.low <= 8 / 8.5 <= average.high
    assert hits[None] == hits[1.0]


def test_lower_bounds_have_no_interval():
    level = by_insertions(made([1.0, 27.0, 28.0]), [4, 4, 4])[0]
    assert (level.saturated, level.canaries) == (1, 3)
    assert np.isnan([level.low, level.high]).all()
    assert level.mean > np.log2(4000) / 3


def test_p_values_of_the_check_are_uniform():
    found = [
        check_controls(
            made(GENERATOR.normal(30, 3, 40), GENERATOR.normal(30, 3, 2000)), np.zeros(40, int)
        )
        for _ in range(150)
    ]
    for name in ("mean_p_value", "ks_p_value"):
        p_values = [getattr(one, name) for one in found]
        for level in (0.1, 0.5):
            assert np.mean(np.less(p_values, level)) == pytest.approx(level, abs=0.08)


def test_controls_that_the_model_favours_fail():
    found = check_controls(made(GENERATOR.normal(27, 3, 100)), np.zeros(100, int))
    assert not found.calibrated
    assert found.mean > 2


def test_the_mean_is_tested_exactly():
    exposure = made(GENERATOR.normal(30, 3, 25))
    found = check_controls(exposure, np.zeros(25, int))
    null = stats.gamma(25, scale=1 / np.log(2) / 25)
    tails = null.cdf(exposure.bits.mean()), null.sf(exposure.bits.mean())
    assert found.mean_p_value == pytest.approx(2 * min(tails))
    assert found.ks == pytest.approx(stats.kstest(exposure.p_value, "uniform").statistic)


def over_fits(exposure, fits):
    """The same exposures in each of several fits, as a run gives them."""
    several = byrote.Exposure.concat([exposure] * fits)
    return several, np.zeros(len(several), dtype=int)


def test_a_secret_in_several_fits_is_one_draw():
    exposure = made(GENERATOR.normal(30, 3, 10))
    several, never = over_fits(exposure, 4)
    one, all_of_them = by_insertions(exposure, never[:10])[0], by_insertions(several, never)[0]
    assert (all_of_them.canaries, all_of_them.mean) == (40, pytest.approx(one.mean))
    assert (all_of_them.low, all_of_them.high) == pytest.approx((one.low, one.high))
    twice = np.minimum(1, 2 * exposure.p_value)
    assert all_of_them.p_value == pytest.approx(stats.combine_pvalues(twice).pvalue)
    assert check_controls(several, never) == check_controls(exposure, never[:10])


def test_bounds_of_controls_are_not_tested():
    exposure = made(GENERATOR.normal(30, 3, 20))
    bound = np.arange(20) == 3
    ended = replace(
        exposure,
        saturated=bound,
        rank=np.where(bound, np.nan, exposure.rank),
        p_value=np.where(bound, 1.0, exposure.p_value),
    )
    found = check_controls(ended, np.zeros(20, int))
    assert found.controls == 20
    assert np.isnan([found.mean_p_value, found.ks, found.ks_p_value]).all()


def test_without_controls_nothing_is_said():
    found = check_controls(made([20.0]), [4])
    assert found.controls == 0
    assert np.isnan([found.mean, found.mean_p_value, found.ks, found.ks_p_value]).all()


BAD = {
    "inserted": ([1], ["canary"] * 2, r"inserted must have shape \(2,\); got \(1,\)"),
    "role": ([1, 1], ["canary"], "role must have shape"),
    "negative": ([-1, 0], ["canary"] * 2, "inserted must be whole numbers of at least 0"),
    "fractions": ([0.5, 0], ["canary"] * 2, "inserted must be whole numbers"),
    "unknown": ([1, 0], ["canary", "spy"], "role must be one of canary, control; got 'spy'"),
    "inserted control": ([1, 2], ["canary", "control"], "controls must not be inserted; 1 of them"),
}


@pytest.mark.parametrize(("inserted", "role", "message"), BAD.values(), ids=BAD)
def test_bad_input(inserted, role, message):
    with pytest.raises(byrote.InvalidInput, match=message):
        check_roles(made([20.0, 21.0]), inserted, role)
