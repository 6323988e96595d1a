"""Scores of texts per token as text: columns of the table of records, and a sentence."""

from collections.abc import Sequence

import numpy as np

from byrote.errors import printable
from byrote.report.format import number, with_error
from byrote.report.record_column import RecordColumn
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.per_token import TokenSummary

_SHOWN = 18  # characters of a text


def columns(result: MemorizationResult) -> list[RecordColumn]:
    """Return the columns of tokens and accuracies; none where a model reports no tokens."""
    summary = result.summary().per_token
    if summary is None:
        return []
    accuracy = [
        RecordColumn(title, "", [number(value) for value in values])
        for title, values in (("acc. in", result.accuracy_in), ("out", result.accuracy_out))
        if values is not None
    ]
    assert result.tokens is not None  # noqa: S101 (with the summary)
    tokens = ["–" if np.isnan(count) else f"{int(count):,}" for count in result.tokens]
    return [RecordColumn("tokens", _sentence(summary), tokens), *accuracy]


def texts_column(texts: Sequence[str]) -> RecordColumn:
    """Return the column of the beginnings of texts."""
    begun = (text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…" for text in texts)
    return RecordColumn("text", "", [printable(text) for text in begun], left=True)


def mean_tokens(result: MemorizationResult) -> float:
    """Return the mean number of tokens of the scored texts; NaN if unknown."""
    summary = result.summary()
    return float("nan") if summary.per_token is None else summary.per_token.tokens / summary.scored


def _sentence(summary: TokenSummary) -> str:
    bits, accuracy = (
        f"{with_error(each['in'])} in training, {with_error(each['out'])} held out"
        for each in (summary.bits_per_token, summary.accuracy)
    )
    nats = " and ".join(
        number(summary.bits_per_token[side].value * np.log(2)) for side in ("in", "out")
    )
    return (
        f"Bits per token, over {summary.tokens:,} tokens: {bits} ({nats} nats). Share of tokens"
        f" that were the likeliest: {accuracy}; in minus out, the mean counterfactual memorization,"
        f" {with_error(summary.counterfactual)}."
    )
