"""Training records that come out of a generator as text for the terminal, or as plain data."""

from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import add_ellipsis, interval, new_table, number, plain, plural
from byrote.scores.neighbors.extracted_from_run import ExtractionFromRun
from byrote.scores.neighbors.extracted_records import ExtractedRecords
from byrote.stats.estimate import Estimate


def render(extracted: ExtractedRecords) -> RenderableType:
    """Return how many records come out, the rate with its control, and how many would."""
    found, samples = len(extracted.rows), plural(len(extracted.distance), "sample")
    parts = [
        Text(
            f"{found:,} of {plural(len(extracted.counts), 'training record')} come out in"
            f" {samples}.",
            "bold",
        ),
        Text(
            f"{_percent(extracted.rate)} of the samples are within an adaptive distance of"
            f" {extracted.threshold:g} of a training record, {_control(extracted.control)}."
        ),
    ]
    if found:
        inside = extracted.inside
        ends = f" {interval(*inside.interval)}" if not inside.reason else ""
        parts.append(
            Text(
                f"Ever more samples would bring out at least {number(inside.value)}{ends} records,"
                f" these included (Chao1{f': {inside.reason}' if inside.reason else ''})."
            )
        )
    return Group(*parts)


def render_run(result: ExtractionFromRun, *, top: int = 10) -> RenderableType:
    """Return the same for a run's model, and the ``top`` records that come out most often."""
    extracted, parts = result.extracted, [render(result.extracted), _ratio(result.by_ratio)]
    train = len(extracted.counts)
    if 0 < result.held_out < train:
        parts.append(
            Text(
                f"The control has {plural(result.held_out, 'record')} beside {train:,}: by chance"
                " alone fewer come out."
            )
        )
    if not len(extracted.rows):
        parts.append(Text("More samples may bring out some, and what stays in can be memorized."))
    elif top:
        parts += [Text(""), _records(result, top)]
    return Group(*parts)


def run_to_json(result: ExtractionFromRun, *, top: int = 10) -> dict[str, Any]:
    """Return the same as plain data for JSON."""
    extracted = result.extracted
    frame = result.to_frame().iloc[extracted.rows[:top]]
    return plain(
        {
            "train": len(extracted.counts),
            "samples": len(extracted.distance),
            "held_out": result.held_out,
            "threshold": extracted.threshold,
            "extracted": len(extracted.rows),
            **{name: vars(getattr(extracted, name)) for name in ("rate", "control", "inside")},
            "memorization_ratio": {
                name: vars(getattr(result.by_ratio, name)) for name in ("rate", "control")
            },
            "records": frame.to_dict(orient="records"),
        }
    )


def _ratio(found: ExtractedRecords) -> Text:
    return Text(
        f"Ratio 1/3: {_percent(found.rate)} of the samples lie within a third of the distance"
        f" to the second nearest of a training record, {_control(found.control)}."
    )


def _records(result: ExtractionFromRun, top: int) -> Table:
    table = new_table("comes out", "samples", "distance", "score M")
    rows, columns = result.extracted.rows, result.columns()
    for row in rows[:top]:
        table.add_row(
            Text(printable(str(result.ids[row]))),
            f"{columns['samples'][row]:,}",
            *(number(columns[name][row]) for name in ("distance", "score")),
        )
    add_ellipsis(table, len(rows) - top)
    return table


def _control(control: Estimate) -> str:
    if np.isnan(control.value):
        return f"without a control: {control.reason}"
    return f"{_percent(control)} of a held-out one"


def _percent(share: Estimate) -> str:
    return f"{share.value:.2%} [{share.low:.2%}, {share.high:.2%}]"
