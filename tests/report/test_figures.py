"""Figures hold the numbers that they claim to hold."""

import io
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from sklearn.neighbors import KernelDensity

import byrote
from byrote import InvalidInput, KFold, LeaveOneOut, Probes
from byrote.figures import gallery, score_distribution
from byrote.report.figures.record_marks import FOUND_NAME, UNCLEARED_NAME
from byrote.report.figures.style import VERMILION, figure_of
from byrote.report.format import number

from estimators import PureNoise

STARTS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.fixture(scope="module")
def template():
    return byrote.score_memorization(PureNoise(), np.zeros((2000, 1)), plan=KFold(2, 1))


@pytest.fixture
def scored(template):
    """A result with given scores; all else is cut to fit."""

    def result(score, q_value=1.0):
        n = len(score)
        return replace(
            template,
            score=np.asarray(score, float),
            mean_log=np.asarray(score, float),
            q_value=np.broadcast_to(np.asarray(q_value, float), n),
            ids=np.arange(n),
        )

    return result


def normal(n, seed=0):
    return np.random.default_rng(seed).normal(4, 3, n)


def heights(ax):
    return np.array([bar.get_height() for bar in ax.patches])


def line(ax):
    (drawn,) = [line for line in ax.lines if line.get_label().startswith("95th")]
    (x,) = set(drawn.get_xdata())
    return x


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def beyond(ax):
    """Labels of the bins beyond the axis."""
    return [text.get_text() for text in ax.get_xticklabels(minor=True)]


SCORES = {
    "normal": normal(2000),
    "long tail": np.exp(normal(2000) / 2),
    "few": normal(3),
    "one": np.array([2.5]),
    "two alike": np.array([2.5, 2.5]),
    "constant": np.full(100, -3.0),
    "zero": np.zeros(50),
    "huge": normal(100) * 1e12,
    "tiny": normal(100) * 1e-12,
    "one outlier": np.append(np.zeros(1999), 1e9),
    "NaN": np.where(np.arange(200) % 3 == 0, np.nan, normal(200)),
    "infinite": np.where(np.arange(2000) % 500 == 0, np.inf, normal(2000)),
    "both infinities": np.append(normal(2000), [np.inf, -np.inf, np.nan]),
}


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_every_score_is_in_a_bar_within_the_axis(scored, score):
    ax = score_distribution(scored(score))
    assert heights(ax).sum() == np.count_nonzero(~np.isnan(score))
    low, high = ax.get_xlim()
    for bar in ax.patches:
        assert low <= bar.get_x() < bar.get_x() + bar.get_width() <= high
    written(figure_of(ax), "svg")


@pytest.mark.parametrize(
    "score",
    [np.append(np.full(50, 100.0), np.nextafter(100, 200)), np.full(50, 1e17)],
    ids=["all but constant", "constant and huge"],
)
def test_scores_that_differ_by_rounding_are_drawn(scored, score):
    assert heights(score_distribution(scored(score))).sum() == len(score)


@pytest.mark.parametrize("name", ["normal", "long tail", "few", "constant", "NaN"])
def test_the_line_is_the_95th_percentile(scored, name):
    score = SCORES[name][~np.isnan(SCORES[name])]
    ax = score_distribution(scored(SCORES[name]))
    assert line(ax) == pytest.approx(np.quantile(score, 0.95))
    assert legend(ax)[0] == f"95th percentile of M: {number(np.quantile(score, 0.95))}"


def test_the_line_is_that_of_the_summary():
    result = byrote.score_memorization(PureNoise(), np.zeros((300, 1)), plan=KFold(5, 3))
    summary = result.summary().distribution["score"]["q0.95"].value
    assert line(score_distribution(result)) == pytest.approx(summary)


def test_bars_are_a_histogram(scored):
    score = np.repeat([0.0, 1.0, 3.0], [5, 7, 11])
    ax = score_distribution(scored(score))
    assert [height for height in heights(ax) if height] == [5, 7, 11]
    filled = [bar for bar in ax.patches if bar.get_height()]
    assert filled[0].get_x() == pytest.approx(0)
    assert filled[-1].get_x() + filled[-1].get_width() == pytest.approx(3)


def test_scores_beyond_the_edge_are_a_bar_beyond_a_break(scored):
    score = np.append(np.linspace(0, 1, 1995), [50.0, 60.0, 70.0, 80.0, 1234.0])
    ax = score_distribution(scored(score))
    assert beyond(ax) == ["50.0 to\n1,234 (5)"]
    assert heights(ax)[-1] == 5
    assert ax.get_xlim()[1] < 3
    assert [text.get_text() for text in ax.texts] == ["//"]
    mirrored = score_distribution(scored(-score))
    assert beyond(mirrored) == ["-1,234 to\n-50.0 (5)"]
    assert not beyond(score_distribution(scored(np.full(9, 2.0))))


