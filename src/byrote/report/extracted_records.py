"""Training records that come out of a generator as text for the terminal."""

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from byrote.report.format import number, plural
from byrote.scores.neighbors.extracted_records import ExtractedRecords
from byrote.stats.estimate import Estimate


def render(extracted: ExtractedRecords) -> RenderableType:
    """Return how many records come out, the rate with its control, and how many would."""
    found, samples = len(extracted.rows), plural(len(extracted.distance), "sample")
    parts = [
        Text(
            f"{found:,} of {plural(len(extracted.counts), 'training record')} come out in"
            f" {samples}.",
            "bold",
        ),
        Text(
            f"{_percent(extracted.rate)} of the samples are within an adaptive distance of"
            f" {extracted.threshold:g} of a training record, {_control(extracted.control)}."
        ),
    ]
    inside = extracted.inside
    if found:
        estimate = f"{number(inside.value)} [{number(inside.low)}, {number(inside.high)}]"
        known = estimate if not np.isnan(inside.low) else f"{number(inside.value)}: {inside.reason}"
        parts.append(Text(f"Records that more samples would bring out, at least: {known} (Chao1)."))
    return Group(*parts)


def _control(control: Estimate) -> str:
    if np.isnan(control.value):
        return f"without a control: {control.reason}"
    return f"{_percent(control)} of a held-out one"


def _percent(share: Estimate) -> str:
    return f"{share.value:.2%} [{share.low:.2%}, {share.high:.2%}]"
