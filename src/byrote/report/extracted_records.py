"""Training records that come out of a generator as text for the terminal, or as plain data."""

from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import add_ellipsis, interval, new_table, number, plain, plural
from byrote.scores.neighbors.extracted_records import ExtractedRecords
from byrote.scores.neighbors.record_extraction import RecordExtraction
from byrote.stats.estimate import Estimate


def render(extracted: ExtractedRecords) -> RenderableType:
    """Return how many records come out, the rate with its control, and how many would."""
    first, *more = _sentences(extracted, len(extracted.counts))
    return Group(Text(first, "bold"), *map(Text, more))


def render_run(result: RecordExtraction, *, top: int = 10) -> RenderableType:
    """Return the same for a run's model, and the ``top`` records that come out most often."""
    first, *more = sentences(result)
    parts: list[RenderableType] = [Text(first, "bold"), *map(Text, more)]
    if len(result.rows) and top:
        parts += [Text(""), _records(result, top)]
    return Group(*parts)


def run_to_json(result: RecordExtraction, *, top: int = 10) -> dict[str, Any]:
    """Return the same as plain data for JSON."""
    return plain(
        {
            "run_id": result.description.get("run_id"),
            "fit": result.fit,
            "seed": result.seed,
            "train": len(result),
            "samples": result.drawn,
            "held_out": result.held_out,
            "threshold": result.threshold,
            "extracted": len(result.rows),
            **{name: vars(getattr(result, name)) for name in ("rate", "control", "inside")},
            "memorization_ratio": {
                "rate": vars(result.ratio),
                "control": vars(result.ratio_control),
            },
            "records": result.to_frame().iloc[result.rows[:top]].to_dict(orient="records"),
        }
    )


def sentences(result: RecordExtraction) -> list[str]:
    """State how many records come out of a run's model, beside controls, and how many would."""
    text = [*_sentences(result, len(result)), _ratio(result)]
    if 0 < result.held_out < len(result):
        text.append(
            f"The control has {plural(result.held_out, 'record')} beside {len(result):,}: by chance"
            " alone fewer come out."
        )
    if not len(result.rows):
        text.append("More samples may bring out some, and what stays in can be memorized.")
    return text


def _sentences(result: ExtractedRecords | RecordExtraction, train: int) -> list[str]:
    found, inside = len(result.rows), result.inside
    text = [
        f"{found:,} of {plural(train, 'training record')} come out in"
        f" {plural(result.drawn, 'sample')}.",
        f"{_percent(result.rate)} of the samples are within an adaptive distance of"
        f" {result.threshold:g} of a training record, {_control(result.control)}.",
    ]
    if found:
        ends = f" {interval(*inside.interval)}" if not inside.reason else ""
        text.append(
            f"Ever more samples would bring out at least {number(inside.value)}{ends} records,"
            f" these included (Chao1{f': {inside.reason}' if inside.reason else ''})."
        )
    return text


def _ratio(result: RecordExtraction) -> str:
    return (
        f"Ratio 1/3: {_percent(result.ratio)} of the samples lie within a third of the distance"
        f" to the second nearest of a training record, {_control(result.ratio_control)}."
    )


def _records(result: RecordExtraction, top: int) -> Table:
    table = new_table("comes out", "samples", "distance", "score M")
    for row in result.rows[:top]:
        table.add_row(
            Text(printable(str(result.ids[row]))),
            f"{result.samples[row]:,}",
            *map(number, (result.distance[row], result.score[row])),
        )
    add_ellipsis(table, len(result.rows) - top)
    return table


def _control(control: Estimate) -> str:
    if np.isnan(control.value):
        return f"without a control: {control.reason}"
    return f"{_percent(control)} of a held-out one"


def _percent(share: Estimate) -> str:
    return f"{share.value:.2%} [{share.low:.2%}, {share.high:.2%}]"
