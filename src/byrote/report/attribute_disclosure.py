"""Attribute disclosure as text for the terminal."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import interval, new_table, number, plain, plural, with_interval
from byrote.report.settings import headline_of
from byrote.scores.privacy.attribute_disclosure import AttributeDisclosure


def to_json(result: AttributeDisclosure, *, top: int = 10) -> dict[str, Any]:
    """Return the disclosure as plain data for JSON, with the ``top`` records."""
    rows = _order(result)[:top]
    return plain(
        {
            "description": dict(result.description),
            "summary": result.summary(),
            "found": result.found.tolist(),
            "records": result.to_frame().iloc[rows].to_dict(orient="records"),
        }
    )


def render(result: AttributeDisclosure, *, top: int = 10) -> RenderableType:
    """Return the mean disclosure, the records found, and those with the largest advantage."""
    summary = result.summary()
    headline = headline_of(result.description)
    headline.append(f"secret: {printable(result.description['secret'])}")
    verdict = (
        f"Guessed with quality {number(summary['quality_in'])} in training and"
        f" {number(summary['quality_out'])} without it: {with_interval(result.mean, sign=True)} on"
        f" average over {plural(summary['scored'], 'record')}.\n"
        f"{plural(summary['found'], 'record')} found at a 5% false discovery rate; the others are"
        " not cleared: more fits may find some, and another attacker may guess better."
    )
    remark = (
        "1 is a right guess; of a number, 1 - error / range. [95 %] over other fits, for these"
        " records. Only the difference is disclosure: the rest is knowledge about the population."
    )
    reason = f" No interval: {result.mean.reason}." if result.mean.reason else ""
    return Group(headline, Text(verdict, "bold"), Text(remark + reason), _records(result, top))


def _records(result: AttributeDisclosure, top: int) -> Table:
    table = new_table("record", "advantage", "[95 %]", "in training", "without", "q")
    for row in _order(result)[:top]:
        table.add_row(
            Text(printable(result.ids[row])),
            number(result.advantage[row]),
            Text(interval(*result.interval[row])),
            number(result.quality_in[row]),
            number(result.quality_out[row]),
            number(result.q_value[row]),
        )
    return table


def _order(result: AttributeDisclosure) -> NDArray[np.intp]:
    """Return the scored rows, the largest advantage first."""
    scored = np.flatnonzero(~np.isnan(result.advantage))
    return scored[np.argsort(-result.advantage[scored], kind="stable")]
