"""Pruned records as text for the terminal, or as plain data."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from byrote.report.format import number, plain, plural
from byrote.scores.memorization.pruning import Pruned
from byrote.scores.neighbors.near_duplicates import NearDuplicates


def render(
    pruned: Pruned,
    description: Mapping[str, Any] | None = None,
    path: Path | None = None,
    duplicates: NearDuplicates | None = None,
) -> Text:
    """Return the number of records removed, the rule, and the command that scores those kept.

    ``description`` is the run's, ``path`` the file that lists the ids kept.
    """
    text = Text()
    text.append(f"{len(pruned.removed):,} of {plural(len(pruned), 'record')} removed", style="bold")
    text.append(f": {_rule(pruned)}.\n")
    for reason, count in pruned.never_scored.items():
        text.append(f"{count:,} without a score are kept, {reason}.\n")
    text.append(f"{len(pruned.kept):,} kept{f': {path}' if path else '.'}\n")
    if left := _copies_left(pruned, duplicates):
        text.append(f"{left:,} of those removed have a copy or near copy that is kept.\n")
    if not len(pruned.removed):
        return text.append(
            "No record is removed: none reaches the rule. What the run could not find stays in."
        )
    if path and description and description["data"]["source"] != "memory":
        text.append(f"To score the records kept: {_command(description['data'], path)} --out …\n")
    return text.append("Records that the removed ones shielded may now be memorized.")


def to_json(pruned: Pruned, path: Path, duplicates: NearDuplicates | None = None) -> dict[str, Any]:
    """Return pruned records as plain data for JSON; ``copies_left`` is null if not searched for."""
    removed = pruned.removed.tolist()
    return plain(
        {
            "summary": pruned.summary(),
            "file": str(path),
            "removed": removed,
            "copies_left": _copies_left(pruned, duplicates),
        }
    )


def _copies_left(pruned: Pruned, duplicates: NearDuplicates | None) -> int | None:
    """Count the removed records that have a copy or near copy among those kept."""
    if duplicates is None:
        return None
    gone = np.isin(duplicates.ids, pruned.removed)
    return int(np.count_nonzero(gone & duplicates.hidden & ~gone[duplicates.neighbor]))


def _rule(pruned: Pruned) -> str:
    scored = f"of {pruned.scored:,} scored"
    if pruned.rule == "fdr":
        return f"those with q at most {pruned.threshold:g}, {scored}"
    lowest = number(pruned.lowest_score)
    return f"the {pruned.threshold * 100:g} % with the highest M, {lowest} nats or more, {scored}"


def _command(data: Mapping[str, Any], path: Path) -> str:
    words = ["byrote", "score", data["source"]]
    for name, value in data["options"].items():
        words += [] if name == "only" else [f"--{name}", value]
    return shlex.join([*words, "--only", str(path)])
