"""The course of training as a small table."""

from typing import Any

from rich.table import Table

from byrote.report.text import number, plain
from byrote.scores.memorization.trajectory import Trajectory

_QUANTILES = {"median": 0.5, "q0.95": 0.95, "q0.999": 0.999}
_TITLES = ("epoch", "train loss", "held-out loss", "median M", "95th pct.", "99.9th pct.")


def rows(trajectory: Trajectory) -> list[dict[str, Any]]:
    """One per epoch: mean losses over fits, nats per record, and quantiles of the score, nats."""
    found = {name: trajectory.quantile(q) for name, q in _QUANTILES.items()}
    result = []
    for i, epoch in enumerate(trajectory.epochs.tolist()):
        train, held_out = trajectory.mean_losses(epoch)
        scores = {name: float(values[i]) for name, values in found.items()}
        result.append({"epoch": epoch, "train_loss": train, "held_out_loss": held_out, **scores})
    return result


def render(trajectory: Trajectory) -> Table:
    """The rows for the terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in _TITLES:
        table.add_column(title, justify="right")
    for row in rows(trajectory):
        table.add_row(str(row.pop("epoch")), *(number(value) for value in row.values()))
    return table


def to_json(trajectory: Trajectory) -> Any:
    """The rows as plain data: NaN is null."""
    return plain(rows(trajectory))
