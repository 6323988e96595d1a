"""A result as a short text for the terminal."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report import cautions
from byrote.report.beside import Beside
from byrote.report.values import number, plain, printable, with_error
from byrote.scores.memorization.diagnostics import K_HAT, DiagnosticsSummary
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.summary import SIGNIFICANCE, Summary
from byrote.stats.memorization import ESTIMATORS

__all__ = [  # values among them, which other texts take from here
    "headline",
    "headline_of",
    "number",
    "plain",
    "printable",
    "render",
    "to_json",
    "with_error",
]
_NAMES = {
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


_SETTLED = {("compile", True): "compiled", ("compile", False): "not compiled"}


def render(
    result: MemorizationResult, *, top: int = 10, beside: Beside | None = None
) -> RenderableType:
    """The summary and the most memorized records, with what is known of them besides."""
    summary = result.summary()
    parts: list[RenderableType] = [headline(result), _distribution(summary)]
    parts += [Text(sentence) for sentence in cautions.few(result)]
    parts.append(_verdict(result))
    if summary.mean_log_prob:  # results saved before it was kept have none
        parts.append(_likely(result))
    if summary.trust is not None:
        parts.append(_trust(summary.trust))
    parts += [Text(sentence, style="bold") for sentence in cautions.approximate(result)]
    parts += [Text(sentence) for sentence in cautions.degenerate(result)]
    parts += [] if beside is None else [Text(beside.sentence)]
    if top:
        parts += [Text(""), _records(result, top, beside)]
    if summary.labels:
        parts += [Text(""), _labels(summary)]
    return Group(*parts)


def headline(result: MemorizationResult) -> RenderableType:
    """What was done, in a line or two."""
    description = result.description
    lines = headline_of(description)
    summary = result.summary()
    done = description["plan"]["fits"] - len(result.missing)
    chosen = _chosen(description["data"]["options"])
    lines.append(f"{summary.scored:,} of {summary.records:,} records{chosen} scored")
    lines.append(f" in {done:,} fits")
    for reason, count in summary.unscored.items():
        lines.append(f"; {count:,} {reason}")
    for name, count in summary.undefined.items():
        lines.append(f"; {count:,} without {name}: density zero in some fits on both sides")
    lines.append(_settings(description))
    if result.missing:
        lines.append(
            f"\nINCOMPLETE: fits missing: {len(result.missing)};"
            " these are the numbers of the others",
            style="bold red",
        )
    return lines


def _chosen(options: Mapping[str, str]) -> str:
    """Which records of their source a run is of, if not all."""
    listed = f" listed in {PurePath(options['only']).name} (--only)" if "only" in options else ""
    return (" of a random choice (--records)" if "records" in options else "") + listed


def headline_of(description: Mapping[str, Any]) -> Text:
    """Data, model, plan and seed of a run, in a line."""
    model, plan = description["model"], dict(description["plan"]["spec"])
    lines = Text()
    lines.append(f"{description['data']['source']}", style="bold")
    lines.append(f" · {_call(model['name'].rpartition('.')[2], model['parameters'])}")
    lines.append(f" · {_call(plan.pop('kind'), plan)} · seed {description['seed']}\n")
    return lines


def _settings(description: Mapping[str, Any]) -> str:
    """The epoch that was asked for, and what "auto" stands for in this run."""
    settled = description.get("settled", {}).items()
    shown = [_SETTLED.get((name, value), f"{name} {value}") for name, value in settled]
    if "epoch" in description:
        shown = [f"after epoch {description['epoch']}", *shown]
    return f"\n{', '.join(shown)}" if shown else ""


def _call(name: str, arguments: Mapping[str, Any]) -> str:
    shown = {key: _brief(value) for key, value in arguments.items() if value is not None}
    return f"{name}({', '.join(f'{key}={value}' for key, value in shown.items())})"


def _brief(value: Any) -> Any:
    """An object by what it was made of, one without parts by its class; a list item by item.

    Examples
    --------
    >>> _brief({"class": "some.Noise", "scale": 2.0, "delta": None}), _brief({"class": "a.Part"})
    ('Noise(scale=2.0)', 'Part')
    """
    if isinstance(value, Mapping):
        name = str(value.get("class", "…")).rpartition(".")[2]
        parts = {key: part for key, part in value.items() if key != "class"}
        return _call(name, parts) if parts else name
    return [_brief(item) for item in value] if isinstance(value, list) else value


def _distribution(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("nats")
    for name in ESTIMATORS:
        table.add_column(_TITLES[name], justify="right")
    for key, title in _NAMES.items():
        cells = [with_error(summary.distribution[name][key]) for name in ESTIMATORS]
        table.add_row(title, *cells)
    halves = [number(getattr(summary.reliability, name)) for name in ESTIMATORS]
    table.add_row("halves agree (rank corr.)", *halves)
    return table


def _likely(result: MemorizationResult) -> Text:
    """The mean log-likelihoods, which say how good the model is."""
    found, description = result.summary().mean_log_prob, result.description
    inside, outside = (with_error(found[side]) for side in ("in", "out"))
    gap = number(found["in"].value - found["out"].value)
    text = f"Mean log p: {inside} in training, {outside} held out, difference {gap}"
    shape, model = description["data"]["shape"], description["model"]
    units = model["name"].startswith("byrote.") and model["parameters"].get("space") != "real"
    if len(shape) > 1 and units:
        # Other densities of images are in units that byrote does not know.
        bits = -found["out"].value / (np.prod(shape) * np.log(2))
        text += f" ({number(bits)} bits per dimension)"
    return Text(f"{text}.")


def _trust(trust: DiagnosticsSummary) -> Text:
    """How far the log-likelihoods can be trusted, in a line or two."""
    said = []
    if not np.isnan(trust.mc_error):
        said.append(f"median Monte Carlo error {number(trust.mc_error)} nats")
    if not np.isnan(trust.effective_sample_size):
        of = f" of {trust.draws:,}" if trust.draws else ""
        size = number(trust.effective_sample_size)
        said.append(f"median effective sample size in a record's worst fit {size}{of}")
    if not np.isnan(trust.k_hat_above):
        limits = f"k-hat, the heaviness of the weights' tail, above 0.7 in {trust.k_hat_above:.1%}"
        if trust.k_hat_limit < K_HAT:
            limits += f", above {trust.k_hat_limit:.2f} in {trust.k_hat_above_limit:.1%}"
        said.append(f"{limits} of them")
    if trust.outlier is not None:
        said.append(f"{trust.outlier:.1%} of them are of the outlier component")
    text = Text(f"Log-likelihoods: {'; '.join(said)}.")
    if trust.poor:
        text.append(
            "\nThey rest on few draws: underestimates that differ from fit to fit, so scores are"
            " noisy. More draws help.",
            style="bold",
        )
    return text


def _verdict(result: MemorizationResult) -> Text:
    text, summary = Text(), result.summary()
    if summary.standard_error_reason:
        text.append(f"No standard errors: {summary.standard_error_reason}.\n")
    if summary.significant is None:
        text.append(f"p-values: {summary.p_value_method}.")
        return text
    text.append(
        f"{summary.significant:,} records ({summary.share_significant:.1%}) are memorized at a"
        f" {SIGNIFICANCE:.0%} false discovery rate.\n",
        style="bold",
    )
    needed = summary.needed or 0
    text.append(
        f"p-values: {summary.p_value_method}; the smallest possible is {summary.smallest_p:.2g}"
    )
    if needed > summary.scored:
        text.append(f": this plan can discover nothing, {cautions.lever(result)} can.")
    elif needed > 1:
        text.append(f", and at least {needed:,} records must reach it before any counts.")
    else:
        text.append(".")
    return text


def _records(result: MemorizationResult, top: int, beside: Beside | None) -> Table:
    table = Table(
        title="most memorized",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    table.add_column("record")
    if result.labels is not None:
        table.add_column("label")
    for title in ("score M", "matched", "mean_log", "[95 %]", "log p in", "out", "q"):
        whole = title in ("mean_log", "[95 %]", "q")  # narrow terminals break other cells first
        table.add_column(Text(title), justify="right", no_wrap=whole)
    shown = result.order()[:top]
    told = beside is not None and any(beside.cells[row] for row in shown)
    if beside is not None and told:
        table.add_column(beside.title)
    for row in shown:
        low, high = result.interval[row]
        interval = "–" if np.isnan(low) else f"[{number(low)}, {number(high)}]"
        table.add_row(
            Text(printable(result.ids[row])),
            *([Text(printable(result.labels[row]))] if result.labels is not None else []),
            number(result.score[row]),
            number(result.matched[row]),
            number(result.mean_log[row]),
            Text(interval),
            number(result.log_prob_in[row]),
            number(result.log_prob_out[row]),
            number(result.q_value[row]),
            *([Text(beside.cells[row])] if beside is not None and told else []),
        )
    return table


def _labels(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("label")
    for title in ("scored", "median M", "95th percentile", "memorized"):
        table.add_column(title, justify="right")
    for name, label in list(summary.labels.items())[:20]:
        found = "–" if summary.significant is None else f"{label.significant:,}"
        table.add_row(
            Text(printable(name)),
            f"{label.records:,}",
            number(label.median),
            number(label.q95),
            found,
        )
    if len(summary.labels) > 20:
        table.add_row(f"… and {len(summary.labels) - 20} more", "", "", "", "")
    return table


def to_json(result: MemorizationResult, *, top: int = 10) -> dict[str, Any]:
    """The same as plain data that JSON can hold: NaN is null, infinities are text."""
    frame = result.to_frame().iloc[result.order()[:top]]
    return plain(
        {
            "description": dict(result.description),
            "missing_fits": list(result.missing),
            "summary": result.summary().to_dict(),
            "cautions": [each for kind in cautions.ALL for each in kind(result)],
            "most_memorized": frame.to_dict(orient="records"),
        }
    )
