"""What figures of exposure draw is what was given, or computed from it another way."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binomtest

from byrote import InvalidInput
from byrote.figures import (
    Estimates,
    ParetoPoint,
    PublishedModel,
    completion_by_prefix,
    exposure_by_epsilon,
    exposure_by_estimator,
    exposure_by_insertions,
    exposure_over_training,
    skew_normal_fit,
)
from byrote.report.figures import exposure_marks as marks
from byrote.report.figures import skew_normal
from byrote.scores.exposure import curve

from exposure_catalogue import (
    GIVEN,
    LEVELS,
    MAXIMUM,
    REFERENCES,
    configurations,
    course,
    estimates,
    exposure_pareto,
    fitted,
    names,
    private,
    recovered,
)


def keys(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def lines(ax, **look):
    """Data of the lines with these properties."""
    return [
        line.get_xydata()
        for line in ax.lines
        if all(getattr(line, f"get_{name}")() == value for name, value in look.items())
    ]


def segments(ax):
    """Ends of all line segments of collections, (k, 2, 2)."""
    found = [c.get_segments() for c in ax.collections if hasattr(c, "get_segments")]
    return np.array([s for group in found for s in group if len(s) == 2])


def test_the_null_is_the_exponential_distribution():
    null = stats.expon(scale=1 / np.log(2))
    assert pytest.approx(null.mean()) == marks.NULL_MEAN
    assert pytest.approx(null.ppf(0.95)) == marks.NULL_95


@pytest.mark.parametrize("count", [1, 2, 6, 9])
def test_levels_look_different(count):
    looks = marks.level_looks(np.repeat(np.arange(count) ** 2, 3))
    assert list(looks) == [place**2 for place in range(count)]
    assert len({look["marker"] for look in looks.values()}) == count
    assert len({str(look["color"]) for look in looks.values()}) == count


def test_thick_lines_are_means_and_thin_ones_canaries():
    given = course()
    ax = exposure_over_training(given).axes[0]
    thin, thick = (lines(ax, linewidth=width) for width in (0.5, 1.8))
    assert len(thin) == len(LEVELS)
    for level, mean in zip(np.unique(LEVELS), thick, strict=True):
        expected = np.mean(given.bits[level == LEVELS], axis=0)
        np.testing.assert_allclose(mean, np.column_stack([given.steps, expected]))
    drawn = np.array([line[:, 1] for line in thin])
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(given.bits, axis=0))


def test_means_are_over_known_exposures():
    given = course()
    given.bits[0, 3] = np.nan
    mean = lines(exposure_over_training(given).axes[0], linewidth=1.8)[0]
    assert mean[3, 1] == pytest.approx(np.nanmean(given.bits[LEVELS == 0, 3]))


def test_triangles_are_steps_with_a_lower_bound():
    given = course(10)
    ax = exposure_over_training(given).axes[0]
    triangles = np.concatenate(lines(ax, marker="^", linestyle="None", markerfacecolor="white"))
    expected = [
        (step, given.bits[rows, place].mean())
        for rows in (level == LEVELS for level in np.unique(LEVELS))
        for place, step in enumerate(given.steps)
        if given.saturated[rows, place].any()
    ]
    np.testing.assert_allclose(triangles, expected)
    assert marks.AT_LEAST in keys(ax)
    none = replace(given, saturated=None)
    assert marks.AT_LEAST not in keys(exposure_over_training(none).axes[0])


def test_the_turn_is_the_lowest_test_loss():
    given = course()
    turn = given.steps[min(range(20), key=lambda place: given.test_loss[place])]
    figure = exposure_over_training(given)
    for ax in figure.axes:
        assert [line[0, 0] for line in lines(ax, linewidth=1.2)] == [turn]
    assert f"lowest test loss, epoch {turn}" in keys(figure.axes[0])
    untested = exposure_over_training(replace(given, test_loss=None))
    assert keys(untested.axes[1]) == ["training loss"]
    assert not any("test loss" in key for key in keys(untested.axes[0]))


def test_points_are_canaries_with_their_intervals():
    bits = np.array([1.0, 3.0, 2.0, 8.0, 9.5, np.nan])
    low, high = bits - 0.5, bits + 1
    high[4] = np.inf
    saturated = np.array([False, False, False, False, True, False])
    times = [0, 0, 0, 4, 4, 4]
    ax = exposure_by_insertions(times, bits, low=low, high=high, saturated=saturated).axes[0]
    points = np.concatenate([xy for xy in lines(ax, linestyle="None") if len(xy) and xy[0, 0] % 1])
    drawn = {(round(x), y) for x, y in points}
    means = {(0, 2.0), (1, 8.75)}
    assert drawn == {(0, 1), (0, 2), (0, 3), (1, 8), (1, 9.5)} | means
    spans = {(s[0, 1], s[1, 1]) for s in segments(ax)}
    assert {(0.5, 2.0), (7.5, 9.0), (9.0, 9.5)} <= spans
    student = stats.t.interval(0.95, 2, 2.0, stats.sem([1, 2, 3]))
    assert any(np.allclose(span, (0, student[1])) for span in spans)  # it begins below 0
    assert len(spans) == 6  # five canaries; no interval of a mean that is a lower bound
    assert ax.get_legend().get_title().get_text() == "without an exposure, not drawn: 1"


def test_the_interval_of_a_mean_is_over_secrets():
    bits, secrets = np.array([4.0, 6.0, 5.0] * 4), [*"abc"] * 4
    ax = exposure_by_insertions([4] * 12, bits, secrets=secrets).axes[0]
    student = stats.t.interval(0.95, 2, 5.0, stats.sem([4, 5, 6]))
    assert any(np.allclose((s[0, 1], s[1, 1]), student) for s in segments(ax))


def test_intervals_of_means_end_where_exposures_do():
    ax = exposure_by_insertions([4, 4], [3.0, 5.0], maximum=6.0).axes[0]
    assert (0, 6) in {(s[0, 1], s[1, 1]) for s in segments(ax)}
    low, high = ax.get_ylim()
    assert (low < 0, high > 6) == (True, True)


def test_the_steps_are_the_frontier():
    found = configurations()
    figure = exposure_pareto(found, maximum=MAXIMUM)
    ax = figure.axes[0]
    best = sorted(
        (
            one
            for one in found
            if not any(o.x <= one.x and o.y <= one.y and o is not one for o in found)
        ),
        key=lambda one: one.x,
    )
    assert 2 < len(best) < len(found)
    step = next(line for line in ax.lines if line.get_drawstyle() == "steps-post")
    np.testing.assert_array_equal(step.get_xydata(), [(o.x, o.y) for o in best])
    texts = [text.get_text() for text in figure.subfigs[1].texts]
    assert texts[0] == "on the Pareto frontier"
    assert texts[2 : 2 * len(best) + 1 : 2] == [one.name for one in best]
    numbers = {text.get_text(): text.xy for text in ax.texts}
    assert numbers["1"] == (best[0].x, best[0].y)
    assert len(numbers) == len(found)
    assert all(one.x < other.x for one, other in pairwise(best))


def test_intervals_of_configurations():
    one = ParetoPoint("a", 3.0, 5.0, (2.5, 3.5), (4.0, 7.0))
    ax = exposure_pareto([one, ParetoPoint("b", 2.0, 9.0)]).axes[0]
    known = [s.tolist() for s in segments(ax) if not np.isnan(s).any()]
    assert known == [[[2.5, 5.0], [3.5, 5.0]], [[3.0, 4.0], [3.0, 7.0]]]


def test_wide_perplexities_have_a_logarithmic_axis():
    scales = []
    for wide in (4.0, 400.0):
        pair = [ParetoPoint("a", 2.0, 3.0), ParetoPoint("b", wide, 2.0)]
        scales.append(exposure_pareto(pair).axes[0].get_xscale())
    assert scales == ["linear", "log"]


def test_the_curve_is_scipys():
    fit = fitted(REFERENCES)
    figure = skew_normal_fit(REFERENCES, fit, 30.0)
    all_of_it, tail, error = figure.axes
    curve_of = stats.skewnorm(fit.shape, fit.location, fit.scale)
    x, y = all_of_it.lines[0].get_xdata(), all_of_it.lines[0].get_ydata()
    np.testing.assert_allclose(y, curve_of.pdf(x), rtol=1e-6, atol=1e-12)
    heights = [(p.get_height(), p.get_width()) for p in all_of_it.patches]
    assert sum(h * w for h, w in heights) == pytest.approx(1)
    drawn = {line.get_label(): line.get_xydata() for line in tail.lines}
    x, y = drawn["fitted"].T
    np.testing.assert_allclose(y, -curve_of.logcdf(x) / np.log(2), rtol=1e-3)
    x, y = drawn["counted"][99]
    assert y == pytest.approx(-np.log2(np.mean(x >= REFERENCES)))
    exposure = -curve_of.logcdf(30.0) / np.log(2)
    assert f"exposure {exposure:.1f} by the curve" in keys(all_of_it)[2]
    squares = np.concatenate(lines(error, marker="s"))
    np.testing.assert_allclose(squares[:, 1], list(fit.quantile_errors.values()))
    wave = next(line for line in error.lines if len(line.get_xdata()) > 50).get_xydata()
    at = -np.log2(0.01)
    assert np.interp(at, *wave[::-1].T[:, np.argsort(wave[::-1, 0])]) == pytest.approx(
        fit.quantile_errors["0.01"], abs=0.05
    )


def test_the_band_is_what_sampling_does():
    n = 400
    draws = stats.uniform.rvs(size=(2000, n), random_state=6)
    draws.sort(axis=1)
    errors = -np.log2(draws[:, 3]) + np.log2(4 / n)  # the curve is right, at the fourth smallest
    references = stats.norm.rvs(30, 2, size=1000, random_state=7)
    ax = skew_normal_fit(references[:n], fitted(references), 30.0).axes[2]
    corners = ax.collections[0].get_paths()[0].vertices
    ends = corners[np.isclose(corners[:, 0], -np.log2(4 / n)), 1]
    np.testing.assert_allclose(
        [ends.min(), ends.max()], np.quantile(errors, [0.025, 0.975]), atol=0.15
    )


def test_what_is_allowed_is_what_the_fit_is_refused_for():
    assert skew_normal.LIMIT == curve._BITS


def test_estimators_side_by_side():
    found = estimates()
    ax = exposure_by_estimator(found, names(), maximum=MAXIMUM).axes[0]
    for marker, one in zip("osDv", found.values(), strict=True):
        x, y = np.concatenate(lines(ax, marker=marker)).T
        bound = np.zeros(8, bool) if one.saturated is None else one.saturated
        known = ~np.isnan(one.bits) & ~bound
        np.testing.assert_array_equal(x, one.bits[known])
        np.testing.assert_array_equal(np.round(y), np.flatnonzero(known))
    x, _ = np.concatenate(lines(ax, marker=">")).T
    sampled = found["sampled, 100,000 references"]
    np.testing.assert_array_equal(x, sampled.bits[sampled.saturated])
    _, y = np.concatenate(lines(ax, marker="x")).T
    np.testing.assert_array_equal(np.round(y), np.flatnonzero(np.isnan(found["skew-normal"].bits)))
    assert {"no estimate", marks.AT_LEAST} <= set(keys(ax))
    assert np.isfinite(segments(ax)).all()


def test_models_stand_at_their_epsilon():
    models = [private("free", np.inf), private(epsilon=100.0)]
    row = PublishedModel(np.inf, 1.0, 2.0, "free")
    above, below = exposure_by_epsilon(models, published=[row], maximum=MAXIMUM).axes
    (free,), (loss,) = lines(below, marker="o")
    ((published,),) = lines(below, marker="s")
    assert tuple(published) == (free[0], 1.0)
    assert tuple(loss) == (2.0, 1.95)
    assert free[0] > 3
    means = sorted(line.get_ydata()[0] for line in above.get_lines() if line.get_zorder() == 4)
    assert means == [1.25, 1.25, 2.0, 2.0, 9.0, 9.0]
    span = below.collections[1].get_paths()[0].vertices[:, 1]
    assert span == pytest.approx(stats.t.interval(0.95, 1, 1.95, 0.05))


def test_the_interval_of_two_canaries_does_not_stretch_the_axis():
    pair = {"insertions": np.array([1, 1]), "saturated": np.zeros(2, dtype=bool)}
    one = private(bits=np.array([1.0, 20.0]), **pair)
    ax = exposure_by_epsilon([one], maximum=MAXIMUM).axes[0]
    low, high = ax.get_ylim()
    assert stats.t.interval(0.95, 1, 10.5, 9.5)[0] < -100
    assert (0, MAXIMUM) in {(s[0, 1], s[1, 1]) for s in segments(ax)}
    assert (-5 < low < 0, MAXIMUM < high < MAXIMUM + 5) == (True, True)


def test_completion_is_a_mean_and_a_share_with_wilsons_interval():
    shares = recovered()
    left, right = completion_by_prefix(GIVEN, shares, LEVELS).axes
    for level, mean, done in zip(np.unique(LEVELS), lines(left), lines(right), strict=True):
        rows = shares[level == LEVELS]
        np.testing.assert_allclose(mean, np.column_stack([GIVEN, np.nanmean(rows, axis=0)]))
        tried = (~np.isnan(rows)).sum(axis=0)
        np.testing.assert_allclose(done[:, 1], (rows == 1).sum(axis=0) / tried)
        np.testing.assert_array_equal(np.round(done[:, 0]), GIVEN)
    rows = shares[LEVELS == 8]
    spans = [s[:, 1] for s in segments(right) if round(s[0, 0]) == 8]
    expected = binomtest(int((rows[:, 8] == 1).sum()), 3).proportion_ci(method="wilson")
    assert any(np.allclose(span, expected) for span in spans)


ONE = Estimates(np.ones(2))
BAD = {
    "bits": (lambda: exposure_over_training(course(bits=np.ones((2, 3)))), "bits must have shape"),
    "no bits": (
        lambda: exposure_over_training(course(bits=np.full((len(LEVELS), 20), np.nan))),
        "bits must have a finite exposure",
    ),
    "losses": (
        lambda: exposure_over_training(course(test_loss=np.ones(3))),
        r"test_loss must have shape \(20,\); got \(3,\)",
    ),
    "losses without steps": (
        lambda: exposure_over_training(course(loss_steps=None)),
        "train_loss must have shape",
    ),
    "insertions": (lambda: exposure_by_insertions([1], [1.0, 2.0]), "insertions must have shape"),
    "low": (lambda: exposure_by_insertions([1], [1.0], low=[1, 2]), "low must have shape"),
    "secrets": (
        lambda: exposure_by_insertions([1], [1.0], secrets=["a", "b"]),
        "secrets must have shape",
    ),
    "nothing": (lambda: exposure_by_insertions([1], [np.nan]), "bits must have a finite exposure"),
    "no model": (lambda: exposure_pareto([]), "points must be 1 to 40 in number; got 0"),
    "perplexity": (
        lambda: exposure_pareto([ParetoPoint("a", np.nan, 1.0)]),
        "coordinates of 'a' must be finite; got nan and 1.0",
    ),
    "exposure": (
        lambda: exposure_pareto([ParetoPoint("a", 1.0, np.inf)]),
        "coordinates of 'a' must be finite; got 1.0 and inf",
    ),
    "references": (
        lambda: skew_normal_fit([1.0, np.nan], fitted(REFERENCES), 1.0),
        "references must be 2 or more finite numbers",
    ),
    "canary": (
        lambda: skew_normal_fit(REFERENCES, fitted(REFERENCES), np.nan),
        "canary must be a finite log-perplexity",
    ),
    "no curve": (
        lambda: skew_normal_fit(
            REFERENCES, replace(fitted(REFERENCES), location=np.nan, reason="it diverges"), 1.0
        ),
        "fit must have a curve to draw; it has none: it diverges",
    ),
    "no estimators": (lambda: exposure_by_estimator({}, ["a"]), "1 to 6 estimators; got 0"),
    "no names": (lambda: exposure_by_estimator({"a": ONE}, []), "1 to 40 canaries; got 0"),
    "estimates": (
        lambda: exposure_by_estimator({"a": ONE}, ["a"]),
        r"bits of 'a' must have shape \(1,\); got \(2,\)",
    ),
    "no private model": (lambda: exposure_by_epsilon([]), "models must hold at least one"),
    "epsilon": (
        lambda: exposure_by_epsilon([private(epsilon=0.0)]),
        "epsilon must be above 0, inf without privacy; got 0.0",
    ),
    "shares": (lambda: completion_by_prefix([0], [[1.5]], [1]), "shares between 0 and 1"),
    "lengths": (lambda: completion_by_prefix([0], [[0.5, 1]], [1]), "recovered must have shape"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
