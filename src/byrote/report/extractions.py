"""What was taken out of a model of a run, pattern by pattern."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report import extraction as text
from byrote.report.text import number, plain, printable
from byrote.scores.exposure.extraction import PatternExtraction


def render(
    found: Sequence[PatternExtraction], *, show_secrets: bool = False, top: int = 40
) -> RenderableType:
    """For each pattern what was found, whether it was planted, and where the canaries stand.

    Texts are masked unless ``show_secrets``; ``top`` canaries of each pattern are listed.
    """
    parts: list[RenderableType] = []
    for one in found:
        parts += [Text(printable(one.pattern), style="bold")]
        parts += [text.render(one.extraction, show_secrets=show_secrets)]
        parts += [Text(sentence) for sentence in _recognised(one)]
        if len(one.ids):
            parts += [Text(""), _canaries(one, top)]
        parts.append(Text(""))
    return Group(*parts[:-1])


def to_json(found: Sequence[PatternExtraction], *, show_secrets: bool = False) -> Any:
    """The same as plain data, a list with an entry for each pattern."""
    return plain([_plain(one, show_secrets) for one in found])


def _plain(one: PatternExtraction, show_secrets: bool) -> dict[str, Any]:
    ranks = one.ranks
    return {
        "pattern": one.pattern,
        **text.to_json(one.extraction, show_secrets=show_secrets),
        "recognised": [vars(each) for each in one.recognised],
        "rank_queries": 0 if ranks is None else ranks.queries,
        "canaries": [
            {
                "id": str(one.ids[row]),
                "inserted": int(one.inserted[row]),
                **{
                    name: float(getattr(ranks, name)[row])
                    for name in ("bits", "rank", "low", "high")
                },
                "completed_by_given": one.completed[row].tolist(),
            }
            for row in range(len(one.ids))
        ],
    }


def _recognised(one: PatternExtraction) -> list[str]:
    """Which of the texts found are planted secrets."""
    if not one.extraction.found:
        return []
    several = len(one.extraction.found) > 1
    said = [
        f"{f'Place {each.place}' if several else 'It'} is the secret of {printable(each.id)},"
        f" {_times(each.inserted)}."
        for each in one.recognised
    ]
    return said or [
        f"{'None of them' if several else 'It'} is {'' if several else 'not '}a planted secret."
    ]


def _times(count: int) -> str:
    if count == 0:
        return "which was never inserted"
    return f"inserted {'once' if count == 1 else f'{count:,} times'}"


def _canaries(one: PatternExtraction, top: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("canary")
    for title in ("inserted", "bits", "rank", "completed alone from"):
        table.add_column(title, justify="right")
    for row in range(len(one.ids))[:top]:
        ranks = one.ranks
        table.add_row(
            Text(printable(one.ids[row])),
            f"{one.inserted[row]:,}",
            "–" if ranks is None else number(ranks.bits[row]),
            "–" if ranks is None else _rank(ranks, row, one.extraction.size),
            _completed(one, row),
        )
    if len(one.ids) > top:
        table.add_row(f"… and {len(one.ids) - top:,} more", *[""] * 4)
    return table


def _rank(ranks: Any, row: int, size: int) -> str:
    """The exact rank among ``size`` completions, or what is known to bound it."""
    rank, low, high = (float(getattr(ranks, name)[row]) for name in ("rank", "low", "high"))
    if not np.isnan(rank):
        return f"{rank:,.0f}"
    if low > 1:
        return f"{low:,.0f} to {high:,.0f}"
    if high >= size:
        return "not known"
    return f"at most {high:,.0f}"


def _completed(one: PatternExtraction, row: int) -> str:
    """The fewest characters after which all the rest comes out, from there on for any number."""
    known = one.completed[row][~np.isnan(one.completed[row])]
    whole = known == 1
    if not whole.any():
        return "–"
    first = int(np.flatnonzero(~whole)[-1]) + 1 if not whole.all() else 0
    if first >= len(known):
        return "–"
    return f"{first} of {len(known)} given"
