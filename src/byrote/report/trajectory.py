"""Losses with scores or exposures by step of training, as a small table or plain data."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.format import new_table, number, plain
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.scores.memorization.trajectory import Trajectory

_QUANTILES = {"median": 0.5, "q0.95": 0.95, "q0.999": 0.999}
_TITLES = ("epoch", "train loss", "held-out loss", "median M", "95th pct.", "99.9th pct.")
_LEVELS = {0: "never", 1: "once"}
_ROWS = 24  # shown; in between, evenly spaced ones


def rows(trajectory: Trajectory) -> list[dict[str, Any]]:
    """Return one row per epoch: mean losses over fits (nats per record), quantiles of M (nats)."""
    quantiles = {name: trajectory.quantile(q) for name, q in _QUANTILES.items()}
    result = []
    for place, epoch in enumerate(trajectory.epochs.tolist()):
        train, held_out = trajectory.mean_losses(epoch)
        scores = {name: float(values[place]) for name, values in quantiles.items()}
        result.append({"epoch": epoch, "train_loss": train, "held_out_loss": held_out, **scores})
    return result


def exposure_rows(trajectory: ExposureOverTraining) -> list[dict[str, Any]]:
    """Return one row per step: mean losses over fits (nats per token), mean exposures (bits).

    A mean with a lower bound among its terms is a lower bound.
    """
    levels = np.unique(trajectory.inserted).tolist()
    result = []
    for column, step in enumerate(trajectory.steps.tolist()):
        train, test = trajectory.mean_losses(step)
        means = {
            str(level): _mean(trajectory.bits[trajectory.inserted == level, column])
            for level in levels
        }
        row = {"step": step, "train_loss": train, "test_loss": test, "mean_exposure": means}
        result.append(row)
    return result


def render(trajectory: Trajectory | ExposureOverTraining) -> RenderableType:
    """Return a table with a row for each step."""
    if isinstance(trajectory, ExposureOverTraining):
        return _exposures(trajectory)
    table = new_table(*_TITLES, left=0)
    for row in rows(trajectory):
        table.add_row(str(row.pop("epoch")), *(number(value) for value in row.values()))
    return table


def _exposures(trajectory: ExposureOverTraining) -> Group:
    unit = trajectory.unit
    title = f"Losses in nats per token, and mean exposure in bits by insertions, by {unit}:"
    parts: list[RenderableType] = [Text(title), _exposure_table(trajectory)]
    if not np.isnan(trajectory.cost):
        share = f"{trajectory.cost:.0%}"
        parts.append(Text(f"Measuring during training took {share} of the time of the fits."))
    return Group(*parts)


def _exposure_table(trajectory: ExposureOverTraining) -> Table:
    levels = np.unique(trajectory.inserted).tolist()
    titles = [_LEVELS.get(level, f"{level:,} times") for level in levels]
    table = new_table(trajectory.unit, "train loss", "test loss", *titles, left=0)
    steps = exposure_rows(trajectory)
    shown = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), _ROWS)).round().astype(int))
    for row in (steps[place] for place in shown.tolist()):
        losses = [number(row[name]) for name in ("train_loss", "test_loss")]
        means = map(number, row["mean_exposure"].values())
        table.add_row(f"{row['step']:,}", *losses, *means)
    return table


def to_json(trajectory: Trajectory | ExposureOverTraining) -> Any:
    """Return the rows as plain data for JSON."""
    if isinstance(trajectory, ExposureOverTraining):
        share = None if np.isnan(trajectory.cost) else trajectory.cost
        steps = exposure_rows(trajectory)
        return plain({"unit": trajectory.unit, "asking_share": share, "steps": steps})
    return plain(rows(trajectory))


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
