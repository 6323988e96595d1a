"""Exposure in the course of training as a small table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group
from rich.table import Table
from rich.text import Text

from byrote.report.text import number, plain
from byrote.scores.exposure.trajectory import ExposureOverTraining

_ROWS = 24  # shown; in between, evenly spaced ones


def rows(course: ExposureOverTraining) -> list[dict[str, Any]]:
    """One per step: mean losses over fits, nats per token, and mean exposures by insertions, bits.

    A mean that has lower bounds among its terms is one.
    """
    levels = np.unique(course.inserted).tolist()
    result = []
    for column, step in enumerate(course.steps.tolist()):
        train, test = course.mean_losses(step)
        means = {
            str(level): _mean(course.bits[course.inserted == level, column]) for level in levels
        }
        row = {"step": step, "train_loss": train, "test_loss": test, "mean_exposure": means}
        result.append(row)
    return result


def render(course: ExposureOverTraining) -> Group:
    """The rows for the terminal, and what the measuring took."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    levels = np.unique(course.inserted).tolist()
    names = {0: "never", 1: "once"}
    titles = [names.get(level, f"{level:,} times") for level in levels]
    for title in (course.unit, "train loss", "test loss", *titles):
        table.add_column(title, justify="right")
    found = rows(course)
    shown = range(len(found))
    if len(found) > _ROWS:
        shown = np.unique(np.linspace(0, len(found) - 1, _ROWS).round().astype(int)).tolist()
    for place in shown:
        row = found[place]
        table.add_row(
            f"{row['step']:,}",
            *(number(row[name]) for name in ("train_loss", "test_loss")),
            *map(number, row["mean_exposure"].values()),
        )
    title = f"Losses in nats per token, and mean exposure in bits by insertions, by {course.unit}:"
    return Group(Text(title), table, *_cost(course))


def _cost(course: ExposureOverTraining) -> list[Text]:
    if np.isnan(course.cost):
        return []
    return [Text(f"Measuring in the middle of training took {course.cost:.0%} of the fits' time.")]


def to_json(course: ExposureOverTraining) -> Any:
    """The rows as plain data: NaN is null."""
    share = None if np.isnan(course.cost) else course.cost
    return plain({"unit": course.unit, "asking_share": share, "steps": rows(course)})


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
