"""Losses and scores while a model trains (Figures 4a and 4b)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings
from byrote.scores.memorization.trajectory import Trajectory
from byrote.scores.run import Run
from byrote.stats.estimate import mean

QUANTILES = (0.95, 0.999)
# Points of the second kind are hollow: with one epoch, there are no dashes to see.
_KINDS: tuple[dict[str, Any], ...] = (
    {"linestyle": "-"},
    {"linestyle": (0, (4, 1.5)), "markerfacecolor": "white"},
)
_MARKERS = "os^Dv*"


def losses(runs: Mapping[str, Trajectory], ax: Axes | None = None) -> Axes:
    """Draw the loss on training and held-out records by epoch, as in Figure 4a of the paper.

    Lines are means over the fits, nats per record, with 95 % bands as of independent fits. A gap
    between the two lines is over-fitting.

    Parameters
    ----------
    runs
        Trajectories by name, at most six.

    Raises
    ------
    InvalidInput
        If a run has no losses, or there are no runs or more than six.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> run = SimpleNamespace(loss_epochs=np.arange(1, 4), train_loss=np.array([[3.0, 2, 1]]),
    ...                       held_out_loss=np.array([[3.0, 2.5, 2.5]]))
    >>> losses({"VAE": run}).get_ylabel()
    'loss (nats per record)'
    """
    style.check_runs("runs", len(runs))
    for name, run in runs.items():
        if np.isnan(run.train_loss).all() and np.isnan(run.held_out_loss).all():
            raise InvalidInput(f"run {name!r} must have losses to draw; it has none")
    ax = _new_axes(ax, runs)
    for place, (name, run) in enumerate(runs.items()):
        sides = (("training", run.train_loss), ("held out", run.held_out_loss))
        for (side, loss), kind in zip(sides, _KINDS, strict=True):
            look = {**_look(place), **kind, "label": f"{name}, {side}"}
            _curve(ax, run.loss_epochs, loss, look)
    ax.set_ylabel("loss (nats per record)")
    _finish(ax, list(runs), ("training", "held out"))
    return ax


def quantiles_over_epochs(runs: Mapping[str, Trajectory], ax: Axes | None = None) -> Axes:
    """Draw the .95 and .999 quantiles of the memorization score by epoch, as in Figure 4b.

    Markers are at the epochs with scores.

    Parameters
    ----------
    runs
        Trajectories by name, at most six.

    Raises
    ------
    InvalidInput
        If a run has no scores, or there are no runs or more than six.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> run = SimpleNamespace(epochs=np.array([5, 10]), quantile=lambda q: q * np.array([1, 2]))
    >>> [line.get_label() for line in quantiles_over_epochs({"VAE": run}).lines]
    ['VAE, 0.95 quantile', 'VAE, 0.999 quantile']
    """
    style.check_runs("runs", len(runs))
    for name, run in runs.items():
        if len(run.epochs) == 0:
            raise InvalidInput(f"run {name!r} must have scored epochs to draw; it has none")
    ax = _new_axes(ax, runs)
    for place, (name, run) in enumerate(runs.items()):
        for q, kind in zip(QUANTILES, _KINDS, strict=True):
            look = {**_look(place), **kind, "label": f"{name}, {q:g} quantile"}
            ax.plot(run.epochs, run.quantile(q), **look)
    ax.set_ylabel("memorization score M (nats)")
    _finish(ax, list(runs), tuple(f"{q:g} quantile" for q in QUANTILES))
    return ax


def _new_axes(ax: Axes | None, runs: Mapping[str, Trajectory]) -> Axes:
    return style.new_axes(ax, height=2.4 + 0.06 * len(runs))


def _look(place: int) -> dict[str, Any]:
    color = style.run_style(place)["color"]
    return {"color": color, "marker": _MARKERS[place], "markersize": 3, "linewidth": 1.2}


def _curve(ax: Axes, epochs: NDArray[Any], loss: NDArray[Any], look: Mapping[str, Any]) -> None:
    """Draw the mean over fits, and its interval, at the epochs with losses."""
    known = ~np.isnan(loss).all(axis=0)
    if not known.any():
        return
    x, columns = epochs[known], [column[~np.isnan(column)] for column in loss.T[known]]
    band = np.array([mean(column).interval for column in columns])
    ax.fill_between(x, band[:, 0], band[:, 1], color=look["color"], alpha=0.2, linewidth=0)
    every = max(1, len(x) // 6)
    ax.plot(x, [column.mean() for column in columns], markevery=every, **look)


def _finish(ax: Axes, names: list[str], kinds: tuple[str, ...]) -> None:
    """Label the axes; draw a key for each of several runs, then for each kind of line."""
    several = len(names) > 1
    runs = [
        style.key(style.short(name, 40), **_look(place))
        for place, name in enumerate(names)
        if several
    ]
    look = {"color": "black", "linewidth": 1.2} if several else _look(0)
    lines = [
        style.key(name, **look, **kind)
        for name, kind in zip(kinds, _KINDS, strict=True)
        if any(str(line.get_label()).endswith(f", {name}") for line in ax.lines)
    ]
    ax.set_xlabel("epoch")
    epochs = np.unique(np.concatenate([np.asarray(line.get_xdata()) for line in ax.lines]))
    if len(epochs) == 1:
        ax.set_xlim(epochs[0] - 0.9, epochs[0] + 0.9)  # one tick, at the only epoch
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    style.legend_above(ax, handles=[*runs, *lines])
    style.tidy(ax)


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("losses", of="records", order=80, needs=(registry.runs,))
def _losses(runs: Mapping[str, Run]) -> Drawings:
    trajectories = {name: run.trajectory() for name, run in runs.items()}
    for name, trajectory in trajectories.items():
        if np.isnan(trajectory.train_loss).all() and np.isnan(trajectory.held_out_loss).all():
            raise InvalidInput(f"the fits of {_run_name(runs, name)} reported none")
    shows = "Loss on training and held-out records by epoch, means over fits."
    yield "losses", style.figure_of(losses(trajectories)), shows


@registry.figure("quantiles over epochs", of="records", order=90, needs=(registry.runs,))
def _quantiles(runs: Mapping[str, Run]) -> Drawings:
    trajectories = {name: run.trajectory() for name, run in runs.items()}
    for name, trajectory in trajectories.items():
        if len(trajectory.epochs) < 2:
            raise InvalidInput(f"{_run_name(runs, name)} has scores of one epoch only (--track)")
    shows = "Quantiles of the memorization score M by epoch."
    figure = style.figure_of(quantiles_over_epochs(trajectories))
    yield "quantiles-over-epochs", figure, shows


def _run_name(runs: Mapping[str, Run], name: str) -> str:
    return "the run" if len(runs) == 1 else f"run {name!r}"