@pytest.mark.parametrize("sign", [np.inf, -np.inf])
def test_infinite_scores_are_beyond_the_edge_too(scored, sign):
    """They are no rounding matter: plus infinity is the most memorized of all."""
    score = np.append(np.linspace(0, 1, 997), [sign] * 3)
    assert beyond(score_distribution(scored(score))) == [f"{number(sign)}\n(3)"]


def diamonds(ax):
    drawn = [line for line in ax.lines if line.get_label() == FOUND_NAME]
    return np.concatenate([line.get_xdata() for line in drawn]) if drawn else np.array([])


def test_a_record_found_far_out_is_seen_with_its_value(scored):
    """The planted record of 76 nats: not cut off, and not like the five beside it."""
    score = np.append(normal(2000), 760.0)
    ax = score_distribution(scored(score, np.append(np.ones(2000), 0.003)))
    (place,) = diamonds(ax)
    assert np.quantile(score, 0.999) < place < ax.get_xlim()[1]
    assert beyond(ax) == ["760"]
    assert "760" in [text.get_text() for text in ax.texts]
    assert legend(ax)[1] == "found (q ≤ 0.05): 1"


def test_records_found_are_marked_where_they_are(scored):
    q_value = np.ones(2000)
    q_value[[5, 9]] = 0.05
    score = normal(2000)
    ax = score_distribution(scored(score, q_value))
    np.testing.assert_allclose(np.sort(diamonds(ax)), np.sort(score[[5, 9]]), atol=0.5)
    red = sum(bar.get_height() for bar in ax.patches if to_hex(bar.get_facecolor()) == "#d55e00")
    assert red == 2


@pytest.mark.parametrize(
    ("q_value", "name"),
    [(0.051, "none found (q ≤ 0.05)"), (np.nan, "found: unknown, no p-values")],
)
def test_a_run_without_findings_has_no_mark_of_one(scored, q_value, name):
    ax = score_distribution(scored(normal(300), q_value))
    assert legend(ax)[1] == name
    assert not len(diamonds(ax))
    colours = {to_hex(artist.get_color()) for artist in ax.lines}
    colours |= {to_hex(bar.get_facecolor()) for bar in ax.patches if bar.get_height()}
    assert VERMILION.lower() not in colours


def test_a_record_not_cleared_is_marked_as_that(scored):
    result = scored(np.append(normal(500), 800.0))
    sensitivity = replace(result.summary().sensitivity, unexplained=500)
    summary = replace(result.summary(), sensitivity=sensitivity)
    ax = score_distribution(replace(result, _summary=summary))
    assert legend(ax)[1:] == ["none found (q ≤ 0.05)", UNCLEARED_NAME]
    (drawn,) = [line for line in ax.lines if line.get_label() == UNCLEARED_NAME]
    assert drawn.get_markerfacecolor() == "white"


@pytest.mark.parametrize("score", [[np.nan] * 3, [np.inf, -np.inf, np.nan]])
def test_nothing_to_draw_is_refused(scored, score):
    with pytest.raises(InvalidInput, match="result must have a finite score to draw"):
        score_distribution(scored(score))


def test_axes_carry_units(scored):
    ax = score_distribution(scored(normal(50)))
    assert ax.get_xlabel() == "memorization score M (nats)"
    assert ax.get_ylabel() == "records"


def test_it_draws_where_it_is_told(scored):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert score_distribution(scored(normal(50)), right) is right
    assert score_distribution(scored(normal(50)), ax=left) is left
    assert figure_of(left) is figure_of(right) is figure
    assert len(left.patches) == len(right.patches)


def test_the_figure_of_a_part_is_the_whole():
    figure = Figure()
    ax = figure.subfigures(1, 2)[0].subplots()
    assert figure_of(ax) is figure
    ax.remove()
    with pytest.raises(InvalidInput, match="ax must belong to a figure"):
        figure_of(ax)


def test_no_figure_is_left_open_and_no_setting_changed(scored):
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    score_distribution(scored(normal(50)))
    gallery(scored(normal(50)), numbered(50), each=1)
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def written(figure, format_):
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format_, dpi=50)
    assert buffer.getvalue().startswith(STARTS[format_])
    return buffer.getvalue()


def test_figures_are_written(scored):
    result = scored(normal(50))
    for figure in (
        figure_of(score_distribution(result)),
        gallery(result, numbered(50), each=2),
    ):
        for format_ in STARTS:
            assert len(written(figure, format_)) > 1000


def numbered(n, channels=()):
    """Images that hold their own row number."""
    return np.broadcast_to(
        (np.arange(n) / n).reshape(-1, *[1] * (2 + len(channels))), (n, 4, 5, *channels)
    ).copy()


