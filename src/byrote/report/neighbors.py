"""Nearest-neighbour tests as text."""

from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.text import number, plain, printable
from byrote.scores.neighbors.copying_test import ENOUGH
from byrote.scores.neighbors.neighbor_result import NeighborResult

HEAD = ("test", "value", "[95 %]", "p", "memorization if")


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


def rows(result: NeighborResult) -> list[tuple[str, str, str, str, str]]:
    """Of each test: name, value, 95 % interval, p-value, and which values speak of memorization."""
    mean, copying, authenticity = result.mean_ratio, result.copying, result.authenticity
    return [
        (
            "mean of rho",
            number(mean.value),
            _interval(mean.interval),
            number(mean.p_value),
            f"above {number(mean.exchanged)} (*)",
        ),
        (
            "correlation with M",
            number(result.correlation),
            _interval(result.correlation_interval),
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
            _interval(authenticity.interval),
            "",
            "near 0",
        ),
    ]


def remarks(result: NeighborResult) -> list[str]:
    """What must be known to read the tests, a sentence or two each."""
    said = ["(*) the mean where the two sets trade places at random: without memorization."]
    if result.mean_ratio.left_out:
        said.append(
            "Left out of the mean, at distance zero from a sample or a validation record:"
            f" {result.mean_ratio.left_out:,}."
        )
    if _cells(result):
        said.append(
            f"C_T leaves out cells with fewer than {ENOUGH} samples or no validation record; one"
            " cell alone tells nothing of the whole."
        )
    said.append(
        "C_T speaks of distances only: samples that are unlike the data can move it either way"
        " without any copying."
    )
    said.append(
        "rho of one record depends on which samples were drawn; the interval of its mean accounts"
        " for that, the interval of the correlation does not."
    )
    return said


def _counted(result: NeighborResult) -> int:
    return int(np.count_nonzero(~np.isnan(result.copying.z)))


def _cells(result: NeighborResult) -> str:
    """How many cells C_T rests on, if not on all."""
    counted, cells = _counted(result), len(result.copying.z)
    return f" ({counted} of {cells} cells)" if counted < cells else ""


def _interval(ends: tuple[float, float]) -> str:
    return f"[{number(ends[0])}, {number(ends[1])}]"


def _tests(result: NeighborResult) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in HEAD:
        table.add_column(Text(title), justify="left" if title in (HEAD[0], HEAD[-1]) else "right")
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
