"""Copies and near copies among the records as text for the terminal, or as plain data."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import new_table, number, plain
from byrote.report.record_column import RecordColumn
from byrote.scores.neighbors.near_duplicates import Kind, NearDuplicates

_SHIFTED = "shifted, rotated or cropped copies are not detected"
_MARKS = {Kind.COPY: "=", Kind.NEAR: "≈", Kind.BRIGHTNESS: "≈*", Kind.PASSAGE: "∩"}


def render(duplicates: NearDuplicates, *, top: int = 10) -> RenderableType:
    """Return the number of records with a near copy, their scores, and the records."""
    description = duplicates.description
    train, different = (f"{description[name]:,}" for name in ("train", "different"))
    headline = f"{train} training records, {different} of them different · {description['space']}"
    if "dimensions" in description:
        headline += f", {description['dimensions']:,} dimensions"
    parts: list[RenderableType] = [
        Text(headline),
        Text(sentence(duplicates), "bold"),
    ]
    parts += [Text(remark) for remark in remarks(duplicates)]
    if top and duplicates.hidden.any():
        parts += [Text(""), _records(duplicates, top)]
    return Group(*parts)


def to_json(duplicates: NearDuplicates, *, top: int = 10) -> dict[str, Any]:
    """Return near-duplicates as plain data for JSON."""
    frame = duplicates.to_frame().iloc[duplicates.order()[:top]]
    data = {"description": dict(duplicates.description), "summary": duplicates.summary()}
    return plain({**data, "near_duplicates": frame.to_dict(orient="records")})


def sentence(duplicates: NearDuplicates) -> str:
    """Return the number of records with copies, and their scores, in a sentence or two."""
    summary = duplicates.summary()
    if not summary["hidden"]:
        return (
            f"No {_copy(duplicates)} of a record was found among the others;"
            f" {_undetected(duplicates)}."
        )
    counted = {
        "copies": summary["copies"],
        "near copies": summary["near"],
        "near up to brightness and contrast": summary["near_but_for_brightness"],
        "with a shared passage": summary["shared_passages"],
    }
    kinds = ", ".join(f"{name}: {count:,}" for name, count in counted.items() if count)
    hidden, others = (number(summary[f"median_score_{side}"]) for side in ("hidden", "others"))
    return (
        f"Records with a {_copy(duplicates)} among the others: {summary['hidden']:,} ({kinds}). It"
        f" may hide memorization: their median M is {hidden}, that of the others {others}."
    )


def column(duplicates: NearDuplicates) -> RecordColumn:
    """Return a column for the table of scores."""
    cells = [mark(duplicates, row) for row in range(len(duplicates))]
    return RecordColumn("copy of", sentence(duplicates), cells)


def mark(duplicates: NearDuplicates, row: int) -> str:
    """Return the copy or near copy of a record, or an empty string."""
    kind = Kind(duplicates.kind[row])
    if kind is Kind.NONE:
        return ""
    return f"{_MARKS[kind]} {printable(duplicates.ids[duplicates.neighbor[row]])}"


def remarks(duplicates: NearDuplicates) -> list[str]:
    """Return notes on how to read the result, one sentence each."""
    if duplicates.unjudged:
        return [f"Only exact copies are searched for: {duplicates.unjudged}."]
    description = duplicates.description
    if description["space"] == "texts":
        return [
            "Near: the sets of 5-grams of words have a Jaccard similarity of at least"
            f" {description['similarity']:g}.",
            f"(∩) shares a passage of {description['passage']} words or more.",
        ]
    sentences = ["Near: closer than the local density explains, at a 1 % false discovery rate."]
    if duplicates.description["brightness"]:
        sentences.append("(≈*) near after removing brightness and contrast.")
    if _in_pixels(duplicates) and duplicates.hidden.any():
        sentences.append(f"{_SHIFTED.capitalize()}.")
    return sentences


def _undetected(duplicates: NearDuplicates) -> str:
    """Return what a search that found nothing may have missed."""
    if duplicates.unjudged:
        return "only exact copies are searched for"
    return _SHIFTED if _in_pixels(duplicates) else "looser likeness is not searched for"


def _in_pixels(duplicates: NearDuplicates) -> bool:
    return bool(duplicates.description["space"].startswith("pixels"))


def _copy(duplicates: NearDuplicates) -> str:
    if duplicates.description["space"] == "texts":
        return "copy, near copy or shared passage"
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
