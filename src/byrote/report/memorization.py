"""Memorization scores as text for the terminal, or as plain data."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report import cautions, per_token
from byrote.report.format import (
    add_ellipsis,
    incomplete,
    interval,
    new_table,
    number,
    plain,
    plural,
    statistic_of,
    with_error,
)
from byrote.report.ids import Ids
from byrote.report.record_column import RecordColumn
from byrote.report.sensitivity import significance
from byrote.report.settings import headline_of, resolved, subset
from byrote.scores.memorization.diagnostics import K_HAT, DiagnosticsSummary
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.memorization.summary import Summary
from byrote.stats.memorization import ESTIMATORS

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
_TOO_FEW = (
    "They rest on few draws: underestimates that vary between fits, so scores are noisy. Use more"
    " draws."
)
_ENOUGH_FOR_SCORES = (
    "They rest on few draws and are underestimates. Those of draws='auto' were chosen for scores,"
    " whose error they raise by about 5 % at most; log-likelihoods themselves need more."
)


def render(
    result: MemorizationResult, *, top: int = 10, columns: Sequence[RecordColumn] = ()
) -> RenderableType:
    """Return what was found, the summary, the most memorized records, and last the settings."""
    summary, columns = result.summary(), [*per_token.columns(result), *columns]
    parts: list[RenderableType] = []
    if result.missing:
        parts.append(Text(incomplete(len(result.missing)), style="bold red"))
    parts += [significance(result), _distribution(result)]
    parts += [
        Text(each) for each in (*cautions.few_repeats(result), *cautions.wider_held_out(result))
    ]
    if summary.mean_log_prob:
        parts.append(_log_likelihood(result))
    if summary.diagnostics is not None:
        auto = "draws" in result.description.get("settled", {})
        parts.append(_diagnostics(summary.diagnostics, auto=auto))
    parts += [Text(sentence, style="bold") for sentence in cautions.approximate(result)]
    parts += [Text(sentence) for sentence in cautions.degenerate(result)]
    parts += [Text(column.sentence) for column in columns if column.sentence]
    if top:
        for table in _tables(result, top, columns):
            parts += [Text(""), table]
    if summary.labels:
        parts += [Text(""), _labels(summary)]
    return Group(*parts, Text(""), _settings(result))


def to_json(
    result: MemorizationResult, *, top: int = 10, texts: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return scores as plain data for JSON, with the ``top`` most memorized records."""

    def rows(places: NDArray[np.intp]) -> list[dict[str, Any]]:
        some = result.take(places)
        columns: dict[str, Any] = {**some.columns(), "reason": some.reasons()}
        if texts is not None:
            columns["text"] = [texts[place] for place in places.tolist()]
        of_records = zip(*map(list, columns.values()), strict=True)
        return [dict(zip(columns, values, strict=True)) for values in of_records]

    return plain(
        {
            "description": dict(result.description),
            "missing_fits": list(result.missing),
            "summary": result.summary().to_dict(),
            "cautions": cautions.all_of(result),
            "memorized": rows(_found(result)[:top]),
            "most_memorized": rows(result.order(top)),
        }
    )


def _settings(result: MemorizationResult) -> Text:
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
    return text


def _distribution(result: MemorizationResult) -> Table:
    summary, (_, unit) = result.summary(), statistic_of(result.description)
    table = new_table(unit, *(_TITLES[name] for name in ESTIMATORS))
    for key, title in _STATISTICS.items():
        cells = [with_error(summary.distribution[name][key]) for name in ESTIMATORS]
        table.add_row(title, *cells)
    halves = [number(getattr(summary.reliability, name)) for name in ESTIMATORS]
    table.add_row("split-half rank correlation", *halves)
    return table


def _log_likelihood(result: MemorizationResult) -> Text:
    """Return the mean log-likelihoods, a measure of how good the model is."""
    means, description = result.summary().mean_log_prob, result.description
    inside, outside = (with_error(means[side]) for side in ("in", "out"))
    gap = number(means["in"].value - means["out"].value)
    name, _ = statistic_of(description)
    text = f"Mean {name}: {inside} in training, {outside} held out, difference {gap}"
    shape, model = description["data"]["shape"], description["model"]
    pixels = model["name"].startswith("byrote.") and model["parameters"].get("space") != "real"
    if len(shape) > 1 and pixels and name == "log p":
        # Other densities of images are in units that byrote does not know.
        bits = -means["out"].value / (np.prod(shape) * np.log(2))
        text += f" ({number(bits)} bits per dimension)"
    return Text(f"{text}.")


def _diagnostics(diagnostics: DiagnosticsSummary, *, auto: bool = False) -> Text:
    parts = []
    if not np.isnan(diagnostics.mc_error):
        bias = ", the bias of a high k-hat not counted" if diagnostics.heavy > 0 else ""
        error = number(diagnostics.mc_error)
        parts.append(f"Monte Carlo error {error} nats (root mean square{bias})")
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
    if (both := diagnostics.estimates) is not None:
        parts.append(
            f"mean {number(both.i_mmse)} by I-MMSE and {number(both.ode)} by the probability-flow"
            f" ODE, which differ by more than they may in {both.differing:,} of {both.of:,}"
        )
    text = Text(f"Log-likelihoods: {'; '.join(parts)}.")
    if diagnostics.poor:
        text.append(f"\n{_ENOUGH_FOR_SCORES if auto else _TOO_FEW}", style="bold")
    return text


def _tables(result: MemorizationResult, top: int, columns: Sequence[RecordColumn]) -> list[Table]:
    """Return the records that were found, and those with the highest scores."""
    found = _found(result)[:top]
    tables = [_records(result, found, "memorized", columns)] if len(found) else []
    highest = _records(result, result.order(top), "highest scores M", columns)
    return [*tables, highest]


def _found(result: MemorizationResult) -> NDArray[np.intp]:
    """Return the rows of the records found, by decreasing effect."""
    found = np.flatnonzero(result.q_value <= SIGNIFICANCE)
    return found[np.argsort(-result.mean_log[found], kind="stable")]


def _records(
    result: MemorizationResult, rows: NDArray[np.intp], title: str, columns: Sequence[RecordColumn]
) -> Table:
    columns = [column for column in columns if any(column.cells[row] for row in rows)]
    titles = ["record"] if result.labels is None else ["record", "label"]
    name, _ = statistic_of(result.description)
    table = new_table(
        *titles,
        *("score M", "matched", "mean_log", "[95 %]", f"{name} in", "out", "q"),
        left=len(titles),
        title=title,
        whole=("mean_log", "[95 %]", "q"),
    )
    for column in columns:
        table.add_column(
            column.title,
            justify="left" if column.left else "right",
            overflow="ellipsis" if column.left else "fold",
            no_wrap=column.left,
        )
    ids = Ids(result.ids[rows])
    for row in rows:
        table.add_row(
            ids.cell(result.ids[row]),
            *([] if result.labels is None else [Text(printable(result.labels[row]))]),
            number(result.score[row]),
            number(result.matched[row]),
            number(result.mean_log[row]),
            Text(interval(*result.interval[row])),
            number(result.log_prob_in[row]),
            number(result.log_prob_out[row]),
            number(result.q_value[row]),
            *(Text(column.cells[row]) for column in columns),
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
