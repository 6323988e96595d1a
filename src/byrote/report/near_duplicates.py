"""Copies and near copies in the training set, as text for the terminal, or as plain data."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import number, plain
from byrote.report.memorization import RecordColumn
from byrote.report.tables import new_table
from byrote.scores.neighbors.near_duplicates import Kind, NearDuplicates

_MARKS = {Kind.COPY: "=", Kind.NEAR: "≈", Kind.BRIGHTNESS: "≈*"}


def render(duplicates: NearDuplicates, *, top: int = 10) -> RenderableType:
    """Return how many records have a near copy, what that does to their scores, and which."""
    description = duplicates.description
    train, different = (f"{description[name]:,}" for name in ("train", "different"))
    headline = f"{train} training records, {different} of them different"
    space = f"{description['space']}, {description['dimensions']:,} dimensions"
    parts: list[RenderableType] = [
        Text(f"{headline} · {space}"),
        Text(sentence(duplicates), "bold"),
    ]
    parts += [Text(remark) for remark in remarks(duplicates)]
    if top and duplicates.hidden.any():
        parts += [Text(""), _records(duplicates, top)]
    return Group(*parts)


def to_json(duplicates: NearDuplicates, *, top: int = 10) -> dict[str, Any]:
    """Return the same as plain data for JSON."""
    frame = duplicates.to_frame().iloc[duplicates.order()[:top]]
    data = {"description": dict(duplicates.description), "summary": duplicates.summary()}
    return plain({**data, "near_duplicates": frame.to_dict(orient="records")})


def sentence(duplicates: NearDuplicates) -> str:
    """Return the finding in a line or two."""
    summary = duplicates.summary()
    if not summary["hidden"]:
        return f"No record has a {_copy(duplicates)} among the others."
    counted = {
        "copies": summary["copies"],
        "near copies": summary["near"],
        "near but for brightness and contrast": summary["near_but_for_brightness"],
    }
    kinds = ", ".join(f"{name}: {count:,}" for name, count in counted.items() if count)
    hidden, others = (number(summary[f"median_score_{side}"]) for side in ("hidden", "others"))
    return (
        f"Records that have a {_copy(duplicates)} among the others: {summary['hidden']:,}"
        f" ({kinds}). It may hide memorization from their scores: median M {hidden}, of the others"
        f" {others}."
    )


def column(duplicates: NearDuplicates) -> RecordColumn:
    """Return a column for the table of the same records' scores."""
    cells = [mark(duplicates, row) for row in range(len(duplicates))]
    return RecordColumn("copy of", sentence(duplicates), cells)


def mark(duplicates: NearDuplicates, row: int) -> str:
    """Return the copy or near copy of a record; empty if there is none."""
    kind = Kind(duplicates.kind[row])
    if kind is Kind.NONE:
        return ""
    return f"{_MARKS[kind]} {printable(duplicates.ids[duplicates.neighbor[row]])}"


def remarks(duplicates: NearDuplicates) -> list[str]:
    """Return how to read the finding, a sentence each."""
    if duplicates.unjudged:
        return [f"Only copies are told, number for number: {duplicates.unjudged}."]
    sentences = [
        "Near: nearer than the density about the record lets expect, at a 1 % false discovery rate."
    ]
    if duplicates.description["brightness"]:
        sentences.append("(≈*) near where brightness and contrast are taken out.")
    if duplicates.description["space"].startswith("pixels"):
        sentences.append("Copies that are shifted, turned or cropped are not seen.")
    return sentences


def _copy(duplicates: NearDuplicates) -> str:
    return "copy" if duplicates.unjudged else "copy or near copy"


def _records(duplicates: NearDuplicates, top: int) -> Table:
    table = new_table("record", "copy of", "distance", "q", "score M", left=2)
    for row in duplicates.order()[:top]:
        table.add_row(
            Text(printable(duplicates.ids[row])),
            Text(mark(duplicates, row)),
            number(duplicates.distance[row]),
            number(duplicates.q_value[row]),
            number(duplicates.score[row]),
        )
    return table


def columns(duplicates: NearDuplicates) -> Mapping[str, Any]:
    """Return columns for the CSV of the scores, one entry per record."""
    frame = duplicates.to_frame()
    return {f"near_{name}": frame[name] for name in ("nearest", "distance", "q_value", "kind")}
