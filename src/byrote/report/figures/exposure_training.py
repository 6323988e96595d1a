"""Exposure during training, above the losses."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import exposure_marks as marks
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.scores.run import Run

Array = NDArray[np.float64]
_TITLE = "means by number of insertions (canaries); thin lines: single canaries"
_SHOWN = 12  # marks along a line, where there are many


@dataclass(frozen=True, eq=False)
class ExposureCurves:
    """Exposure of n canaries at S steps of training, and losses at T steps; NaN where unknown."""

    steps: NDArray[Any]  # (S,) ascending
    bits: Array  # (n, S)
    insertions: NDArray[np.int64]  # (n,)
    saturated: NDArray[np.bool_] | None = None  # (n, S) whether bits are a lower bound
    maximum: float | None = None  # log2 of the number of candidates
    seen: NDArray[Any] | None = None  # steps at which the model reads a canary
    loss_steps: NDArray[Any] | None = None  # (T,)
    train_loss: Array | None = None  # (T,)
    test_loss: Array | None = None  # (T,)
    unit: str = "epoch"  # of steps, or "batch"
    loss_unit: str = "nats per token"


def exposure_over_training(curves: ExposureCurves) -> Figure:
    """Draw exposure by epoch or batch, and below it the losses, as in the post.

    A thin line is a canary, a thick one the mean of a level of insertions. Hollow triangles are
    lower bounds, or means with one among their terms. Marks at the bottom are the steps at which
    the model reads a canary; the dashed vertical line is the lowest test loss.

    Raises
    ------
    InvalidInput
        If shapes of arrays do not match, or no exposure is known.

    Examples
    --------
    >>> import numpy as np
    >>> curves = ExposureCurves(np.arange(1, 4), np.array([[1.0, 6, 9]]), np.array([4]),
    ...                         loss_steps=np.arange(1, 4), test_loss=np.array([2.0, 1.5, 1.6]))
    >>> [ax.get_ylabel() for ax in exposure_over_training(curves).axes]
    ['exposure (bits)', 'loss (nats per token)']
    """
    saturated = _check(curves)
    losses = _losses(curves)
    title = f"Exposure of canaries by {curves.unit} of training"
    figure = style.new_figure(style.DOUBLE, 4.6 if losses else 3.2, title)
    rows = figure.subplots(
        1 + bool(losses), sharex=True, squeeze=False, height_ratios=[2, 1.1][: 1 + bool(losses)]
    )
    axes = list(rows[:, 0])
    turn = _turn(curves)
    keys = _exposures(axes[0], curves, saturated)
    if losses:
        keys += _draw_losses(axes[1], curves, losses, turn)
        for ax in axes:
            _draw_turn(ax, turn)
    style.legend_above(axes[0], handles=keys, title=_TITLE)
    _finish(axes, curves)
    return figure


def _check(curves: ExposureCurves) -> NDArray[np.bool_]:
    """Check the shapes, and return which exposures are lower bounds."""
    shape = (len(curves.insertions), len(curves.steps))
    marks.checked("bits", curves.bits, shape)
    for name in ("train_loss", "test_loss"):
        if getattr(curves, name) is not None:
            length = 0 if curves.loss_steps is None else len(curves.loss_steps)
            marks.checked(name, getattr(curves, name), (length,))
    if not np.isfinite(curves.bits).any():
        raise InvalidInput("bits must have a finite exposure to draw; got none")
    return marks.checked("saturated", curves.saturated, shape, missing=False)


def _losses(curves: ExposureCurves) -> dict[str, Array]:
    """Return the known losses by name."""
    both = {"training": curves.train_loss, "test": curves.test_loss}
    return {
        name: loss for name, loss in both.items() if loss is not None and not np.isnan(loss).all()
    }


def _turn(curves: ExposureCurves) -> float | None:
    """Return the step of the lowest test loss."""
    if curves.loss_steps is None or curves.test_loss is None or np.isnan(curves.test_loss).all():
        return None
    return float(curves.loss_steps[np.nanargmin(curves.test_loss)])


def _exposures(ax: Axes, curves: ExposureCurves, saturated: NDArray[np.bool_]) -> list[Any]:
    keys = []
    for level, look in marks.level_looks(curves.insertions).items():
        rows = np.flatnonzero(curves.insertions == level)
        for row in rows if len(rows) > 1 else ():
            known = ~np.isnan(curves.bits[row])
            steps, bits = curves.steps[known], curves.bits[row][known]
            ax.plot(steps, bits, color=look["color"], linewidth=0.5, alpha=0.5, label="_")
        mean, bound = _mean(curves.bits[rows], saturated[rows])
        keys.append(_thick(ax, curves.steps, mean, bound, look))
        keys[-1].set_label(marks.level_name(level, len(rows)))
    keys += marks.draw_null(ax) + marks.draw_ceiling(ax, curves.maximum)
    if saturated.any():
        keys.append(marks.at_least_key())
    ax.set_ylim(*marks.limits([curves.bits], curves.maximum))
    ax.set_ylabel(marks.EXPOSURE)
    return keys + _seen(ax, curves)


def _mean(bits: Array, saturated: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    bound: NDArray[np.bool_] = np.any(saturated & ~np.isnan(bits), axis=0)
    return marks.mean_known(bits), bound


def _thick(
    ax: Axes,
    steps: NDArray[Any],
    mean: Array,
    bound: NDArray[np.bool_],
    look: dict[str, Any],
) -> Any:
    """Draw the line of a level, hollow triangles at its lower bounds; return its key."""
    known = np.flatnonzero(~np.isnan(mean))
    color = look["color"]
    ax.plot(steps[known], mean[known], color=color, linewidth=1.8, label="_")
    places = known[:: max(1, len(known) // _SHOWN)]
    kinds = ((~bound, {**look, "markersize": 4.5}), (bound, marks.at_least(color)))
    for mask, kind in kinds:
        marked = places[mask[places]]
        ax.plot(steps[marked], mean[marked], **{**kind, "linestyle": "none"}, label="_", zorder=4)
    return style.key("", linewidth=1.8, markersize=4.5, **look)


def _seen(ax: Axes, curves: ExposureCurves) -> list[Any]:
    if curves.seen is None or len(curves.seen) == 0:
        return []
    foot, color = ax.get_xaxis_transform(), style.VERMILION
    ax.vlines(curves.seen, 0, 0.045, transform=foot, color=color, linewidth=1.2, zorder=6)
    look: dict[str, Any] = {"marker": "|", "linestyle": "none", "color": color}
    return [style.key("a canary is read", markersize=6, markeredgewidth=1.2, **look)]


def _draw_losses(
    ax: Axes, curves: ExposureCurves, losses: dict[str, Array], turn: float | None
) -> list[Any]:
    """Draw the losses with their legend; return the key of the lowest test loss."""
    looks: dict[str, dict[str, Any]] = {
        "training": {"color": style.BLUE, "linestyle": "-"},
        "test": {"color": style.VERMILION, "linestyle": (0, (4, 1.5))},
    }
    steps = np.asarray(curves.loss_steps)
    for name, loss in losses.items():
        known = ~np.isnan(loss)
        single = "o" if known.sum() == 1 else None
        look: dict[str, Any] = {**looks[name], "linewidth": 1.3, "marker": single, "markersize": 4}
        ax.plot(steps[known], loss[known], label=f"{name} loss", **look)
    style.legend_above(ax)
    ax.set_ylabel(f"loss ({curves.loss_unit})")
    if turn is None:
        return []
    label = f"lowest test loss, {curves.unit} {turn:,.0f}"
    return [style.key(label, **_TURN)]


_TURN: dict[str, Any] = {"color": style.GREEN, "linewidth": 1.2, "linestyle": (0, (3, 1, 1, 1))}


def _draw_turn(ax: Axes, turn: float | None) -> None:
    if turn is not None:
        ax.axvline(turn, zorder=1, label="_", **_TURN)


def _finish(axes: list[Axes], curves: ExposureCurves) -> None:
    for ax in axes:
        style.tidy(ax)
    last = axes[-1]
    last.set_xlabel(curves.unit)
    last.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    last.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    if len(curves.steps) == 1:
        last.set_xlim(curves.steps[0] - 0.9, curves.steps[0] + 0.9)


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("exposure over training", of="canaries", order=20, needs=(registry.run,))
def _over_training(run: Run) -> Drawings:
    trajectory = run.trajectory()
    if len(trajectory.steps) < 2:
        raise InvalidInput("the run has exposures after training only (--track)")
    shows = "Exposure of canaries while the model trains, above its losses."
    yield "exposure-over-training", exposure_over_training(curves_of(trajectory)), shows


def curves_of(trajectory: ExposureOverTraining) -> ExposureCurves:
    """Convert a trajectory: rows of all fits, losses averaged over the fits."""
    return ExposureCurves(
        steps=trajectory.steps,
        bits=trajectory.bits,
        insertions=trajectory.inserted,
        saturated=trajectory.saturated,
        maximum=marks.highest(trajectory.maximum),
        loss_steps=trajectory.loss_steps,
        train_loss=marks.mean_known(trajectory.train_loss),
        test_loss=marks.mean_known(trajectory.test_loss),
        unit=trajectory.unit,
    )
