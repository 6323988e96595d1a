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
class ExposureTrajectory:
    """Exposure of n canaries at S steps of a training, and the losses at T steps.

    steps: (S,) epochs or batches, ascending. bits: (n, S) exposure, NaN where unknown.
    insertions: (n,) number of times that each canary is in the corpus. saturated: (n, S) whether
    bits are a lower bound only. maximum: log2 of the number of candidates. seen: steps at which
    the model reads a canary. loss_steps: (T,). train_loss, test_loss: (T,) NaN where unknown.
    unit: of steps, "epoch" or "batch". loss_unit: of the losses.
    """

    steps: NDArray[Any]
    bits: Array
    insertions: NDArray[np.int64]
    saturated: NDArray[np.bool_] | None = None
    maximum: float | None = None
    seen: NDArray[Any] | None = None
    loss_steps: NDArray[Any] | None = None
    train_loss: Array | None = None
    test_loss: Array | None = None
    unit: str = "epoch"
    loss_unit: str = "nats per token"


def exposure_over_training(trajectory: ExposureTrajectory) -> Figure:
    """Draw exposure by epoch or batch, and below it the losses, as in the post's figures.

    A thin line is a canary, a thick one the mean of a level of insertions. Hollow triangles are
    lower bounds; a mean is one if it has one among its terms. Marks at the foot are the steps at
    which the model reads a canary. The dashed vertical line is the lowest test loss: to its right
    the model over-fits.

    Raises
    ------
    InvalidInput
        If the arrays do not fit together, or no exposure is known.

    Examples
    --------
    >>> import numpy as np
    >>> trajectory = ExposureTrajectory(np.arange(1, 4), np.array([[1.0, 6, 9]]), np.array([4]),
    ...                         loss_steps=np.arange(1, 4), test_loss=np.array([2.0, 1.5, 1.6]))
    >>> [ax.get_ylabel() for ax in exposure_over_training(trajectory).axes]
    ['exposure (bits)', 'loss (nats per token)']
    """
    saturated = _check(trajectory)
    losses = _losses(trajectory)
    title = f"Exposure of canaries by {trajectory.unit} of training"
    figure = style.new_figure(style.DOUBLE, 4.6 if losses else 3.2, title)
    rows = figure.subplots(
        1 + bool(losses), sharex=True, squeeze=False, height_ratios=[2, 1.1][: 1 + bool(losses)]
    )
    axes = list(rows[:, 0])
    turn = _turn(trajectory)
    keys = _exposures(axes[0], trajectory, saturated)
    if losses:
        keys += _draw_losses(axes[1], trajectory, losses, turn)
        for ax in axes:
            _draw_turn(ax, turn)
    style.legend_above(axes[0], handles=keys, title=_TITLE)
    _finish(axes, trajectory)
    return figure


def _check(trajectory: ExposureTrajectory) -> NDArray[np.bool_]:
    """Return which exposures are lower bounds; refuse arrays that do not fit together."""
    shape = (len(trajectory.insertions), len(trajectory.steps))
    marks.checked("bits", trajectory.bits, shape)
    for name in ("train_loss", "test_loss"):
        if getattr(trajectory, name) is not None:
            length = 0 if trajectory.loss_steps is None else len(trajectory.loss_steps)
            marks.checked(name, getattr(trajectory, name), (length,))
    if not np.isfinite(trajectory.bits).any():
        raise InvalidInput("bits must have a finite exposure to draw; got none")
    return marks.checked("saturated", trajectory.saturated, shape, missing=False)


def _losses(trajectory: ExposureTrajectory) -> dict[str, Array]:
    """Return the losses that are known, by name."""
    both = {"training": trajectory.train_loss, "test": trajectory.test_loss}
    return {
        name: loss for name, loss in both.items() if loss is not None and not np.isnan(loss).all()
    }


def _turn(trajectory: ExposureTrajectory) -> float | None:
    """Return the step of the lowest test loss."""
    if (
        trajectory.loss_steps is None
        or trajectory.test_loss is None
        or np.isnan(trajectory.test_loss).all()
    ):
        return None
    return float(trajectory.loss_steps[np.nanargmin(trajectory.test_loss)])


