"""Scores of texts per token: bits, and the accuracy that counterfactual memorization compares.

The counterfactual memorization of Zhang et al. (2023) of a text is the expected accuracy per token
of a model that trained on it, minus that of one that did not. It comes from the same fits as the
memorization scores, where the model reports the accuracy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN, OUT
from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import Evaluation, evaluate
from byrote.scores.memorization.held_out import mean_log_prob
from byrote.scores.memorization.statistic import Statistic

Array = NDArray[np.float64]
_SIDES = ("in", "out")


@dataclass(frozen=True)
class TokenSummary:
    """Scores per token of all scored texts, with their errors over retrainings.

    Attributes
    ----------
    tokens
        Number of tokens of the texts.
    bits_per_token
        Minus the mean log p of a text in training, "in", and held out, "out", over the mean number
        of tokens, in bits.
    accuracy
        Mean over texts of the share of tokens that were the likeliest, "in" and "out".
    counterfactual
        Mean over texts of the accuracy in minus out.
    """

    tokens: int
    bits_per_token: Mapping[str, Statistic]
    accuracy: Mapping[str, Statistic]
    counterfactual: Statistic


@dataclass(frozen=True)
class TokenScores:
    """Columns by name, (r,) per text, and their summary; empty where a model reports no tokens."""

    columns: Mapping[str, Array] = field(default_factory=dict)
    summary: TokenSummary | None = None


def token_scores(
    run: RunFolder, table: Table, evaluation: Evaluation, epoch: int | None = None
) -> TokenScores:
    """Compute scores per token of a run's texts from what its fits report (default: at the end)."""
    read = _read(run, table, epoch)
    if read is None:
        return TokenScores()
    tokens, accuracy = read
    known = tokens > 0
    part, of_accuracy = (_columns(each, known) for each in (table, accuracy))
    compared = evaluate(of_accuracy, evaluation.seed)
    inside, outside = _means(of_accuracy)

    def spread(values: Array) -> Array:
        whole = np.full(len(known), np.nan)
        whole[known] = values
        return whole

    bits = {
        f"bits_per_token_{side}": spread(-nats[known] / (tokens[known] * np.log(2)))
        for side, nats in zip(
            _SIDES, (evaluation.log_prob_in, evaluation.log_prob_out), strict=True
        )
    }
    return TokenScores(
        {
            "tokens": tokens,
            **bits,
            "accuracy_in": spread(inside),
            "accuracy_out": spread(outside),
            "counterfactual": spread(compared.estimate["mean_log"]),
            "counterfactual_error": spread(compared.standard_error["mean_log"]),
        },
        _summarize(part, of_accuracy, compared, tokens[known]),
    )


def _read(run: RunFolder, table: Table, epoch: int | None) -> tuple[Array, Table] | None:
    """Return the number of tokens, (r,), and a table of accuracies; None without them."""
    rows = run.design.evaluated
    tokens, values = np.full(len(rows), np.nan), np.full((run.design.fits, len(rows)), np.nan)
    for fit in sorted(set(range(run.design.fits)) - set(table.missing)):
        reported = run.file(fit).diagnostics(epoch)
        if not {"tokens", "correct"} <= reported.keys():
            return None
        place = run.place(fit, rows)
        tokens[place], values[fit, place] = reported["tokens"], reported["correct"]
    scored = np.isin(rows, table.rows)
    with np.errstate(invalid="ignore"):  # of texts without a token to score
        accuracy = values[:, scored] / tokens[scored]
    return tokens[scored], replace(table, log_prob=accuracy, bystanders=None)


def _columns(table: Table, known: NDArray[np.bool_]) -> Table:
    return replace(table, rows=table.rows[known], log_prob=table.log_prob[:, known])


def _means(table: Table) -> tuple[Array, Array]:
    """Return the mean of each column in training and held out, (r,) each."""
    roles, counting = table.roles(), table.counting()[:, None]
    inside, outside = ((roles == role) & counting for role in (IN, OUT))
    return _mean(table.log_prob, inside), _mean(table.log_prob, outside)


def _mean(values: Array, where: NDArray[np.bool_]) -> Array:
    with np.errstate(invalid="ignore"):  # of records without a value on the side
        return np.asarray(np.where(where, values, 0.0).sum(axis=0) / where.sum(axis=0))


def _summarize(table: Table, accuracy: Table, compared: Evaluation, tokens: Array) -> TokenSummary:
    def means(of: Table, scale: float) -> dict[str, Statistic]:
        both = {side: mean_log_prob(of, side) for side in _SIDES}
        return {s: Statistic(scale * m.value, abs(scale) * m.error) for s, m in both.items()}

    mean = compared.estimate["mean_log"]
    return TokenSummary(
        tokens=int(tokens.sum()),
        bits_per_token=means(table, -1 / (float(tokens.mean()) * np.log(2))),
        accuracy=means(accuracy, 1.0),
        counterfactual=Statistic(
            float(np.nanmean(mean)) if (~np.isnan(mean)).any() else float("nan"),
            compared.mean_error("mean_log"),
        ),
    )
