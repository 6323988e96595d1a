"""Extracted completions, and the ranks of canaries, as text or plain data."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.attacks.extraction import Extraction
from byrote.errors import printable
from byrote.report.format import add_ellipsis, insertions, new_table, number, plain, plural
from byrote.scores.exposure.extraction_from_run import PatternExtraction

# -- one pattern ----------------------------------------------------------------------------------


def render(extraction: Extraction, *, show_secrets: bool = False) -> RenderableType:
    """Return the most likely completions with their cost, and whether they are certified.

    Parameters
    ----------
    show_secrets
        Print the completions; otherwise their secrets are masked.

    Examples
    --------
    >>> import rich
    >>> from byrote.attacks.extraction import Extraction
    >>> rich.print(render(Extraction(
    ...     completions=(("281265017", 3.25),), certified_count=1, queries=12345, size=10**9,
    ...     masked="*********", rank=1.0, rank_low=1.0, rank_high=1.0, matches=True)))
    found ********* at 3.25 bits, of 1,000,000,000 completions; 12,345 queries
    Certified: no other completion is more likely.
    It is the canary's own secret.
    """
    queries = plural(extraction.queries, "query")
    if not extraction.completions:
        return Text(
            f"nothing found in {queries}: none of {plural(extraction.size, 'completion')} was"
            " reached. Use more queries or a larger frontier."
        )
    text, bits = extraction.completions[0]
    head = Text("found ")
    head.append(shown(extraction, text, show_secrets), style="bold")
    head.append(f" at {number(bits)} bits, of {plural(extraction.size, 'completion')}; {queries}")
    parts: list[RenderableType] = [head, *map(Text, _sentences(extraction))]
    if len(extraction.completions) > 1:
        parts += [Text(""), _completions(extraction, show_secrets)]
    return Group(*parts)


def to_json(extraction: Extraction, *, show_secrets: bool = False) -> dict[str, Any]:
    """Return an extraction as plain data for JSON; secrets are masked unless ``show_secrets``."""
    return plain(
        {
            "found": [
                {
                    "text": shown(extraction, text, show_secrets),
                    "bits": bits,
                    "certified": place < extraction.certified_count,
                }
                for place, (text, bits) in enumerate(extraction.completions)
            ],
            "masked": not show_secrets,
            "queries": extraction.queries,
            "size": extraction.size,
            "rank": extraction.rank,
            "rank_low": extraction.rank_low,
            "rank_high": extraction.rank_high,
            "matches": extraction.matches,
        }
    )


def shown(extraction: Extraction, text: str, show_secrets: bool) -> str:
    """Return a completion, masked unless ``show_secrets``."""
    return printable(text if show_secrets else extraction.masked)


def _sentences(extraction: Extraction) -> list[str]:
    certified = "Not certified: the search was cut off, another completion may be more likely."
    if extraction.certified_count:
        certified = "Certified: no other completion is more likely."
    if extraction.matches is None:
        return [certified]
    if extraction.matches:
        return [certified, "It is the canary's own secret."]
    return [certified, f"It is not the canary's own secret, {_secret_rank(extraction)}."]


def _secret_rank(extraction: Extraction) -> str:
    if not np.isnan(extraction.rank):
        return f"which has rank {extraction.rank:,.0f}"
    low, high = extraction.rank_low, extraction.rank_high
    if np.isnan(low):
        return "whose rank is not known"
    return f"whose rank is between {low:,.0f} and {high:,.0f}"


def _completions(extraction: Extraction, show_secrets: bool) -> Table:
    table = new_table("place", "completion", "bits", "certified", left=0)
    table.columns[1].justify = table.columns[3].justify = "left"
    for place, (text, bits) in enumerate(extraction.completions):
        certified = "yes" if place < extraction.certified_count else "no"
        completion = Text(shown(extraction, text, show_secrets))
        table.add_row(f"{place + 1:,}", completion, number(bits), certified)
    return table


# -- all patterns of a run ------------------------------------------------------------------------


def render_patterns(
    patterns: Sequence[PatternExtraction], *, show_secrets: bool = False, top: int = 40
) -> RenderableType:
    """Return the completions of each pattern, and the ranks of ``top`` of its canaries.

    Texts are masked unless ``show_secrets``.
    """
    parts: list[RenderableType] = []
    for pattern in patterns:
        parts += [Text(printable(pattern.pattern), style="bold")]
        parts += [render(pattern.extraction, show_secrets=show_secrets)]
        parts += [Text(sentence) for sentence in _recognised(pattern)]
        if len(pattern.ids):
            parts += [Text(""), _canaries(pattern, top)]
        parts.append(Text(""))
    return Group(*parts[:-1])


def patterns_to_json(patterns: Sequence[PatternExtraction], *, show_secrets: bool = False) -> Any:
    """Return the extractions as plain data for JSON, a list with an entry for each pattern."""
    return plain([_pattern_to_json(pattern, show_secrets) for pattern in patterns])


def _pattern_to_json(pattern: PatternExtraction, show_secrets: bool) -> dict[str, Any]:
    ranks, names = pattern.ranks, ("bits", "rank", "low", "high")
    return {
        "pattern": pattern.pattern,
        **to_json(pattern.extraction, show_secrets=show_secrets),
        "recognised": [vars(secret) for secret in pattern.recognised],
        "rank_queries": 0 if ranks is None else ranks.queries,
        "canaries": [
            {
                "id": str(pattern.ids[row]),
                "inserted": int(pattern.inserted[row]),
                **{name: float(getattr(ranks, name)[row]) for name in names},
                "completed_by_given": pattern.completed[row].tolist(),
            }
            for row in range(len(pattern.ids))
        ],
    }


def _recognised(pattern: PatternExtraction) -> list[str]:
    if not pattern.extraction.completions:
        return []
    several = len(pattern.extraction.completions) > 1
    sentences = [
        f"{f'Place {secret.place}' if several else 'It'} is the secret of {printable(secret.id)},"
        f" {'' if secret.inserted else 'which was '}{insertions(secret.inserted)}."
        for secret in pattern.recognised
    ]
    return sentences or [
        f"{'None of them' if several else 'It'} is {'' if several else 'not '}a planted secret."
    ]


def _canaries(pattern: PatternExtraction, top: int) -> Table:
    table = new_table("canary", "inserted", "bits", "rank", "completed from")
    ranks = pattern.ranks
    for row in range(len(pattern.ids))[:top]:
        table.add_row(
            Text(printable(pattern.ids[row])),
            f"{pattern.inserted[row]:,}",
            "–" if ranks is None else number(ranks.bits[row]),
            "–" if ranks is None else _rank(ranks, row, pattern.extraction.size),
            _completed_from(pattern, row),
        )
    add_ellipsis(table, len(pattern.ids) - top)
    return table


def _rank(ranks: Any, row: int, size: int) -> str:
    """Format the exact rank among ``size`` completions, or its bounds."""
    rank, low, high = (float(getattr(ranks, name)[row]) for name in ("rank", "low", "high"))
    if not np.isnan(rank):
        return f"{rank:,.0f}"
    if low > 1:
        return f"{low:,.0f} to {high:,.0f}"
    if high >= size:
        return "not known"
    return f"at most {high:,.0f}"


def _completed_from(pattern: PatternExtraction, row: int) -> str:
    """Return the number of given characters from which the rest is always completed."""
    known = pattern.completed[row][~np.isnan(pattern.completed[row])]
    whole = known == 1
    if not whole.any():
        return "–"
    first = int(np.flatnonzero(~whole)[-1]) + 1 if not whole.all() else 0
    if first >= len(known):
        return "–"
    return f"{first} of {len(known)} given"
