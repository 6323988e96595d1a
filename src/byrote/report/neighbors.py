"""Nearest-neighbour tests as text."""

from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.text import number, plain, printable
from byrote.scores.neighbors.result import NeighborResult


def render(result: NeighborResult, *, top: int = 10) -> RenderableType:
    """The tests and the training records that samples come nearest to."""
    parts: list[RenderableType] = [_headline(result), _tests(result), _remarks(result)]
    if top:
        parts += [Text(""), _records(result, top)]
    return Group(*parts)


def to_json(result: NeighborResult, *, top: int = 10) -> dict[str, Any]:
    """The same as plain data that JSON can hold: NaN is null, infinities are text."""
    frame = result.to_frame().iloc[result.order()[:top]]
    return plain(
        {
            "description": dict(result.description),
            "summary": result.summary(),
            "nearly_reproduced": frame.to_dict(orient="records"),
        }
    )


def _headline(result: NeighborResult) -> Text:
    said = result.description
    return Text(
        f"{said['train']:,} training records, {said['validation']:,} validation records,"
        f" {said['samples']:,} samples · {said['space']}, {said['dimensions']:,} dimensions"
        f" · seed {said['seed']}\n"
        f"rho: nearest validation record over nearest sample, {said['compared']:,} of each"
    )


def _tests(result: NeighborResult) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("test", "value", "[95 %]", "p", "memorization if"):
        table.add_column(title, justify="left" if title in ("test", "memorization if") else "right")
    mean, copying = result.mean_ratio, result.copying
    rows = [
        (
            "mean of rho",
            mean.value,
            mean.interval,
            mean.p_value,
            f"above {number(mean.exchanged)} (*)",
        ),
        ("correlation with M", result.correlation, result.correlation_interval, None, ""),
        ("copying, C_T", copying.statistic, None, copying.p_value, "far below 0"),
        (
            "authentic samples",
            float(result.authenticity),
            result.authenticity.interval,
            None,
            "near 0",
        ),
    ]
    for name, value, interval, p_value, meaning in rows:
        table.add_row(
            name,
            number(value),
            Text("" if interval is None else f"[{number(interval[0])}, {number(interval[1])}]"),
            "" if p_value is None else number(p_value),
            meaning,
        )
    return table


def _remarks(result: NeighborResult) -> Text:
    text = Text("(*) the mean where the two sets trade places at random: without memorization.\n")
    if result.copied:
        text.append(
            f"Training records at distance zero from a sample: {result.copied:,}.\n",
            style="bold",
        )
    if result.mean_ratio.left_out:
        text.append(
            "Left out of the mean, at distance zero from a sample or a validation record:"
            f" {result.mean_ratio.left_out:,}.\n"
        )
    unused = int(np.isnan(result.copying.z).sum())
    if unused:
        text.append(
            f"C_T leaves out {unused} of {len(result.copying.z)} cells: too few samples there.\n"
        )
    text.append(
        "rho of one record depends on which samples were drawn; the interval of its mean accounts"
        " for that, the interval of the correlation does not."
    )
    return text


def _records(result: NeighborResult, top: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("nearest to a sample")
    for title in ("rho", "to sample", "to validation", "sample", "score M"):
        table.add_column(title, justify="right")
    for row in result.order()[:top]:
        table.add_row(
            Text(printable(result.ids[row])),
            number(result.ratio[row]),
            number(result.distance_sample[row]),
            number(result.distance_validation[row]),
            str(result.nearest_sample[row]),
            number(result.score[row]),
        )
    return table
