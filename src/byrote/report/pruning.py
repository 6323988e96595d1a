"""Which records stay, as text."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from byrote.report.text import number, plain
from byrote.scores.memorization.pruning import Pruned
from byrote.scores.neighbors.near_duplicates import NearDuplicates


def render(
    found: Pruned, description: Mapping[str, Any], place: Path, near: NearDuplicates | None = None
) -> Text:
    """How many go, by which rule, which stay, and how to audit those.

    ``description`` is the run's, ``place`` the file that lists the ids that stay, ``near`` what is
    known of near-duplicates.
    """
    text = Text()
    text.append(f"{len(found.removed):,} of {len(found):,} records go", style="bold")
    text.append(f": {_rule(found)}.\n")
    for reason, count in found.never_scored.items():
        text.append(f"{count:,} without a score stay, {reason}: nothing is known of them.\n")
    text.append(f"{len(found.kept):,} stay: {place}\n")
    if left := _left(found, near):
        text.append(f"{left:,} of those that go have a copy or near copy that stays.\n")
    if not len(found.removed):
        return text.append("None goes, so there is nothing to audit again.")
    if description["data"]["source"] != "memory":
        text.append(f"To audit them: {_command(description['data'], place)} --out …\n")
    return text.append("Records that the others shielded may be memorized then.")


def to_json(found: Pruned, place: Path, near: NearDuplicates | None = None) -> dict[str, Any]:
    """The same as plain data that JSON can hold; ``copies_left`` is null if not searched for."""
    removed = found.removed.tolist()
    return plain(
        {
            "summary": found.summary(),
            "file": str(place),
            "removed": removed,
            "copies_left": _left(found, near),
        }
    )


def _left(found: Pruned, near: NearDuplicates | None) -> int | None:
    """How many of those that go have a copy or near copy that stays."""
    if near is None:
        return None
    gone = np.isin(near.ids, found.removed)
    return int(np.count_nonzero(gone & near.hidden & ~gone[near.neighbor]))


def _rule(found: Pruned) -> str:
    scored = f"of {found.scored:,} scored"
    if found.rule == "fdr":
        return f"those with q at most {found.threshold:g}, {scored}"
    lowest = number(found.lowest_score)
    return f"the {found.threshold * 100:g} % with the highest M, {lowest} nats or more, {scored}"


def _command(data: Mapping[str, Any], place: Path) -> str:
    """How ``byrote score`` reads the same data, without those that go."""
    words = ["byrote", "score", data["source"]]
    for name, value in data["options"].items():
        words += [] if name == "only" else [f"--{name}", value]
    return shlex.join([*words, "--only", str(place)])
