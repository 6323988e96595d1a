"""Exposures from log-perplexities that were computed elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote import checks
from byrote.cli.exits import Exit
from byrote.cli.output import print_csv, print_json, print_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from byrote.data.log_perplexities import LogPerplexities
    from byrote.scores.exposure.exposure import Exposure

METHODS = ("sampled", "skew_normal", "exact")


def score_only(
    file: Path, *, method: str, space_size: int | None, as_json: bool, as_csv: bool, top: int
) -> int:
    """Print the exposures of the canaries in a table; no model, no run."""
    checks.choice("--method", method, METHODS)
    from byrote.data.log_perplexities import load_log_perplexities  # noqa: PLC0415 (slow to load)
    from byrote.report import exposure as text  # noqa: PLC0415

    table = load_log_perplexities(file)
    found = _estimated(table, method, space_size)
    if as_csv:
        frame = found.to_frame()
        frame.insert(1, "role", _roles(table))
        print_csv(frame)
        return Exit.DONE
    # The table tells whether a canary was inserted, not how often.
    beside: dict[str, Any] = {"inserted": (~table.control).astype(int), "role": _roles(table)}
    if as_json:
        print_json(text.to_json(found, **beside))
    else:
        print_text(text.render(found, **beside, top=top))
        print_text("The table does not say how often canaries were inserted: 1 stands for that.")
    return Exit.DONE


def _roles(table: "LogPerplexities") -> "NDArray[Any]":
    import numpy as np  # noqa: PLC0415 (slow to load)

    return np.where(table.control, "control", "canary")


def _estimated(table: "LogPerplexities", method: str, space_size: int | None) -> "Exposure":
    """Each canary against the references of its group, in the order of the table."""
    from byrote.scores.exposure.estimate import (  # noqa: PLC0415 (slow to load)
        estimate_by_group,
        estimate_exposure,
    )

    options: dict[str, Any] = {"space_size": space_size, "method": method, "ids": table.ids}
    bits, groups, references = table.canary_bits, table.canary_group, table.reference_group
    if groups is None or references is None:
        return estimate_exposure(bits, table.reference_bits, **options)
    return estimate_by_group(bits, table.reference_bits, groups, references, **options)
