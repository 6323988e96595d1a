"""Memorization scores as text for the terminal, or as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.models.registry import approximations
from byrote.report.format import (
    add_ellipsis,
    headline_of,
    incomplete,
    interval,
    new_table,
    number,
    plain,
    plural,
    resolved,
    subset,
    with_error,
)
from byrote.scores.memorization.diagnostics import K_HAT, DiagnosticsSummary
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.summary import SIGNIFICANCE, Summary
from byrote.stats.memorization import ESTIMATORS

FEW = 4  # units of a jackknife below which its error is a rough guess
COLLAPSE = 10  # nats per value that training adds to the median record: a factor of 22,000 each
_STATISTICS = {
    "mean": "mean",
    "median": "median",
    "q0.05": "5th percentile",
    "q0.95": "95th percentile",
    "q0.999": "99.9th percentile",
    "minimum": "lowest",
    "maximum": "highest",
    "skewness": "skewness",
}
_TITLES = {"score": "score M", "matched": "matched", "mean_log": "mean_log"}
_LABELS_SHOWN = 20


@dataclass(frozen=True)
class RecordColumn:
    """A further column of the table of records, and a sentence for the summary."""

    title: str
    sentence: str
    cells: Sequence[str]  # (n,) one for each record


def render(
    result: MemorizationResult, *, top: int = 10, column: RecordColumn | None = None
) -> RenderableType:
    """Return the summary and the most memorized records."""
    summary = result.summary()
    parts: list[RenderableType] = [_headline(result), _distribution(summary)]
    parts += [Text(sentence) for sentence in _few_repeats(result)]
    parts.append(_significance(result))
    if summary.mean_log_prob:
        parts.append(_log_likelihood(result))
    if summary.diagnostics is not None:
        parts.append(_diagnostics(summary.diagnostics))
    parts += [Text(sentence, style="bold") for sentence in _approximate(result)]
    parts += [Text(sentence) for sentence in _degenerate(result)]
    parts += [] if column is None else [Text(column.sentence)]
    if top:
        parts += [Text(""), _records(result, top, column)]
    if summary.labels:
        parts += [Text(""), _labels(summary)]
    return Group(*parts)


def to_json(result: MemorizationResult, *, top: int = 10) -> dict[str, Any]:
    """Return scores as plain data for JSON, with the ``top`` most memorized records."""
    frame = result.to_frame().iloc[result.order()[:top]]
    return plain(
        {
            "description": dict(result.description),
            "missing_fits": list(result.missing),
            "summary": result.summary().to_dict(),
            "cautions": [*_few_repeats(result), *_approximate(result), *_degenerate(result)],
            "most_memorized": frame.to_dict(orient="records"),
        }
    )


def _headline(result: MemorizationResult) -> Text:
    description, summary = result.description, result.summary()
    done = description["plan"]["fits"] - len(result.missing)
    text = headline_of(description)
    text.append(f"{summary.scored:,} of {plural(summary.records, 'record')}")
    text.append(f"{subset(description['data']['options'])} scored in {plural(done, 'fit')}")
    for reason, count in summary.unscored.items():
        text.append(f"; {count:,} {reason}")
    for name, count in summary.undefined.items():
        text.append(f"; {count:,} without {name}: density zero in some fits on both sides")
    if settings := resolved(description):
        text.append(f"\n{settings}")
    if result.missing:
        text.append(f"\n{incomplete(len(result.missing))}", style="bold red")
    return text


def _distribution(summary: Summary) -> Table:
    table = new_table("nats", *(_TITLES[name] for name in ESTIMATORS))
    for key, title in _STATISTICS.items():
        cells = [with_error(summary.distribution[name][key]) for name in ESTIMATORS]
        table.add_row(title, *cells)
    halves = [number(getattr(summary.reliability, name)) for name in ESTIMATORS]
    table.add_row("split-half rank correlation", *halves)
    return table


def _significance(result: MemorizationResult) -> Text:
    text, summary = Text(), result.summary()
    if summary.standard_error_reason:
        text.append(f"No standard errors: {summary.standard_error_reason}.\n")
    if summary.significant is None:
        text.append(f"p-values: {summary.p_value_method}.")
        return text
    verb = "is" if summary.significant == 1 else "are"
    text.append(
        f"{plural(summary.significant, 'record')} ({summary.share_significant:.1%}) {verb}"
        f" memorized at a {SIGNIFICANCE:.0%} false discovery rate.\n",
        style="bold",
    )
    needed = summary.needed or 0
    text.append(
        f"p-values: {summary.p_value_method}; the smallest possible is {summary.smallest_p:.2g}"
    )
    if needed > summary.scored:
        text.append(f": no record can reach significance; {_larger_plan(result)}.")
    elif needed > 1:
        text.append(f"; at least {needed:,} records must reach it for any to be significant.")
    else:
        text.append(".")
    return text


def _larger_plan(result: MemorizationResult) -> str:
    kind = result.description["plan"]["spec"]["kind"]
    if kind in ("kfold", "leave-one-out"):
        return "use more repeats (--repeats)"
    return f"use more fits{' (--fits)' if kind in ('probes', 'subset') else ''}"


def _log_likelihood(result: MemorizationResult) -> Text:
    """Return the mean log-likelihoods, a measure of how good the model is."""
    means, description = result.summary().mean_log_prob, result.description
    inside, outside = (with_error(means[side]) for side in ("in", "out"))
    gap = number(means["in"].value - means["out"].value)
    text = f"Mean log p: {inside} in training, {outside} held out, difference {gap}"
    shape, model = description["data"]["shape"], description["model"]
    pixels = model["name"].startswith("byrote.") and model["parameters"].get("space") != "real"
    if len(shape) > 1 and pixels:
        # Other densities of images are in units that byrote does not know.
        bits = -means["out"].value / (np.prod(shape) * np.log(2))
        text += f" ({number(bits)} bits per dimension)"
    return Text(f"{text}.")


def _diagnostics(diagnostics: DiagnosticsSummary) -> Text:
    parts = []
    if not np.isnan(diagnostics.mc_error):
        parts.append(f"median Monte Carlo error {number(diagnostics.mc_error)} nats")
    if not np.isnan(diagnostics.effective_sample_size):
        draws = f" of {diagnostics.draws:,}" if diagnostics.draws else ""
        size = number(diagnostics.effective_sample_size)
        parts.append(f"median effective sample size in a record's worst fit {size}{draws}")
    if not np.isnan(diagnostics.k_hat_above):
        limits = (
            f"k-hat, the heaviness of the weights' tail, above 0.7 in {diagnostics.k_hat_above:.1%}"
        )
        if diagnostics.k_hat_limit < K_HAT:
            limits += (
                f", above {diagnostics.k_hat_limit:.2f} in {diagnostics.k_hat_above_limit:.1%}"
            )
        parts.append(f"{limits} of them")
    if diagnostics.outlier is not None:
        parts.append(f"{diagnostics.outlier:.1%} of them are of the outlier component")
    text = Text(f"Log-likelihoods: {'; '.join(parts)}.")
    if diagnostics.poor:
        text.append(
            "\nThey rest on few draws: underestimates that vary between fits, so scores are noisy."
            " Use more draws.",
            style="bold",
        )
    return text


def _records(result: MemorizationResult, top: int, column: RecordColumn | None) -> Table:
    rows = result.order()[:top]
    if column is not None and not any(column.cells[row] for row in rows):
        column = None
    titles = ["record"] if result.labels is None else ["record", "label"]
    table = new_table(
        *titles,
        *("score M", "matched", "mean_log", "[95 %]", "log p in", "out", "q"),
        left=len(titles),
        title="most memorized",
        whole=("mean_log", "[95 %]", "q"),
    )
    if column is not None:
        table.add_column(column.title)
    for row in rows:
        table.add_row(
            Text(printable(result.ids[row])),
            *([] if result.labels is None else [Text(printable(result.labels[row]))]),
            number(result.score[row]),
            number(result.matched[row]),
            number(result.mean_log[row]),
            Text(interval(*result.interval[row])),
            number(result.log_prob_in[row]),
            number(result.log_prob_out[row]),
            number(result.q_value[row]),
            *([] if column is None else [Text(column.cells[row])]),
        )
    return table


def _labels(summary: Summary) -> Table:
    table = new_table("label", "scored", "median M", "95th percentile", "memorized")
    for name, label in list(summary.labels.items())[:_LABELS_SHOWN]:
        table.add_row(
            Text(printable(name)),
            f"{label.records:,}",
            number(label.median),
            number(label.q95),
            "–" if summary.significant is None else f"{label.significant:,}",
        )
    add_ellipsis(table, len(summary.labels) - _LABELS_SHOWN)
    return table


# -- cautions, a sentence each --------------------------------------------------------------------


def _few_repeats(result: MemorizationResult) -> list[str]:
    """Warn of standard errors that rest on few units."""
    plan = result.description["plan"]
    count, units = plan["spec"].get("repeats"), "repeats"
    if plan["units"] == "pairs":
        count, units = plan["fits"] // 2, "pairs"
    elif plan["units"] == "fits":
        values = np.minimum(result.n_in, result.n_out)[~np.isnan(result.score)]
        count, units = int(np.median(values)) if len(values) else None, "values on a side"
    if result.summary().standard_error_reason or count is None or not 2 <= count < FEW:
        return []
    return [f"± is one standard error, uncertain itself: it rests on only {count} {units}."]


def _degenerate(result: MemorizationResult) -> list[str]:
    """Warn of densities that collapse where a record is held out."""
    gain = result.summary().distribution["score"]["median"].value
    if not gain > COLLAPSE * np.prod(result.description["data"]["shape"]):
        return []
    return [
        f"Half of the records gain more than {COLLAPSE} nats per value: the density collapses where"
        " they are held out, and the size of M is arbitrary. Regularize the model."
    ]


def _approximate(result: MemorizationResult) -> list[str]:
    """Warn of a model whose log-densities are known to be inexact."""
    model, records = result.description["model"], result.description["data"]["records"]
    return approximations(model["name"], model["parameters"], records)
