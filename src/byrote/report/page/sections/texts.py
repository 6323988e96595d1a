"""Texts token by token: what a token costs, and how many of them the models get right."""

from typing import Any

import numpy as np

from byrote.errors import printable
from byrote.report.format import number, plain, plural, with_error
from byrote.report.page import cells
from byrote.report.page.audit import Audit
from byrote.report.page.content import Cell, Grid, Number, Prose, Row, Section
from byrote.report.page.sections.registry import section
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.per_token import TokenSummary
from byrote.scores.memorization.statistic import Statistic
from byrote.stats.estimate import Estimate

LISTED = 20
_TITLE = "Token by token"
_NOT_REPORTED = "the model does not report its tokens, and which of them were the likeliest"
_COLUMNS = (
    "tokens",
    "bits_per_token_out",
    "bits_per_token_in",
    "accuracy_out",
    "accuracy_in",
    "counterfactual",
    "counterfactual_error",
)


@section(order=25)
def texts(audit: Audit) -> Section | None:
    """Return the scores of texts per token; None of a run without texts."""
    result = audit.scores
    if result is None or not audit.run.manifest.data.texts:
        return None
    summary = result.summary().per_token
    if summary is None:
        missing = (Prose((f"Not measured: {_NOT_REPORTED}.",), "unknown"),)
        return Section("texts", _TITLE, missing, {"reason": _NOT_REPORTED})
    columns = {name: getattr(result, name) for name in _COLUMNS}
    order = np.argsort(-columns["counterfactual"], kind="stable")  # NaN last
    rows = order[~np.isnan(columns["counterfactual"][order])][:LISTED].tolist()
    listed = [
        {"id": str(result.ids[row]), **{name: column[row] for name, column in columns.items()}}
        for row in rows
    ]
    return Section(
        "texts",
        _TITLE,
        (_means(summary), _table(audit, result, listed, rows), _notes()),
        plain({"summary": _summary(summary), "texts": listed}),
        numbers=(_mean(summary.counterfactual),),
    )


def _mean(mean: Statistic) -> Number:
    """Return the mean counterfactual memorization as a number for the top of the page."""
    name, error = "counterfactual memorization", mean.standard_error
    if np.isnan(mean.value):
        return Number(name, "", note="no text was both in training and held out")
    known = not np.isnan(error)
    reach = f"standard error {number(error)}" if known else "no error: too few fits"
    note = (
        "mean gain in the share of tokens that were the likeliest, by training on a text; an"
        " average, which says nothing of the worst text"
    )
    estimate = Estimate(mean.value, reason=reach)
    return Number(name, number(mean.value), reach, note, "mean_counterfactual_accuracy", estimate)


def _summary(summary: TokenSummary) -> dict[str, Any]:
    sides = {"bits_per_token": summary.bits_per_token, "accuracy": summary.accuracy}
    return {
        "tokens": summary.tokens,
        **{name: {side: vars(s) for side, s in of.items()} for name, of in sides.items()},
        "counterfactual": vars(summary.counterfactual),
    }


def _means(summary: TokenSummary) -> Grid:
    bits, accuracy = summary.bits_per_token, summary.accuracy
    gain = Statistic(bits["in"].value - bits["out"].value, float("nan"))
    rows = (
        cells.row("bits per token", *map(_cell, (bits["out"], bits["in"], gain))),
        cells.row(
            "share of tokens that were the likeliest",
            *map(_cell, (accuracy["out"], accuracy["in"], summary.counterfactual)),
        ),
    )
    caption = f"All texts, {plural(summary.tokens, 'token')}; ± is one standard error"
    return Grid(caption, ("mean", "without the text", "with it", "difference"), rows)


def _cell(statistic: Statistic) -> Cell:
    if np.isnan(statistic.value):
        return cells.value(statistic.value)
    return Cell(with_error(statistic), float(statistic.value))


def _table(
    audit: Audit, result: MemorizationResult, listed: list[dict[str, Any]], rows: list[int]
) -> Grid:
    head = (
        "text",
        "tokens",
        "bits per token without",
        "with",
        "accuracy without",
        "with",
        "counterfactual memorization",
    )
    body = tuple(_row(audit, row, text) for row, text in zip(rows, listed, strict=True))
    total = (
        int((~np.isnan(result.counterfactual)).sum()) if result.counterfactual is not None else 0
    )
    caption = f"Largest counterfactual memorization ({cells.part(len(rows), total)})"
    return Grid(caption, head, body, sortable=True)


def _row(audit: Audit, row: int, text: dict[str, Any]) -> Row:
    gain = Statistic(float(text["counterfactual"]), float(text["counterfactual_error"]))
    return cells.row(
        Cell(printable(text["id"]), content=audit.content(row)),
        cells.count(int(text["tokens"])),
        *(cells.value(float(text[name])) for name in _COLUMNS[1:5]),
        _cell(gain),
    )


def _notes() -> Prose:
    return Prose(
        (
            "Bits per token: what a token of a text costs the models that did not train on the"
            " text, and those that did; fewer are better known. Accuracy: the share of its tokens"
            " that the model takes for the likeliest. Counterfactual memorization (Zhang et al.,"
            " 2023): accuracy with the text in training minus that without it, ± one standard"
            " error over retrainings.",
            "The table is sorted by an uncertain number, so its first rows are partly chance: the"
            " tests of single texts are those of the effects above.",
        ),
        "note",
    )
