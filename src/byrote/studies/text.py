"""The report of a study for the terminal, as Markdown, and as plain data."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from byrote.errors import printable
from byrote.report import neighbors as neighbor_text
from byrote.report.format import duration, number, plain, with_error
from byrote.scores.distribution import Statistic
from byrote.stats.memorization import ESTIMATORS
from byrote.studies.report import FIGURES, StudyReport
from byrote.studies.tables import Rows, pipes, safe, table

_TITLES = {
    "median": "median",
    "minimum": "lowest",
    "maximum": "highest",
    "q95": "95th percentile",
}
_CENTRAL = "highly memorized (top 5 %) within the central 90 % of log P"
_SPOKEN = {"redraw": "noise drawn"}
_SIDES = {"in": "in training", "out": "held out"}


def render(report: StudyReport) -> RenderableType:
    """The report for the terminal."""
    parts: list[RenderableType] = [Text(report.chosen.study.title, style="bold")]
    same = f"The same run without the report:\n{printable(report.score_command)}"
    parts += [table(facts(report)), Text(same, overflow="fold")]
    parts += [table(rows) for rows in (comparison(report), likelihoods(report))]
    parts += [Text(sentence) for sentence in remarks(report)]
    if report.neighbors is not None:
        parts += [Text(""), neighbor_text.render(report.neighbors, top=3)]
    return Group(*(part for each in parts for part in (each, Text(""))))


def markdown(report: StudyReport) -> str:
    """The report as the text of study.md."""
    study = report.chosen.study
    blocks = [
        f"# {study.title}",
        f"{study.source}.",
        "## What was run",
        pipes(facts(report)),
        f"    {printable(report.command)}",
        "The same run without the report:",
        f"    {printable(report.score_command)}",
        "## Scores (nats)",
        pipes(comparison(report)),
        *remarks(report),
        "## Likelihoods",
        pipes(likelihoods(report)),
    ]
    if report.neighbors is not None:
        tests = [neighbor_text.HEAD, *neighbor_text.rows(report.neighbors)]
        cautions = (safe(sentence) for sentence in neighbor_text.remarks(report.neighbors))
        blocks += ["## Nearest neighbours", pipes(tests), *cautions]
    if report.figures:
        blocks += ["## Figures", "\n".join(f"- {safe(name)}" for name in report.figures)]
    return "\n\n".join(blocks) + "\n"


def to_json(report: StudyReport) -> dict[str, Any]:
    """The report as plain data: NaN is null, infinities are text."""
    chosen, neighbors = report.chosen, report.neighbors
    return plain(
        {
            "study": chosen.study.name,
            "title": chosen.study.title,
            "source": chosen.study.source,
            "scale": chosen.scale,
            "setting": chosen.setting.model_dump(),
            "overridden": {name: list(pair) for name, pair in chosen.overridden.items()},
            "departures": {name: list(pair) for name, pair in report.departures.items()},
            "published": chosen.study.published.model_dump(),
            "found": {
                estimator: {figure: report.found(figure, estimator) for figure in FIGURES}
                for estimator in ESTIMATORS
            },
            "median_above_matched": report.bias,
            "central_share": report.central_share,
            "bits_per_dimension": {side: report.bits_per_dimension(side)[0] for side in _SIDES},
            "summary": report.result.summary().to_dict(),
            "description": dict(report.description),
            "missing_fits": list(report.result.missing),
            "seconds": report.seconds.tolist(),
            "command": report.command,
            "score_command": report.score_command,
            "figures": list(report.figures),
            "neighbors": None if neighbors is None else neighbor_text.to_json(neighbors, top=3),
        }
    )


def facts(report: StudyReport) -> Rows:
    """What was run, by name."""
    said, setting, result = report.description, report.chosen.setting, report.result
    data, done = said["data"], len(report.seconds)
    parameters = said["model"]["parameters"]
    shown = {**report.chosen.parameters, "noise_seed": parameters.get("noise_seed")}
    model = ", ".join(f"{name} {value}" for name, value in shown.items() if value is not None)
    rows = [
        ("scale", f"{report.chosen.scale}{_overridden(report)}"),
        ("data", f"{data['source']}: {data['records']:,} records of shape {_shape(data['shape'])}"),
        ("model", f"{report.chosen.study.model.name}: {model}"),
        ("plan", f"{setting.folds} folds, {_counted(setting.repeats, 'repeat')}"),
        ("tracked epochs", ", ".join(map(str, said["track"]))),
        ("seed, threads a fit", f"{said['seed']}, {said['threads']}"),
        ("fits", f"{done:,} of {said['plan']['fits']:,}{_time(report.seconds)}"),
        ("records scored", f"{result.summary().scored:,} of {result.summary().records:,}"),
        ("settled", ", ".join(f"{k} {v}" for k, v in said["settled"].items()) or "nothing"),
        ("versions", ", ".join(f"{k} {v}" for k, v in said["environment"].items())),
    ]
    return [("", ""), *rows]


def _overridden(report: StudyReport) -> str:
    changed = [
        f"{name} {value:,} in place of {'all' if declared is None else f'{declared:,}'}"
        for name, (value, declared) in report.chosen.overridden.items()
    ]
    return f", overridden: {'; '.join(changed)}" if changed else ""


def _time(seconds: Iterable[float]) -> str:
    known = [second for second in seconds if not math.isnan(second)]
    return f", {duration(float(np.median(known)))} each (median)" if known else ""


def comparison(report: StudyReport) -> Rows:
    """The published figures beside those of the run."""
    published = report.chosen.study.published
    rows: list[Sequence[str]] = [("", "paper, M", "this run, M", "matched", "mean_log")]
    for name, title in _TITLES.items():
        cells = [number(report.found(name, estimator)) for estimator in ESTIMATORS]
        rows.append((title, str(getattr(published, name)), *cells))
    share = "–" if math.isnan(report.central_share) else f"{report.central_share:.0%}"
    return [*rows, (_CENTRAL, str(published.central_share), share, "", "")]


def likelihoods(report: StudyReport) -> Rows:
    """Mean log p and bits per dimension, each with its standard error over retrainings."""
    found = report.result.summary().mean_log_prob
    rows = [("", "mean log p (nats)", "bits per dimension")]
    for side, title in _SIDES.items():
        bits = Statistic(*report.bits_per_dimension(side))
        rows.append((title, with_error(found[side]), with_error(bits)))
    return rows


def remarks(report: StudyReport) -> list[str]:
    """What must be known to read the numbers."""
    said = []
    missing = len(report.result.missing)
    if missing:
        said.append(f"INCOMPLETE: fits missing: {missing}; these are the numbers of the others.")
    differing = [
        f"{_SPOKEN.get(name, name)} {_named(here)} ({_named(there)})"
        for name, (here, there) in report.departures.items()
    ]
    if differing:
        said.append(
            f"Scale {report.chosen.scale}, not the published setting. What differs (the paper's in"
            f" brackets): {'; '.join(differing)}. Scores of other scales or data sizes are not"
            " comparable: the paper's figures stand beside the run's for orientation only."
        )
    else:
        said.append(
            "The published setting and number of records. Scores of other scales or data sizes are"
            " not comparable."
        )
    return [*said, _bias(report)]


def _bias(report: StudyReport) -> str:
    median = {name: number(report.found("median", name)) for name in ESTIMATORS}
    return (
        f"The median of M is {median['score']}, of matched {median['matched']} and of mean_log"
        f" {median['mean_log']}: {number(report.bias)} nats of M's median are what M gains by"
        " averaging more values in training than held out, and no memorization."
    )


def _named(value: Any) -> str:
    if isinstance(value, bool):
        return "at every evaluation" if value else "once"
    return f"{value:,}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
