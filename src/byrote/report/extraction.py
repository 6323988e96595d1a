"""Extracted completions, and the ranks of canaries, as text or plain data."""

from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.attacks.extraction import Extraction
from byrote.errors import printable
from byrote.report.format import add_ellipsis, insertions, new_table, number, plain, plural
from byrote.scores.exposure.secret_extraction import PatternExtraction, SecretExtraction

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
    if not extraction.completions:
        return Text(_outcome(extraction))
    head = Text("found ")
    head.append(shown(extraction, extraction.completions[0][0], show_secrets), style="bold")
    head.append(_outcome(extraction))
    parts: list[RenderableType] = [head, *map(Text, _sentences(extraction))]
    if len(extraction.completions) > 1:
        parts += [Text(""), _completions(extraction, show_secrets)]
    return Group(*parts)


def masked(extraction: Extraction) -> str:
    """Return the most likely completion, masked, with its cost, and whether it is certified."""
    if not extraction.completions:
        return _outcome(extraction)
    head = f"found {printable(extraction.masked)}{_outcome(extraction)}."
    return " ".join([head, *_sentences(extraction)])


def _outcome(extraction: Extraction) -> str:
    queries = plural(extraction.queries, "query")
    completions = plural(extraction.size, "completion")
    if not extraction.completions:
        return (
            f"nothing found in {queries}: none of {completions} was reached. Use more queries or a"
            " larger frontier."
        )
    return f" at {number(extraction.bits)} bits, of {completions}; {queries}"


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

GUESSES = 1_000  # few beside the completions of a pattern: at most 1 % of them
CANARIES = ("canary", "inserted", "bits", "rank", "completed from")


def render_run(
    result: SecretExtraction, *, show_secrets: bool = False, top: int = 40
) -> RenderableType:
    """Return the completions of each pattern, and the ranks of ``top`` of its canaries.

    Texts are masked unless ``show_secrets``.
    """
    parts: list[RenderableType] = []
    for pattern in result.patterns:
        parts += [Text(printable(pattern.pattern), style="bold")]
        parts += [render(pattern.extraction, show_secrets=show_secrets)]
        parts += [Text(sentence) for sentence in recognised(pattern)]
        if len(pattern.ids):
            parts += [Text(""), _canaries(pattern, top)]
        parts.append(Text(""))
    return Group(*parts[:-1])


def run_to_json(result: SecretExtraction, *, show_secrets: bool = False) -> dict[str, Any]:
    """Return the extractions as plain data for JSON; texts are masked unless ``show_secrets``."""
    return {
        "run_id": result.description.get("run_id"),
        "fit": result.fit,
        "inserted": result.planted,
        "budget": result.budget.to_dict(),
        "patterns": plain([_pattern_to_json(part, show_secrets) for part in result.patterns]),
    }


def sentences(result: SecretExtraction) -> list[str]:
    """State how many inserted secrets were extracted, and how sure that is."""
    top = result.budget.top
    likeliest = "the likeliest completion" if top == 1 else f"one of the {top:,} likeliest"
    places = "the first place" if top == 1 else f"the first {top:,} places"
    first = f"; {known}" if (known := first_guesses(result)) else ""
    text = [
        f"{len(result.extracted):,} of {plural(result.searched, 'inserted secret')} extracted from"
        f" the model of fit {result.fit}, as {likeliest} of a pattern that byrote extract found in"
        f" at most {plural(result.budget.max_queries, 'query')}, a budget of its own.",
        f"Only {places} of a pattern can be extracted, so other secrets are not cleared{first}.",
    ]
    if result.uncertified:
        text.append(
            f"Not certified for {result.uncertified:,} of"
            f" {plural(len(result.patterns), 'pattern')}: the search was cut off there, and more"
            " queries may extract more."
        )
    else:
        text.append("Certified: no other completion is more likely to this model.")
    if result.searched < result.planted:
        text.append(
            f"The other {result.planted - result.searched:,} of {result.planted:,} inserted"
            " secrets, of other patterns, were not searched for."
        )
    return text


def first_guesses(result: SecretExtraction) -> str:
    """State how many inserted secrets certainly stand among the first guesses; "" if none."""
    early = sum(
        int(np.count_nonzero(pattern.ranks.most[pattern.inserted > 0] <= GUESSES))
        for pattern in result.patterns
        if pattern.ranks is not None and pattern.extraction.size >= 100 * GUESSES
    )
    if not early:
        return ""
    return (
        f"the first {GUESSES:,} guesses at a pattern, the likeliest first, certainly hold"
        f" {early:,} of {result.searched:,}"
    )


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


def recognised(pattern: PatternExtraction) -> list[str]:
    """State which of the completions found are planted secrets."""
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
    table = new_table(*CANARIES)
    for row in range(len(pattern.ids))[:top]:
        table.add_row(*map(Text, canary_row(pattern, row)))
    add_ellipsis(table, len(pattern.ids) - top)
    return table


def canary_row(pattern: PatternExtraction, row: int) -> tuple[str, ...]:
    """Format a canary: its name, insertions, bits, rank, and what greedy completion needs."""
    ranks = pattern.ranks
    return (
        printable(pattern.ids[row]),
        f"{pattern.inserted[row]:,}",
        "–" if ranks is None else number(ranks.bits[row]),
        "–" if ranks is None else _rank(ranks, row, pattern.extraction.size),
        _completed_from(pattern, row),
    )


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