def shown(figure, n):
    """Rows of records in a gallery, and the titles above them."""
    grid = [[], [], []]
    titles = [[], [], []]
    each = len(figure.axes) // 3
    for place, ax in enumerate(figure.axes):
        pixels = np.asarray(ax.images[0].get_array())
        assert np.ptp(pixels) == 0
        grid[place // each].append(round(float(pixels.flat[0]) * n))
        titles[place // each].append(ax.get_title())
    return grid, titles


def test_a_gallery_shows_lowest_median_and_highest(scored):
    score = normal(41)
    figure = gallery(scored(score), numbered(41), each=5)
    (lowest, median, highest), titles = shown(figure, 41)
    rising = np.argsort(score)
    assert lowest == rising[:5].tolist()
    assert median == rising[18:23].tolist()
    assert highest == rising[-5:].tolist()
    assert median[2] == np.flatnonzero(score == np.median(score))[0]
    for rows, texts in zip((lowest, median, highest), titles, strict=True):
        assert texts == [number(score[row]) for row in rows]
    assert [ax.get_ylabel() for ax in figure.axes[::5]] == ["lowest", "median", "highest"]
    assert [ax.get_xlabel() for ax in figure.axes[:5]] == [str(row) for row in lowest]
    assert figure.get_suptitle().startswith("memorization score M (nats) above, id below")


@pytest.mark.parametrize("n", [1, 2, 3, 9, 10, 11])
def test_fewer_images_than_a_row(scored, n):
    score = normal(n)
    figure = gallery(scored(score), numbered(n))
    rows, _ = shown(figure, n)
    assert all(len(row) == max(1, n // 3) for row in rows)
    if n >= 3:
        assert len({row for three in rows for row in three}) == 3 * (n // 3)  # none twice
    if n == 1:
        written(figure, "svg")


def test_unscored_records_are_not_shown(scored):
    score = np.where(np.arange(30) % 2 == 0, np.nan, normal(30))
    rows, _ = shown(gallery(scored(score), numbered(30), each=4), 30)
    assert all(row % 2 == 1 for three in rows for row in three)
    few = np.full(30, np.nan)
    few[[3, 8]] = [2.0, 1.0]
    assert shown(gallery(scored(few), numbered(30)), 30)[0] == [[8], [8], [3]]


def test_infinite_scores_are_shown():
    x = np.zeros((7, 2, 2))
    x[2], x[5] = 20.0, 40.0
    result = byrote.score_memorization(KernelDensity(kernel="tophat"), x, plan=LeaveOneOut())
    assert np.isinf(result.score).sum() == 2
    (_, _, highest), titles = shown(gallery(result, numbered(7), each=2), 7)
    assert set(highest) == {2, 5}
    assert titles[2] == ["∞", "∞"]
    assert beyond(score_distribution(result)) == ["∞\n(2)"]


def test_ties_are_in_the_order_of_the_data(scored):
    rows, titles = shown(gallery(scored(np.full(9, 1.5)), numbered(9), each=2), 9)
    assert rows[2] == [1, 0]  # order() puts earlier records higher
    assert rows[0] == [8, 7]
    assert titles == [["1.50", "1.50"]] * 3


def test_a_probe_run_has_a_gallery(template):
    x = np.random.default_rng(0).random((40, 3, 3))
    result = byrote.score_memorization(PureNoise(), x, plan=Probes(6, 4))
    figure = gallery(result, x, each=3)
    assert len(figure.axes) == 3 * 2


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_pixels_are_shown_as_they_are(scored, channels, stored):
    images = np.random.default_rng(0).random((6, 4, 6, *channels))
    pixels = (255 * images).astype(np.uint8)
    figure = gallery(scored(np.arange(6.0)), pixels if stored else images, each=2)
    images = pixels / np.float32(255) if stored else images
    for row, ax in enumerate(figure.axes[:2]):
        drawn = np.asarray(ax.images[0].get_array())
        np.testing.assert_allclose(drawn.reshape(images[row].shape), images[row])
        assert ax.images[0].get_clim() == (0, 1)
        assert ax.images[0].get_cmap().name == "gray_r"
        assert ax.images[0].get_interpolation() == "nearest"
    if not stored:  # what is drawn is the same
        written(figure, "png")


SHAPES = {
    "rows": (12, 16),
    "vector": (12,),
    "volumes": (12, 2, 2, 2, 3),
    "too few": (11, 4, 4),
    "too many": (13, 4, 4, 3),
    "two channels": (12, 4, 4, 2),
    "five channels": (12, 4, 4, 5),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_wrong_images_are_refused(scored, shape):
    with pytest.raises(InvalidInput, match=r"images must be 12 images, \(n, h, w\) or \(n, h, w"):
        gallery(scored(normal(12)), np.zeros(shape))


@pytest.mark.parametrize("each", [0, -1, 2.5])
def test_a_row_shows_at_least_one(scored, each):
    with pytest.raises(InvalidInput, match="each must be an integer of at least 1"):
        gallery(scored(normal(12)), numbered(12), each=each)


def test_a_gallery_of_nothing_is_refused(scored):
    with pytest.raises(InvalidInput, match="result must have a score"):
        gallery(scored([np.nan] * 12), numbered(12))
