"""Means, intervals and densities of the distance ratio are those of scipy."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import trapezoid

from byrote import InvalidInput
from byrote.figures import ratio_by_score, ratio_densities
from byrote.report.figures.distance_ratio import kernel_density

GENERATOR = np.random.default_rng(1)
SCORE = GENERATOR.exponential(4, 1500) - 1
RATIO = GENERATOR.lognormal(0, 0.2, 1500)


def compared(ratio=RATIO, score=SCORE):
    return SimpleNamespace(ratio=np.asarray(ratio, float), score=np.asarray(score, float))


def points(ax):
    """(x, mean, low, high) of every bin; NaN where there is no interval."""
    found = []
    for container in ax.containers:
        (x,), (y,) = container[0].get_data()
        low, high = (container[2][0].get_segments()[0][:, 1]) if container[2] else (np.nan, np.nan)
        found.append((x, y, low, high))
    return np.array(found)


@pytest.mark.parametrize("width", [1, 2.5, 4])
def test_bins_hold_means_with_student_intervals(width):
    found = points(ratio_by_score(compared(), width=width))
    assert np.allclose(found[:, 0] / width % 1, 0.5)
    several = 0
    for x, mean, low, high in found:
        values = RATIO[abs(SCORE - x) < width / 2]
        assert mean == pytest.approx(values.mean())
        if len(values) < 5:
            assert np.isnan(low)
            continue
        several += 1
        expected = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        assert (low, high) == pytest.approx(expected)
    assert several >= 4


def test_default_width_is_round_and_makes_about_25_bins():
    ax = ratio_by_score(compared())
    width = float(ax.get_xlabel().rpartition(" ")[2])
    assert width in (0.5, 1, 2, 5)
    assert 10 <= len(ax.containers) <= 27


def test_infinite_ratios_and_scores_are_left_out_and_counted():
    ratio = np.append(RATIO, [np.inf, np.inf, np.nan])
    score = np.append(SCORE, [1.0, 2.0, 3.0])
    ax = ratio_by_score(compared(ratio, score), width=2)
    assert ax.get_title(loc="left").splitlines()[0] == "2 with infinite ratio, not drawn"
    np.testing.assert_allclose(points(ax), points(ratio_by_score(compared(), width=2)))
    densities = ratio_densities(compared(ratio, score))
    assert "2 with infinite ratio, not drawn" in texts(densities)


@pytest.mark.parametrize(("records", "hollow"), [(1, True), (4, True), (5, False), (9, False)])
def test_bins_of_few_records_are_hollow_and_the_key_says_so(records, hollow):
    lone = np.random.default_rng(0).uniform(0, 9, records)  # its interval would reach far
    score, ratio = np.repeat([1.0, 3.0], [50, records]), np.append(RATIO[:50], lone)
    ax = ratio_by_score(compared(ratio, score), width=2)
    full, few = points(ax)
    assert np.isnan(few[2]) == hollow
    assert not np.isnan(full[2])
    assert ("hollow: fewer than 5 records" in ax.get_title(loc="left")) == hollow
    faces = [container[0].get_markerfacecolor() for container in ax.containers]
    assert (faces[1] == "white") == hollow
    assert faces[0] != "white"


def test_records_far_out_are_a_bin_beyond_a_break():
    ratio, score = np.append(RATIO, [1.0, 3.0]), np.append(SCORE, [8000.0, np.inf])
    ax = ratio_by_score(compared(ratio, score), width=2)
    assert [text.get_text() for text in ax.get_xticklabels(minor=True)] == ["8,000 to\n∞ (2)"]
    assert ax.get_xlim()[1] < 1000
    x, mean, *_ = points(ax)[-1]
    assert mean == 2.0
    assert x < ax.get_xlim()[1]


def test_ratios_beyond_the_edge_are_arrows_with_their_number():
    ratio, score = np.append(RATIO, [70.0, 90.0, 80.0]), np.append(SCORE, [-1.0, -1.0, 1e3])
    ax = ratio_densities(compared(ratio, score))
    assert sorted(text.get_text() for text in ax.texts) == ["2 up to 90.0", "80.0"]
    assert [line.get_marker() for line in ax.lines].count(">") == 2


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_densities_of_the_two_groups():
    ax = ratio_densities(compared(), share=0.1)
    assert texts(ax) == ["highest 10 % by M (150)", "other records (1,350)"]
    order = np.argsort(-SCORE)
    for line, rows in zip(ax.lines, (order[:150], order[150:]), strict=False):
        x, y = line.get_data()
        assert trapezoid(y, x) == pytest.approx(1, abs=0.02)
        histogram = np.mean((RATIO[rows] > 0.9) & (RATIO[rows] < 1.1))
        inside = (x > 0.9) & (x < 1.1)
        assert trapezoid(y[inside], x[inside]) == pytest.approx(histogram, abs=0.06)


def test_kernel_density_is_the_sum_of_kernels():
    values, grid = RATIO[:50], np.linspace(0, 2, 30)
    density, _ = kernel_density(values, grid)
    spread = min(values.std(ddof=1), stats.iqr(values) / 1.34)
    kernels = stats.norm.pdf(grid[:, None], values, 0.9 * spread * 50**-0.2)
    np.testing.assert_allclose(density, kernels.mean(axis=1))


def test_the_band_is_the_spread_of_densities_of_new_samples():
    grid = np.array([0.9, 1.0, 1.2])
    samples = np.random.default_rng(0).normal(1, 0.2, (400, 500))
    drawn = [kernel_density(sample, grid) for sample in samples]
    spread = np.std([density for density, _ in drawn], axis=0)
    half = np.mean([half for _, half in drawn], axis=0)
    np.testing.assert_allclose(half / 1.96, spread, rtol=0.15)


def test_densities_where_quartiles_are_alike():
    ratio = np.where(np.arange(1500) % 10 == 0, RATIO, 1.0)
    assert np.isfinite(ratio_densities(compared(ratio)).lines[0].get_ydata()).all()


BAD = {
    "width 0": (ratio_by_score, compared(), {"width": 0}, "width must be a number above 0"),
    "width text": (ratio_by_score, compared(), {"width": "2"}, "width must be a number above 0"),
    "no finite ratio": (
        ratio_by_score,
        compared([np.inf, np.nan], [1, 2]),
        {},
        "result must have a finite ratio and score",
    ),
    "share": (ratio_densities, compared(), {"share": 0}, "share must be a number between"),
    "constant": (
        ratio_densities,
        compared(np.ones(40), np.arange(40)),
        {},
        "two different finite ratios of the highest 5 % by M",
    ),
    "too few": (
        ratio_densities,
        compared(RATIO[:10], SCORE[:10]),
        {},
        "two different finite ratios of the highest 5 % by M",
    ),
}


@pytest.mark.parametrize(("draw", "result", "options", "message"), BAD.values(), ids=BAD)
def test_bad_input(draw, result, options, message):
    with pytest.raises(InvalidInput, match=message):
        draw(result, **options)
