"""Figures of mitigations: what is drawn is what was given; the laws are those of exposure's."""

import numpy as np
import pytest

from byrote.errors import InvalidInput
from byrote.figures import (
    OnionRound,
    ParetoPoint,
    Quantiles,
    onion,
    quantiles_by_configuration,
)

from exposure_catalogue import change_pareto, changes, peeled, quantiles


def test_changes_stand_beside_what_they_are_compared_with():
    found = changes()
    figure = change_pareto(found, "plain")
    ax = figure.axes[0]
    places = {tuple(line.get_xydata()[0]) for line in ax.lines if len(line.get_xydata()) == 1}
    assert places == {(0.0, 0.0), *((point.x, point.y) for point in found)}
    best = [
        (x, y)
        for x, y in places
        if not any(a <= x and b <= y and (a, b) != (x, y) for a, b in places)
    ]
    step = next(line for line in ax.lines if line.get_drawstyle() == "steps-post")
    np.testing.assert_array_equal(step.get_xydata(), sorted(best))
    assert "plain" in [text.get_text() for text in figure.subfigs[1].texts]


def test_one_change_far_off_bends_the_axis():
    near, far = ParetoPoint("near", 1.0, -1.0), ParetoPoint("far", 90.0, -2.0)
    some = [near, ParetoPoint("b", 1.5, 0.0), ParetoPoint("c", 0.5, 0.0)]
    scales = [change_pareto(given, "x").axes[0].get_xscale() for given in (some, [*some, far])]
    assert scales == ["linear", "symlog"]


def test_a_row_has_its_quantiles_and_those_by_chance():
    given = quantiles(3)
    ax = quantiles_by_configuration(given).axes[0]
    for level in given[0].values:
        drawn = [line.get_xdata().tolist() for line in ax.lines if len(line.get_xdata()) == 3]
        assert [one.values[level] for one in given] in drawn
        assert [one.by_chance[level] for one in given] in drawn
    names = [text.get_text().replace(r"\$", "$") for text in ax.get_yticklabels()]
    assert names == [one.name for one in given]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top


def test_rounds_have_both_sides_and_intervals_where_known():
    left, right = onion(peeled(), newly="x").axes
    shares = [line.get_ydata().tolist() for line in left.lines]
    assert shares == [[0.03, 0.015, 0.01], [0.02] * 3]
    assert [line.get_ydata().tolist() for line in right.lines] == [[1.0] * 3, [1.1] * 3]
    spans = [s for lines in left.collections for s in lines.get_segments()]
    known = [s[:, 1].tolist() for s in spans if s.size and not np.isnan(s).any()]
    assert np.allclose(known, [[0.01, 0.05], [0.005, 0.025], [0.01 / 3, 0.05 / 3]])


ONE = Quantiles("a", {0.5: 1.0}, {})
ROUND = OnionRound(1, (np.nan,) * 3, (0.0,) * 3, (1.0,) * 3, (1.0,) * 3)
REFUSED = {
    "no change": (lambda: change_pareto([], "x"), "must be 1 to 40 in number; got 0"),
    "many": (lambda: change_pareto(changes(40), "x"), "1 to 40 in number; got 41"),
    "unknown": (
        lambda: change_pareto([ParetoPoint("a", np.nan, 1.0)], "x"),
        "the coordinates of 'a' must be finite; got nan and 1.0",
    ),
    "no row": (lambda: quantiles_by_configuration([]), "configurations must be 1 to 40"),
    "levels": (
        lambda: quantiles_by_configuration([ONE, Quantiles("b", {0.9: 1.0}, {})]),
        "'b' must have the quantiles of the others",
    ),
    "no level": (lambda: quantiles_by_configuration([Quantiles("b", {}, {})]), "1 to 4 quantiles"),
    "infinite": (
        lambda: quantiles_by_configuration([Quantiles("b", {0.5: np.inf}, {})]),
        "the quantiles of 'b' must be finite",
    ),
    "no round": (lambda: onion([], newly="x"), "rounds must hold at least one"),
    "no mean": (lambda: onion([ROUND], newly="x"), "the means of round 1 must be finite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_is_refused(case):
    draw, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=message):
        draw()
