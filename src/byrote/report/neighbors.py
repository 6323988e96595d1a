"""Nearest-neighbour tests as text for the terminal, or as plain data."""

from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import number, plain
from byrote.report.tables import new_table
from byrote.scores.neighbors.copying_test import ENOUGH
from byrote.scores.neighbors.neighbor_result import NeighborResult

HEAD = ("test", "value", "[95 %]", "p", "memorization if")


def render(result: NeighborResult, *, top: int = 10) -> RenderableType:
    """Return the tests, and the training records that samples come nearest to."""
    parts: list[RenderableType] = [_headline(result), _tests(result), _remarks(result)]
    if top:
        parts += [Text(""), _records(result, top)]
    return Group(*parts)


def to_json(result: NeighborResult, *, top: int = 10) -> dict[str, Any]:
    """Return the same as plain data for JSON."""
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
        f"rho: nearest validation record over nearest sample, {about['compared']:,} of each"
    )


def rows(result: NeighborResult) -> list[tuple[str, str, str, str, str]]:
    """Return of each test name, value, 95 % interval, p-value, and values of memorization."""
    mean, copying, authenticity = result.mean_ratio, result.copying, result.authenticity
    return [
        (
            "mean of rho",
            number(mean.value),
            _ends(mean.interval),
            number(mean.p_value),
            f"above {number(mean.exchanged)} (*)",
        ),
        (
            "correlation with M",
            number(result.correlation),
            _ends(result.correlation_interval),
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
            _ends(authenticity.interval),
            "",
            "near 0",
        ),
    ]


def remarks(result: NeighborResult) -> list[str]:
    """Return how to read the tests, a sentence or two each."""
    sentences = ["(*) the mean where the two sets trade places at random: without memorization."]
    if result.mean_ratio.left_out:
        sentences.append(
            "Left out of the mean, at distance zero from a sample or a validation record:"
            f" {result.mean_ratio.left_out:,}."
        )
    if _cells(result):
        sentences.append(
            f"C_T leaves out cells with fewer than {ENOUGH} samples or no validation record; one"
            " cell alone tells nothing of the whole."
        )
    sentences.append(
        "C_T speaks of distances only: samples that are unlike the data can move it either way"
        " without any copying."
    )
    sentences.append(
        "rho of one record depends on which samples were drawn; the interval of its mean accounts"
        " for that, the interval of the correlation does not."
    )
    return sentences


def _counted(result: NeighborResult) -> int:
    return int(np.count_nonzero(~np.isnan(result.copying.z)))


def _cells(result: NeighborResult) -> str:
    """Return the number of cells that C_T rests on, if not on all."""
    counted, cells = _counted(result), len(result.copying.z)
    return f" ({counted} of {cells} cells)" if counted < cells else ""


def _ends(ends: tuple[float, float]) -> str:
    return f"[{number(ends[0])}, {number(ends[1])}]"


def _tests(result: NeighborResult) -> Table:
    table = new_table(*HEAD)
    table.columns[-1].justify = "left"
    for row in rows(result):
        table.add_row(*map(Text, row))
    return table


def _remarks(result: NeighborResult) -> Text:
    text = Text()
    if result.copied:
        text.append(
            f"Training records at distance zero from a sample: {result.copied:,}.\n",
            style="bold",
        )
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
