"""Counts and shares by log-likelihood are those of a histogram made by itself."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import ConnectionPatch
from scipy.stats import norm

from byrote import InvalidInput
from byrote.figures import (
    memorized_by_log_prob,
    memorized_examples,
    memorized_share_by_log_prob,
)
from byrote.report.figures.record_marks import FOUND_NAME
from byrote.report.figures.style import BLUE, SKY, VERMILION

GENERATOR = np.random.default_rng(0)
SCORE = GENERATOR.exponential(4, 1000)
LOG_PROB = GENERATOR.normal(-100, 10, 1000) - SCORE


def histograms(score, log_prob, edges, share=0.05):
    """Highest by M and other records per bin."""
    high = np.zeros(len(score), bool)
    high[np.argsort(score)[-round(share * len(score)) :]] = True
    log_prob = np.clip(log_prob, edges[0], edges[-1])
    return np.histogram(log_prob[high], edges)[0], np.histogram(log_prob[~high], edges)[0]


def bars(ax, container):
    return np.array([bar.get_height() for bar in ax.containers[container]])


def edges_of(ax):
    bars = ax.containers[0]
    return np.array([*(bar.get_x() for bar in bars), bars[-1].get_x() + bars[-1].get_width()])


def words(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(("share", "bins"), [(0.05, 20), (0.2, 7), (0.001, 3)])
def test_counts(made, share, bins):
    ax = memorized_by_log_prob(made(SCORE, LOG_PROB), share=share, bins=bins)
    high, regular = histograms(SCORE, LOG_PROB, edges_of(ax), share)
    assert len(high) == bins
    np.testing.assert_array_equal(bars(ax, 0), high)
    np.testing.assert_array_equal(bars(ax, 1), regular)
    assert bars(ax, 0).sum() == 1000 * share
    np.testing.assert_array_equal([bar.get_y() for bar in ax.containers[1]], high)
    assert words(ax) == [f"{k}" for k, n in zip(high, high + regular, strict=True) if n]


def test_shares_sum_to_one_and_have_wilson_intervals(made):
    ax = memorized_share_by_log_prob(made(SCORE, LOG_PROB), bins=8)
    counts = memorized_by_log_prob(made(SCORE, LOG_PROB), bins=8)
    high, regular = histograms(SCORE, LOG_PROB, edges_of(counts))
    n = high + regular
    assert n.min() > 0
    np.testing.assert_allclose(bars(ax, 0), high / n)
    np.testing.assert_allclose(bars(ax, 0) + bars(ax, 1), 1)
    assert words(ax) == [str(count) for count in n]
    (segments,) = ax.containers[2][2]
    for k, total, segment in zip(high, n, segments.get_segments(), strict=True):
        for end, sign in zip(segment[:, 1], (-1, 1), strict=True):  # Wilson inverts a score test
            rounding = np.sqrt(end * (1 - end) / total) * norm.ppf(0.975)
            assert k / total - end == pytest.approx(-sign * rounding, abs=1e-9)


def test_the_band_holds_the_central_ninety_per_cent(made):
    ax = memorized_by_log_prob(made(SCORE, LOG_PROB))
    label = ax.get_legend().get_texts()[0].get_text()
    q05, q95 = np.quantile(LOG_PROB, (0.05, 0.95))
    high = np.argsort(SCORE)[-50:]
    inside = np.mean((LOG_PROB[high] >= q05) & (LOG_PROB[high] <= q95))
    assert label == f"central 90 % of records, {100 * inside:.0f} % of the highest"


def test_records_far_out_are_in_a_bin_beyond_a_break(made):
    log_prob = np.append(LOG_PROB, [-1e6, -np.inf, np.nan])
    score = np.append(SCORE, [0.0, 0.0, np.nan])
    ax = memorized_by_log_prob(made(score, log_prob))
    assert bars(ax, 0).sum() + bars(ax, 1).sum() == 1002
    assert bars(ax, 1)[0] == 2
    assert [text.get_text() for text in ax.get_xticklabels(minor=True)] == ["-∞ to\n-1,000,000 (2)"]
    assert -300 < ax.get_xlim()[0] < ax.containers[1][0].get_x()


@pytest.mark.parametrize("draw", [memorized_by_log_prob, memorized_share_by_log_prob])
def test_records_found_have_a_mark_and_a_number_of_their_own(made, draw):
    """Whether they are among the highest by M or not, and far out too."""
    log_prob, q_value = np.append(LOG_PROB, -1e6), np.ones(1001)
    order = np.argsort(SCORE)
    q_value[[order[0], order[-1], 1000]] = 0.01
    ax = draw(made(np.append(SCORE, 99.0), log_prob, q_value=q_value))
    (marks,) = [line for line in ax.lines if line.get_label() == FOUND_NAME]
    assert (marks.get_marker(), to_hex(marks.get_color()).upper()) == ("D", VERMILION)
    low, *_ = marks.get_xdata()
    assert low == pytest.approx(ax.containers[0][0].get_x() + ax.containers[0][0].get_width() / 2)
    numbers = [t.get_text() for t in ax.texts if t.get_color() == VERMILION]
    assert sum(map(int, numbers)) == 3
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"highest 5 % by M", "found (q ≤ 0.05): 3"} <= set(names)
    assert names[-1].endswith("; on diamonds: found")
    assert not {"D"} & {line.get_marker() for line in draw(made(SCORE, LOG_PROB)).lines}


@pytest.mark.parametrize("log_prob", [np.zeros(40), np.full(40, -3.5)])
def test_all_alike(made, log_prob):
    ax = memorized_by_log_prob(made(np.arange(40), log_prob))
    assert bars(ax, 0).sum() == 2
    assert bars(ax, 1).sum() == 38


def test_labels_have_units(made):
    ax = memorized_by_log_prob(made(SCORE, LOG_PROB))
    assert "(nats)" in ax.get_xlabel()
    assert ax.get_ylabel() == "records"
    assert [t.get_text() for t in ax.get_legend().get_texts()][1:] == [
        "highest 5 % by M",
        "other records",
        "none found (q ≤ 0.05)",
        "numbers: highest by M",
    ]
    shares = memorized_share_by_log_prob(made(SCORE, LOG_PROB))
    assert shares.get_legend().get_texts()[-1].get_text() == "numbers: records in the bin"
    figure = memorized_examples(made(SCORE, LOG_PROB), pictures(1000), columns=2, each=1)
    examples = figure.axes[0]
    assert examples.get_legend().get_texts()[-1].get_text().startswith("numbers: highest by M")


def pictures(n):
    return np.broadcast_to((np.arange(n) / n)[:, None, None], (n, 3, 3))


def test_examples_lie_in_the_bin_that_their_line_leads_to(made):
    figure = memorized_examples(made(SCORE, LOG_PROB), pictures(1000), columns=4, each=2, seed=3)
    ax, *strip = figure.axes
    lines = [artist for artist in figure.artists if isinstance(artist, ConnectionPatch)]
    edges = edges_of(ax)
    assert len(lines) == 4
    assert len(strip) == 16
    high = set(np.argsort(SCORE)[-50:].tolist())
    shown = 0
    for column, line in enumerate(lines):
        place = np.searchsorted(edges, line.xy2[0]) - 1
        for image in strip[column::4]:
            if not image.axison:
                continue
            row = round(float(image.images[0].get_array().flat[0]) * 1000)
            assert edges[place] <= LOG_PROB[row] <= edges[place + 1]
            frame = to_hex(image.spines["left"].get_edgecolor()).upper()
            assert frame == (SKY if row in high else BLUE)
            shown += 1
    assert shown >= 12


def test_examples_found_are_framed_as_found(made):
    result = made(SCORE, LOG_PROB, q_value=0.01)
    figure = memorized_examples(result, pictures(1000), columns=3, each=2)
    for ax in figure.axes[1:]:
        if ax.axison:
            assert to_hex(ax.spines["left"].get_edgecolor()).upper() == VERMILION
            assert [line.get_marker() for line in ax.lines] == ["D"]


def shown(figure):
    return [float(ax.images[0].get_array().flat[0]) for ax in figure.axes[1:] if ax.axison]


def test_examples_are_drawn_from_the_seed(made):
    result = made(SCORE, LOG_PROB)
    first, again, other = (
        shown(memorized_examples(result, pictures(1000), columns=3, each=2, seed=seed))
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_records(made, n):
    figure = memorized_examples(made(np.arange(n), np.arange(n)), pictures(n))
    assert sorted(round(value * n) for value in shown(figure)) == list(range(n))


BAD = {
    "share": ({"share": 1.0}, "share must be a number between 0 and 1"),
    "bins": ({"bins": 1}, "bins must be an integer of at least 2"),
    "bins as a float": ({"bins": 2.5}, "bins must be an integer"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("draw", [memorized_by_log_prob, memorized_share_by_log_prob])
def test_bad_options(made, draw, options, message):
    with pytest.raises(InvalidInput, match=message):
        draw(made(SCORE, LOG_PROB), **options)


@pytest.mark.parametrize("draw", [memorized_by_log_prob, memorized_share_by_log_prob])
def test_nothing_to_draw(made, draw):
    with pytest.raises(InvalidInput, match="result must have a score and a finite log-likelihood"):
        draw(made([np.nan, 1.0], [0.0, -np.inf]))


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((999, 3, 3)), {}, "images must be 1000 images"),
        (np.zeros((1000, 9)), {}, "images must be 1000 images"),
        (pictures(1000), {"each": 0}, "each must be an integer of at least 1"),
        (pictures(1000), {"columns": 0}, "columns must be an integer of at least 1"),
    ],
)
def test_bad_examples(made, images, options, message):
    with pytest.raises(InvalidInput, match=message):
        memorized_examples(made(SCORE, LOG_PROB), images, **options)
