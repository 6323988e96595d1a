"""What training did, epoch by epoch, in runs that were tracked."""

from collections.abc import Mapping, Sequence

import numpy as np

from byrote.errors import IncompleteRun, InvalidInput
from byrote.report import trajectory as text
from byrote.report.format import insertions, number
from byrote.report.page import cells
from byrote.report.page.audit import Audit
from byrote.report.page.content import Figure, Grid, Prose, Section
from byrote.report.page.plot import Axis, Key, Line, Plot
from byrote.report.page.sections.registry import section
from byrote.scores.exposure.trajectory import ExposureOverTraining

_TITLE = "How it came about in training"
_LOOKS = ("without", "with", "found", "doubt", "plain")
Series = Mapping[str, Sequence[float]]


@section(order=60)
def training(audit: Audit) -> Section | None:
    """Return scores or exposures over training; None of a run that was not tracked."""
    if not audit.run.manifest.track:
        return None
    try:
        trajectory = audit.run.trajectory(partial=True)
    except (InvalidInput, IncompleteRun) as error:
        reason = (Prose((f"Not shown: {error}.",), "unknown"),)
        return Section("training", _TITLE, reason, {"reason": str(error)})
    data = {"steps": text.to_json(trajectory)}
    if isinstance(trajectory, ExposureOverTraining):
        steps, losses, measured = _exposures(trajectory)
        return Section("training", _TITLE, _figures(steps, losses, measured, "bits"), data)
    rows = text.rows(trajectory)
    steps = [float(row["epoch"]) for row in rows]
    losses = {name: [row[name] for row in rows] for name in ("train_loss", "held_out_loss")}
    titles = {"median M": "median", "95th percentile": "q0.95", "99.9th percentile": "q0.999"}
    measured = {title: [row[name] for row in rows] for title, name in titles.items()}
    return Section("training", _TITLE, _figures(steps, losses, measured, "nats"), data)


def _exposures(trajectory: ExposureOverTraining) -> tuple[list[float], Series, Series]:
    rows = text.exposure_rows(trajectory)
    levels = np.unique(trajectory.inserted).tolist()
    return (
        [float(row["step"]) for row in rows],
        {name: [row[name] for row in rows] for name in ("train_loss", "test_loss")},
        {
            f"mean exposure, {insertions(level)}": [
                row["mean_exposure"][str(level)] for row in rows
            ]
            for level in levels
        },
    )


def _figures(steps: list[float], losses: Series, measured: Series, unit: str) -> tuple[Figure, ...]:
    """Draw what is measured above the losses; series without any value are left out."""
    losses = {name.replace("_", " "): values for name, values in losses.items()}
    figures = [
        _figure("measured", "Memorization in the course of training", steps, measured, unit),
        _figure("losses", "Losses in the course of training", steps, losses, "loss"),
    ]
    return tuple(figure for figure in figures if figure is not None)


def _figure(name: str, title: str, steps: list[float], series: Series, unit: str) -> Figure | None:
    known = {key: values for key, values in series.items() if np.isfinite(values).any()}
    if not known:
        return None
    finite = [value for values in known.values() for value in values if np.isfinite(value)]
    lines = []
    for place, (key, values) in enumerate(known.items()):
        points = tuple((x, y) for x, y in zip(steps, values, strict=True) if np.isfinite(y))
        label = f"{key}: from {number(points[0][1])} to {number(points[-1][1])}"
        lines.append(Line(points, _LOOKS[place % len(_LOOKS)], label))
    keys = tuple(Key(line.look, key) for line, key in zip(lines, known, strict=True))
    x = Axis.through(min(steps), max(steps), "epoch")
    least = min(finite) if unit == "loss" else min(0.0, *finite)
    y = Axis.through(least, max(finite), unit)
    rows = tuple(
        cells.row(f"{step:,.0f}", *(cells.value(float(values[place])) for values in known.values()))
        for place, step in enumerate(steps)
    )
    grid = Grid(title, ("epoch", *known), rows)
    description = "; ".join(line.label for line in lines)
    return Figure(name, title, description, Plot(x, y, tuple(lines), keys, height=280.0), grid)
