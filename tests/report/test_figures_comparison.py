"""Figures of comparisons show the numbers they are given."""

import numpy as np
import pytest

from byrote import InvalidInput
from byrote.figures import PairedScores, paired_scores
from byrote.report.figures.paired_scores import _LOOKS

CROSSINGS = np.array(["neither", "both", "no longer", "newly"])


def scores(n=200, seed=0, name="mild"):
    draw = np.random.default_rng(seed)
    base = draw.lognormal(0, 2, n) - 1
    return PairedScores(name, base, base * draw.uniform(0.1, 1.2, n), CROSSINGS[np.arange(n) % 4])


def test_every_record_is_a_point_in_the_colour_of_its_crossing():
    one = scores()
    ax = paired_scores([one], "plain").axes[0]
    for crossing, points in zip(_LOOKS, ax.collections, strict=True):
        own = one.crossing == crossing
        np.testing.assert_allclose(points.get_offsets(), np.c_[one.baseline, one.score][own])
    (line,) = ax.lines
    np.testing.assert_array_equal(*line.get_data())
    assert ax.get_xlim() == pytest.approx(ax.get_ylim())
    low, high = ax.get_xlim()
    assert low < min(one.baseline.min(), one.score.min())
    assert high > max(one.baseline.max(), one.score.max())
    assert "no longer: 50\nnewly: 50\nboth: 50" in ax.texts[0].get_text()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_panels_share_their_scale_and_are_drawn_whole(count, recwarn):
    figure = paired_scores([scores(seed=k, name=f"run {k}") for k in range(count)], "plain")
    figure.draw_without_rendering()
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert len(shown) == count
    assert len({ax.get_xlim() for ax in shown}) == 1
    box = figure.bbox
    for ax in shown:
        tight = ax.get_tightbbox()
        assert tight.x0 >= box.x0 - 1
        assert tight.x1 <= box.x1 + 1
    assert not recwarn


def test_infinite_scores_are_counted():
    one = scores(8)
    one.baseline[0] = np.inf
    ax = paired_scores([one], "plain").axes[0]
    assert "not drawn, infinite or unknown: 1" in ax.texts[0].get_text()


BAD = {
    "no run": (lambda: paired_scores([], "plain"), "runs must be 1 to 9"),
    "ten runs": (lambda: paired_scores([scores()] * 10, "plain"), "got 10"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_drawn_is_refused(case):
    draw, message = BAD[case]
    with pytest.raises(InvalidInput, match=message):
        draw()
