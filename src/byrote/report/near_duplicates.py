"""Copies and near copies in the training set, as text."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.beside import Beside
from byrote.report.values import number, plain, printable
from byrote.scores.neighbors.near_duplicates import Kind, NearDuplicates

_MARKS = {Kind.COPY: "=", Kind.NEAR: "≈", Kind.BRIGHTNESS: "≈*"}


def render(found: NearDuplicates, *, top: int = 10) -> RenderableType:
    """How many records have a near copy, what that does to their scores, and which they are."""
    said = found.description
    different = f"{said['train']:,} training records, {said['different']:,} of them different"
    space = f"{said['space']}, {said['dimensions']:,} dimensions"
    parts: list[RenderableType] = [Text(f"{different} · {space}"), Text(sentence(found), "bold")]
    parts += [Text(remark) for remark in remarks(found)]
    if top and found.hidden.any():
        parts += [Text(""), _records(found, top)]
    return Group(*parts)


def to_json(found: NearDuplicates, *, top: int = 10) -> dict[str, Any]:
    """The same as plain data that JSON can hold."""
    frame = found.to_frame().iloc[found.order()[:top]]
    data = {"description": dict(found.description), "summary": found.summary()}
    return plain({**data, "near_duplicates": frame.to_dict(orient="records")})


def sentence(found: NearDuplicates) -> str:
    """The finding in a line or two."""
    summary = found.summary()
    if not summary["hidden"]:
        return f"No record has a {_looked_for(found)} among the others."
    counted = {
        "copies": summary["copies"],
        "near copies": summary["near"],
        "near but for brightness and contrast": summary["near_but_for_brightness"],
    }
    kinds = ", ".join(f"{name}: {count:,}" for name, count in counted.items() if count)
    hidden, other = (number(summary[f"median_score_{side}"]) for side in ("hidden", "others"))
    return (
        f"Records that have a {_looked_for(found)} among the others: {summary['hidden']:,}"
        f" ({kinds}). It may hide memorization from their scores: median M {hidden}, of the others"
        f" {other}."
    )


def beside(found: NearDuplicates) -> Beside:
    """What stands beside the scores of the same records."""
    cells = [mark(found, row) for row in range(len(found))]
    return Beside("copy of", sentence(found), cells)


def mark(found: NearDuplicates, row: int) -> str:
    """What a record is near to, in a cell of a table; nothing where there is no near copy."""
    kind = Kind(found.kind[row])
    if kind is Kind.NONE:
        return ""
    return f"{_MARKS[kind]} {printable(found.ids[found.neighbor[row]])}"


def remarks(found: NearDuplicates) -> list[str]:
    """What must be known to read the finding."""
    if found.unjudged:
        return [f"Only copies are told, number for number: {found.unjudged}."]
    said = [
        "Near: nearer than the density about the record lets expect, at a 1 % false discovery rate."
    ]
    if found.description["brightness"]:
        said.append("(≈*) near where brightness and contrast are taken out.")
    if found.description["space"].startswith("pixels"):
        said.append("Copies that are shifted, turned or cropped are not seen.")
    return said


def _looked_for(found: NearDuplicates) -> str:
    return "copy" if found.unjudged else "copy or near copy"


def _records(found: NearDuplicates, top: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("record")
    table.add_column("copy of")
    for title in ("distance", "q", "score M"):
        table.add_column(title, justify="right")
    for row in found.order()[:top]:
        table.add_row(
            Text(printable(found.ids[row])),
            Text(mark(found, row)),
            number(found.distance[row]),
            number(found.q_value[row]),
            number(found.score[row]),
        )
    return table


def columns(found: NearDuplicates) -> Mapping[str, Any]:
    """Columns that stand beside the scores, one entry per record."""
    frame = found.to_frame()
    return {f"near_{name}": frame[name] for name in ("nearest", "distance", "q_value", "kind")}
