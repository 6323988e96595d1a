"""Curves over epochs, comparisons of runs, toy densities, pairs of images, grids."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import trapezoid

from byrote import InvalidInput
from byrote.figures import (
    gallery,
    losses,
    quantiles_over_epochs,
    reproduced,
    score_distributions,
    toy_memorization,
    toy_overfitting,
)
from byrote.report.figures.toy import BANDWIDTH, KEPT, LEFT_OUT, TOO_SMALL

GENERATOR = np.random.default_rng(3)


def trajectory(fits=5):
    train = GENERATOR.normal(90, 3, (fits, 12))
    held_out = train + 2
    held_out[:, ::2] = np.nan
    epochs, scores = np.array([4, 8, 12]), GENERATOR.exponential(3, (3, 200))
    return SimpleNamespace(
        epochs=epochs,
        loss_epochs=np.arange(1, 13),
        train_loss=train,
        held_out_loss=held_out,
        quantile=lambda q, estimator="score": np.quantile(scores, q, axis=1),
    )


def drawn(ax):
    return {line.get_label(): line.get_data() for line in ax.lines}


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_losses_are_means_over_fits_with_student_intervals():
    run = trajectory()
    ax = losses({"a": run})
    x, y = drawn(ax)["a, training"]
    np.testing.assert_allclose((x, y), (run.loss_epochs, run.train_loss.mean(axis=0)))
    x, y = drawn(ax)["a, held out"]
    np.testing.assert_allclose((x, y), (np.arange(2, 13, 2), run.held_out_loss[:, 1::2].mean(0)))
    low, high = stats.t.interval(
        0.95, 4, run.train_loss.mean(axis=0), stats.sem(run.train_loss, axis=0)
    )
    corners = ax.collections[0].get_paths()[0].vertices
    for epoch, ends in zip(run.loss_epochs, zip(low, high, strict=True), strict=True):
        at = corners[corners[:, 0] == epoch, 1]
        assert (at.min(), at.max()) == pytest.approx(ends)


def test_one_fit_has_no_interval_and_unknown_sides_no_line():
    run = trajectory(fits=1)
    run.held_out_loss[:] = np.nan
    ax = losses({"a": run})
    assert list(drawn(ax)) == ["a, training"]
    assert texts(ax) == ["training"]
    assert not ax.collections[0].get_paths()


@pytest.mark.parametrize("epoch", [1, 2, 500])
def test_one_epoch_has_one_whole_tick(epoch):
    run = trajectory()
    run.loss_epochs = np.array([epoch])
    run.train_loss, run.held_out_loss = run.train_loss[:, :1], run.held_out_loss[:, 1:2]
    ax = losses({"a": run})
    assert ax.lines[0].get_markerfacecolor() != ax.lines[1].get_markerfacecolor() == "white"
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [epoch]


def test_losses_known_in_some_fits():
    run = trajectory()
    run.train_loss[0, 3] = np.nan
    _, y = drawn(losses({"a": run}))["a, training"]
    np.testing.assert_allclose(y, np.nanmean(run.train_loss, axis=0))


def test_quantiles_are_those_of_the_trajectory():
    runs = {"a": trajectory(), "b": trajectory()}
    ax = quantiles_over_epochs(runs)
    for name, run in runs.items():
        for q in (0.95, 0.999):
            x, y = drawn(ax)[f"{name}, {q} quantile"]
            np.testing.assert_allclose((x, y), (run.epochs, run.quantile(q)))
    assert texts(ax) == ["a", "b", "0.95 quantile", "0.999 quantile"]
    assert ax.get_ylabel() == "memorization score M (nats)"
    assert ax.get_xlabel() == "epoch"


def test_runs_look_different_in_grey():
    ax = losses({str(i): trajectory() for i in range(6)})
    assert len({line.get_marker() for line in ax.lines}) == 6


def test_distributions_are_histograms_with_their_percentiles(made):
    scores = {"a": GENERATOR.exponential(4, 400), "b": GENERATOR.normal(3, 1, 900)}
    ax = score_distributions({name: made(score) for name, score in scores.items()})
    lines = [line.get_xdata()[0] for line in ax.lines]
    np.testing.assert_allclose(lines, [np.quantile(s, 0.95) for s in scores.values()])
    for patch, score in zip(ax.patches, scores.values(), strict=True):
        heights, edges, _ = patch.get_data()
        counts = np.histogram(score, edges)[0]
        np.testing.assert_allclose(heights * np.diff(edges) * len(score), counts)
    assert all(
        f"{name}: 95th percentile" in text for name, text in zip("ab", texts(ax)[:2], strict=True)
    )


def test_distributions_have_arrows_where_scores_lie_outside(made):
    score = np.append(np.linspace(0, 1, 997), [50.0, np.inf, np.nan])
    other = made(np.append(np.linspace(0, 1, 50), -9.0), q_value=np.append(np.ones(50), 0.01))
    ax = score_distributions({"a": made(score), "b": other})
    assert [text.get_text() for text in ax.texts] == ["2 up to ∞", "-9.00"]
    assert [line.get_marker() for line in ax.lines[-2:]] == [">", "<"]
    for n, text in enumerate(texts(ax)):
        assert text.endswith(f", {n} found")


@pytest.mark.parametrize("name", ["x" * 200, "bell \x07", "$a_b^"])
def test_strange_names_of_runs(made, name):
    ax = score_distributions({name: made(np.arange(9.0))})
    ax.get_figure().canvas.draw()
    assert len(texts(ax)[0]) < 60
    assert "\x07" not in texts(ax)[0]


def kernels(records, at, bandwidth):
    return stats.norm.pdf(at[:, None], records, bandwidth).mean(axis=1)


def test_the_toy_is_a_kernel_density_with_and_without_records():
    lines = drawn(toy_memorization())
    records = np.append(KEPT, LEFT_OUT)
    x, y = lines["all records"]
    np.testing.assert_allclose(y, kernels(records, x, BANDWIDTH), rtol=1e-6, atol=1e-12)
    assert trapezoid(y, x) == pytest.approx(1, abs=1e-3)
    x, y = lines["without the blue records"]
    np.testing.assert_allclose(y, kernels(KEPT, x, BANDWIDTH), rtol=1e-6, atol=1e-12)
    shown = [data[0] for label, data in lines.items() if label.startswith("_")]
    np.testing.assert_allclose(np.sort(np.concatenate(shown)), np.sort(records))


def test_over_fitting_is_a_bandwidth_too_small():
    lines = drawn(toy_overfitting())
    x, y = lines["over-trained"]
    records = np.append(KEPT, LEFT_OUT)
    np.testing.assert_allclose(y, kernels(records, x, TOO_SMALL), rtol=1e-6, atol=1e-12)


def neighbors(ratio):
    ratio = np.asarray(ratio, float)
    return SimpleNamespace(
        ratio=ratio,
        nearest_sample=np.arange(len(ratio))[::-1],
        order=lambda: np.argsort(-ratio, kind="stable"),
    )


def constant(values, shape=(3, 4)):
    return np.broadcast_to(
        np.reshape(values, (-1, *[1] * len(shape))), (len(values), *shape)
    ).astype(float)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (3, 4, 3), (3, 4, 4)])
def test_pairs_are_a_record_and_its_nearest_sample(shape):
    ratio = np.array([0.5, np.inf, 2.0, np.nan, 1.5])
    images, samples = constant(np.arange(5) / 10, shape), constant(np.arange(5) / 10 + 0.5, shape)
    figure = reproduced(neighbors(ratio), images, samples, pairs=3)
    for ax, row in zip(figure.axes, (1, 2, 4), strict=True):
        pixels = ax.images[0].get_array()
        left, right = pixels[:, :4], pixels[:, -4:]
        assert np.ptp(left[..., 0]) == 0 if len(shape) == 3 and shape[2] > 1 else np.ptp(left) == 0
        assert float(left.flat[0]) == pytest.approx(row / 10)
        assert float(right.flat[0]) == pytest.approx((4 - row) / 10 + 0.5)
    assert [ax.get_title() for ax in figure.axes] == ["ρ = ∞", "ρ = 2.00", "ρ = 1.50"]


def test_stored_pixels_are_shown_as_what_they_stand_for(made):
    images = np.arange(12, dtype=np.uint8)[:, None, None] * np.full((1, 3, 3), 20, np.uint8)
    rows = neighbors(np.arange(12))
    both = [reproduced(rows, x, images / np.float32(255)) for x in (images, images / 255)]
    grids = [gallery(made(np.arange(12)), x, 2, rows=2) for x in (images, images / 255)]
    for stored, floats in (both, grids):
        for left, right in zip(stored.axes, floats.axes, strict=True):
            np.testing.assert_allclose(
                left.images[0].get_array(), right.images[0].get_array(), rtol=1e-6
            )


@pytest.mark.parametrize("pairs", [1, 5, 99])
def test_fewer_or_more_pairs(pairs):
    figure = reproduced(
        neighbors(np.arange(7)), constant(np.zeros(7)), constant(np.zeros(7)), pairs=pairs
    )
    assert sum(bool(ax.get_title()) for ax in figure.axes) == min(pairs, 7)


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_a_grid_shows_scores_rising(made, channels):
    score = GENERATOR.permutation(40).astype(float)
    images = constant(score / 40, (2, 2, *channels))
    figure = gallery(made(score), images, 3, rows=4)
    panels = []
    for ax in figure.axes:
        pixels = np.asarray(ax.images[0].get_array())
        assert pixels.shape[:2] == (4 * 3 - 1, 3 * 3 - 1)
        cells = pixels.reshape(*pixels.shape[:2], -1)[::3, ::3, 0]
        panels.append((cells.ravel() * 40).round().tolist())
    assert panels == [list(range(12)), list(range(14, 26)), list(range(28, 40))]
    assert figure.axes[0].get_title() == "lowest: M from 0.00 to 11.0 nats"


def test_a_grid_of_few_leaves_places_empty(made):
    figure = gallery(made(np.arange(16.0)), constant(np.ones(16)), 3, rows=2)
    pixels = np.asarray(figure.axes[0].images[0].get_array())
    assert [pixels[4, 0], pixels[4, 5], pixels[4, 10]] == [1, 1, 0]  # 5 a panel; the sixth is white


def run():
    return {"a": trajectory()}


def without_losses():
    found = trajectory()
    found.train_loss[:], found.held_out_loss[:] = np.nan, np.nan
    return {"a": found}


def without_epochs():
    found = trajectory()
    found.epochs = np.array([], int)
    return {"a": found}


TEN = np.zeros((10, 3, 3))
BAD = {
    "no losses": (lambda made: losses(without_losses()), "run 'a' must have losses to draw"),
    "no epochs": (lambda made: quantiles_over_epochs(without_epochs()), "run 'a' must have scored"),
    "no runs": (lambda made: losses({}), "runs must hold 1 to 6 runs; got 0"),
    "seven runs": (
        lambda made: quantiles_over_epochs({str(i): trajectory() for i in range(7)}),
        "runs must hold 1 to 6 runs; got 7",
    ),
    "no results": (lambda made: score_distributions({}), "results must hold 1 to 6 runs"),
    "no scores": (
        lambda made: score_distributions({"a": made([np.nan])}),
        "run 'a' must have a finite score",
    ),
    "rows": (lambda made: gallery(made(np.arange(10)), TEN, rows=0), "rows must be an integer"),
    "few images": (
        lambda made: reproduced(neighbors(np.ones(9)), TEN, TEN),
        "images must be 9 images",
    ),
    "sample size": (
        lambda made: reproduced(neighbors(np.ones(10)), TEN, np.zeros((10, 4, 4))),
        "samples must have the size of the images",
    ),
    "few samples": (
        lambda made: reproduced(neighbors(np.ones(10)), TEN, TEN[:9]),
        "samples must be those that the result was made from",
    ),
    "no ratios": (
        lambda made: reproduced(neighbors(np.full(10, np.nan)), TEN, TEN),
        "result must have a ratio to draw",
    ),
    "pairs": (
        lambda made: reproduced(neighbors(np.ones(10)), TEN, TEN, pairs=0),
        "pairs must be an integer of at least 1",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input(made, call, message):
    with pytest.raises(InvalidInput, match=message):
        call(made)