def _exposures(ax: Axes, trajectory: ExposureTrajectory, saturated: NDArray[np.bool_]) -> list[Any]:
    keys = []
    for level, look in marks.level_looks(trajectory.insertions).items():
        rows = np.flatnonzero(trajectory.insertions == level)
        for row in rows if len(rows) > 1 else ():
            known = ~np.isnan(trajectory.bits[row])
            steps, bits = trajectory.steps[known], trajectory.bits[row][known]
            ax.plot(steps, bits, color=look["color"], linewidth=0.5, alpha=0.5, label="_")
        mean, bound = _mean(trajectory.bits[rows], saturated[rows])
        keys.append(_thick(ax, trajectory.steps, mean, bound, look))
        keys[-1].set_label(marks.level_name(level, len(rows)))
    keys += marks.draw_null(ax) + marks.draw_ceiling(ax, trajectory.maximum)
    if saturated.any():
        keys.append(marks.at_least_key())
    ax.set_ylim(*marks.limits([trajectory.bits], trajectory.maximum))
    ax.set_ylabel(marks.EXPOSURE)
    return keys + _seen(ax, trajectory)


def _mean(bits: Array, saturated: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Return the mean over the canaries known at a step, and whether it is a lower bound."""
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


def _seen(ax: Axes, trajectory: ExposureTrajectory) -> list[Any]:
    if trajectory.seen is None or len(trajectory.seen) == 0:
        return []
    foot, color = ax.get_xaxis_transform(), style.VERMILION
    ax.vlines(trajectory.seen, 0, 0.045, transform=foot, color=color, linewidth=1.2, zorder=6)
    look: dict[str, Any] = {"marker": "|", "linestyle": "none", "color": color}
    return [style.key("a canary is read", markersize=6, markeredgewidth=1.2, **look)]


def _draw_losses(
    ax: Axes, trajectory: ExposureTrajectory, losses: dict[str, Array], turn: float | None
) -> list[Any]:
    """Draw the loss panel with its own legend; return the key of the turn, for both panels."""
    looks: dict[str, dict[str, Any]] = {
        "training": {"color": style.BLUE, "linestyle": "-"},
        "test": {"color": style.VERMILION, "linestyle": (0, (4, 1.5))},
    }
    steps = np.asarray(trajectory.loss_steps)
    for name, loss in losses.items():
        known = ~np.isnan(loss)
        single = "o" if known.sum() == 1 else None
        look: dict[str, Any] = {**looks[name], "linewidth": 1.3, "marker": single, "markersize": 4}
        ax.plot(steps[known], loss[known], label=f"{name} loss", **look)
    style.legend_above(ax)
    ax.set_ylabel(f"loss ({trajectory.loss_unit})")
    if turn is None:
        return []
    label = f"lowest test loss, {trajectory.unit} {turn:,.0f}"
    return [style.key(label, **_TURN)]


_TURN: dict[str, Any] = {"color": style.GREEN, "linewidth": 1.2, "linestyle": (0, (3, 1, 1, 1))}


def _draw_turn(ax: Axes, turn: float | None) -> None:
    if turn is not None:
        ax.axvline(turn, zorder=1, label="_", **_TURN)


def _finish(axes: list[Axes], trajectory: ExposureTrajectory) -> None:
    for ax in axes:
        style.tidy(ax)
    last = axes[-1]
    last.set_xlabel(trajectory.unit)
    last.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    last.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    if len(trajectory.steps) == 1:
        last.set_xlim(trajectory.steps[0] - 0.9, trajectory.steps[0] + 0.9)


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("exposure over training", of="canaries", order=20, needs=(registry.run,))
def _over_training(run: Run) -> Drawings:
    trajectory = run.trajectory()
    if len(trajectory.steps) < 2:
        raise InvalidInput("the run has exposures after training only (--track)")
    yield "exposure-over-training", exposure_over_training(trajectory_of(trajectory))


def trajectory_of(measured: ExposureOverTraining) -> ExposureTrajectory:
    """Convert measurements: rows of all fits, losses averaged over the fits."""
    return ExposureTrajectory(
        steps=measured.steps,
        bits=measured.bits,
        insertions=measured.inserted,
        saturated=measured.saturated,
        maximum=marks.highest(measured.maximum),
        loss_steps=measured.loss_steps,
        train_loss=marks.mean_known(measured.train_loss),
        test_loss=marks.mean_known(measured.test_loss),
        unit=measured.unit,
    )
