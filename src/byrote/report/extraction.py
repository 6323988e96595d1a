"""What an attack took out of a model, as text for the terminal."""

from typing import Any, Protocol

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.text import number, plain, printable


class Extracted(Protocol):
    """What the text needs of an extraction: the result of ``byrote.extract`` has it."""

    @property
    def found(self) -> tuple[tuple[str, float], ...]:
        """Completions met with their log-perplexities (bits), the likeliest first."""

    @property
    def certified_count(self) -> int:
        """How many of these, from the first, are certainly the likeliest of all."""

    @property
    def queries(self) -> int:
        """Beginnings that the model read."""

    @property
    def size(self) -> int:
        """How many completions there are."""

    @property
    def masked(self) -> str:
        """A completion with its secret masked."""

    @property
    def rank(self) -> float:
        """The rank of the canary's own completion; NaN if it is not known."""

    @property
    def rank_low(self) -> float:
        """What it certainly is at least; NaN if there is none."""

    @property
    def rank_high(self) -> float:
        """What it certainly is at most; NaN if there is none."""

    @property
    def matches(self) -> bool | None:
        """Whether the first completion is the canary's own; None if it has none."""


def render(extraction: Extracted, *, show_secrets: bool = False) -> RenderableType:
    """The likeliest completions with their cost, and whether any could be likelier.

    Parameters
    ----------
    show_secrets
        Print the completions; otherwise their secrets are masked.

    Examples
    --------
    >>> import rich
    >>> from types import SimpleNamespace
    >>> found = SimpleNamespace(
    ...     found=(("281265017", 3.25),), certified_count=1, queries=12345, size=10**9, rank=1.0,
    ...     masked="*********", rank_low=1.0, rank_high=1.0, matches=True)
    >>> rich.print(render(found))
    found ********* at 3.25 bits, of 1,000,000,000 completions; 12,345 queries
    Certified: no other completion is likelier.
    It is the canary's own secret.
    """
    if not extraction.found:
        return Text(
            f"nothing found by {extraction.queries:,} queries: no completion, of"
            f" {extraction.size:,}, was reached. More queries or a larger frontier may reach one."
        )
    text, bits = extraction.found[0]
    head = Text("found ")
    head.append(shown(extraction, text, show_secrets), style="bold")
    head.append(f" at {number(bits)} bits, of {extraction.size:,} completions;")
    head.append(f" {extraction.queries:,} queries")
    parts: list[RenderableType] = [head, *map(Text, _sentences(extraction))]
    if len(extraction.found) > 1:
        parts += [Text(""), _table(extraction, show_secrets)]
    return Group(*parts)


def to_json(extraction: Extracted, *, show_secrets: bool = False) -> dict[str, Any]:
    """The same as plain data that JSON can hold; secrets are masked unless asked for."""
    return plain(
        {
            "found": [
                {
                    "text": shown(extraction, text, show_secrets),
                    "bits": bits,
                    "certified": place < extraction.certified_count,
                }
                for place, (text, bits) in enumerate(extraction.found)
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


def shown(extraction: Extracted, text: str, show_secrets: bool) -> str:
    """A completion found, or what stands for it."""
    return printable(text if show_secrets else extraction.masked)


def _sentences(extraction: Extracted) -> list[str]:
    """Whether anything can be likelier, and where the canary's own secret stands."""
    said = ["Not certified: the search was cut off, another completion may be likelier."]
    if extraction.certified_count:
        said = ["Certified: no other completion is likelier."]
    if extraction.matches is None:
        return said
    if extraction.matches:
        return [*said, "It is the canary's own secret."]
    return [*said, f"It is not the canary's own secret, {_rank(extraction)}."]


def _rank(extraction: Extracted) -> str:
    if not np.isnan(extraction.rank):
        return f"which has rank {extraction.rank:,.0f}"
    low, high = extraction.rank_low, extraction.rank_high
    if np.isnan(low):
        return "whose rank is not known"
    return f"whose rank is between {low:,.0f} and {high:,.0f}"


def _table(extraction: Extracted, show_secrets: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("place", justify="right")
    table.add_column("completion")
    table.add_column("bits", justify="right")
    table.add_column("certified")
    for place, (text, bits) in enumerate(extraction.found):
        sure = "yes" if place < extraction.certified_count else "no"
        completion = Text(shown(extraction, text, show_secrets))
        table.add_row(f"{place + 1:,}", completion, number(bits), sure)
    return table
