"""Nearest-neighbour tests as text for the terminal, or as plain data."""

from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import interval, new_table, number, plain, plural
from byrote.scores.neighbors.copying_test import ENOUGH
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.stats.estimate import Estimate

HEAD = ("test", "value", "[95 %]", "p", "memorization if")


def render(result: NeighborResult, *, top: int = 10) -> RenderableType:
    """Return the tests, and the training records nearest to a sample."""
    parts: list[RenderableType] = [_headline(result), _tests(result), _remarks(result)]
    if top:
        parts += [Text(""), _records(result, top)]
    return Group(*parts)


def to_json(result: NeighborResult, *, top: int = 10) -> dict[str, Any]:
    """Return nearest-neighbour tests as plain data for JSON."""
    frame = result.to_frame().iloc[result.order()[:top]]
    return plain(
        {
            "description": dict(result.description),
            "summary": result.summary(),
            "nearly_reproduced": frame.to_dict(orient="records"),
        }
    )


def _headline(result: NeighborResult) -> Text:
    about = result.description
    return Text(
        f"{about['train']:,} training records, {about['validation']:,} validation records,"
        f" {about['samples']:,} samples · {about['space']}, {about['dimensions']:,} dimensions"
        f" · seed {about['seed']}\n"
        f"rho: distance to the nearest validation record over that to the nearest sample,"
        f" {about['compared']:,} of each"
    )


def copied(result: NeighborResult) -> str:
    """State how many training records a sample copies exactly, and among how few samples.

    Examples
    --------
    See ``render``.
    """
    if result.copied:
        return f"Training records at distance zero from a sample: {result.copied:,}."
    samples = plural(result.description["samples"], "sample")
    return f"No exact copy of a training record among {samples}; more samples may hold some."


def rows(result: NeighborResult) -> list[tuple[str, str, str, str, str]]:
    """Return a row of ``HEAD`` for each test."""
    mean, copying, authenticity = result.mean_ratio, result.copying, result.authenticity
    return [
        (
            "mean of rho",
            number(mean.value),
            interval(*mean.interval),
            number(mean.p_value),
            f"above {number(mean.exchanged)} (*)",
        ),
        (
            "correlation with M",
            number(result.correlation),
            interval(*result.correlation_interval),
            "",
            "–",
        ),
        (
            f"copying, C_T{_cells(result)}",
            number(copying.statistic),
            "",
            number(copying.p_value),
            "–" if _counted(result) < min(2, len(copying.z)) else "far below 0",
        ),
        (
            "authentic samples",
            number(float(authenticity)),
            interval(*authenticity.interval),
            "",
            "near 0",
        ),
        (
            "samples that copy a record (**)",
            number(result.copies.rate.value),
            interval(*result.copies.rate.interval),
            "",
            _above(result.copies.control),
        ),
    ]


def remarks(result: NeighborResult) -> list[str]:
    """Return notes on how to read the tests, one or two sentences each."""
    sentences = [
        "(*) the mean if samples and validation records are exchanged at random.",
        "(**) nearer than a third of the distance to the second nearest training record (ratio"
        " 1/3); the control counts validation records instead.",
    ]
    if result.mean_ratio.left_out:
        sentences.append(
            "Left out of the mean, at distance zero from a sample or a validation record:"
            f" {result.mean_ratio.left_out:,}."
        )
    if _cells(result):
        sentences.append(
            f"C_T leaves out cells with fewer than {ENOUGH} samples or without a validation record;"
            " one cell alone does not represent the whole."
        )
    sentences.append(
        "C_T depends on distances only: samples unlike the data can move it either way without"
        " copying."
    )
    sentences.append(
        "rho of one record depends on the samples drawn. The interval of its mean accounts for"
        " that, the interval of the correlation does not."
    )
    return sentences


def _above(control: Estimate) -> str:
    """Return what a share must exceed, the control with its interval."""
    if np.isnan(control.value):
        return f"no control: {control.reason}"
    return f"above {number(control.value)} {interval(*control.interval)}"


def _counted(result: NeighborResult) -> int:
    return int(np.count_nonzero(~np.isnan(result.copying.z)))


def _cells(result: NeighborResult) -> str:
    """Return the number of cells that C_T rests on, if not on all."""
    counted, cells = _counted(result), len(result.copying.z)
    return f" ({counted} of {cells} cells)" if counted < cells else ""


def _tests(result: NeighborResult) -> Table:
    table = new_table(*HEAD)
    table.columns[-1].justify = "left"
    for row in rows(result):
        table.add_row(*map(Text, row))
    return table


def _remarks(result: NeighborResult) -> Text:
    text = Text()
    text.append(f"{copied(result)}\n", style="bold" if result.copied else "")
    return text.append("\n".join(remarks(result)))


def _records(result: NeighborResult, top: int) -> Table:
    titles = ("rho", "to sample", "to validation", "sample", "score M")
    table = new_table("nearest to a sample", *titles)
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
