"""Exposure by number of insertions, and the sizes of models and texts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.report.format import byte_size, insertions, number, with_interval
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGNIFICANT = 0.01  # p-value below which exposure differs from chance


def exposure_by_insertions(runs: Sequence[StudyRun]) -> Findings:
    """Tabulate exposure by level, and state the level from which canaries are exposed."""
    head = ("", "inserted", "canaries", "median", "mean [95 %]", "rank 1", "at most")
    levels = [
        _level(run, level) for run in runs for level in np.unique(run.exposures.inserted).tolist()
    ]
    return Findings(
        tables=(("Exposure in bits, by insertions", [head, *levels]),),
        remarks=tuple(map(_threshold, runs)),
        figures={f"exposure-{run.name}": _figure(run) for run in runs},
    )


def _level(run: StudyRun, level: int) -> tuple[str, ...]:
    rows, exposure = run.level_rows(level), run.exposures.exposure
    bits = exposure.bits[rows]
    known = bits[~np.isnan(bits)]
    return (
        run.title,
        insertions(level),
        f"{len(rows)}",
        number(float(np.median(known))) if len(known) else "–",
        with_interval(run.mean_exposure(rows)),
        f"{_rank_one(run, rows)} of {len(rows)}",
        number(float(exposure.maximum[rows[0]])),
    )


def _rank_one(run: StudyRun, rows: NDArray[np.intp]) -> int:
    """Count the canaries that are certified as the most likely candidate."""
    exposure = run.exposures.exposure
    exact = np.isin(exposure.method[rows], ("search", "exact"))
    return int((exposure.rank[rows][exact] == 1).sum())


def _threshold(run: StudyRun) -> str:
    levels = [level for level in np.unique(run.exposures.inserted).tolist() if level]
    highest = run.level_rows(levels[-1])
    exposed = [level for level in levels if _largest_p(run, level) < _SIGNIFICANT]
    if not exposed:
        where = "at no level"
    elif exposed == levels[levels.index(exposed[0]) :]:
        where = f"where it is {insertions(exposed[0])} or more"
    else:
        where = f"where it is {', '.join(map(insertions, exposed))}"
    return (
        f"{run.title[0].upper()}{run.title[1:]}: every canary has p below {_SIGNIFICANT} {where};"
        f" {insertions(levels[-1])}, {_rank_one(run, highest)} of {len(highest)} have rank 1 of"
        f" {run.records.patterns[0].space_size:.3g}, by search."
    )


def _largest_p(run: StudyRun, level: int) -> float:
    p_values = run.exposures.exposure.p_value[run.level_rows(level)]
    known = p_values[~np.isnan(p_values)]
    return float(known.max()) if len(known) else 1.0


def _figure(run: StudyRun) -> "Figure":
    exposure = run.exposures.exposure
    return figures.exposure_by_insertions(
        run.exposures.inserted,
        exposure.bits,
        low=exposure.low,
        high=exposure.high,
        saturated=exposure.saturated,
        secrets=exposure.ids,
        maximum=float(np.nanmax(exposure.maximum)),
    )


def model_size(runs: Sequence[StudyRun]) -> Findings:
    """Tabulate the sizes of models and texts, and compare them."""
    head = ("", "weights", "model", "compressed", "training text", "compressed")
    facts = [run.exposures.facts for run in runs]
    pairs = {(f["model"]["bytes"], f["corpus"]["bytes"]) for f in facts if "model" in f}
    return Findings(
        tables=(("Sizes", [head, *map(_sizes, runs)]),),
        remarks=tuple(_compared(model, text) for model, text in sorted(pairs)),
    )


def _sizes(run: StudyRun) -> tuple[str, ...]:
    model, corpus = run.exposures.facts.get("model", {}), run.exposures.facts["corpus"]
    weights = f"{model['parameters']:,}" if "parameters" in model else "–"
    cells = [byte_size(model[key]) if key in model else "–" for key in ("bytes", "compressed")]
    return (
        run.title,
        weights,
        *cells,
        *(byte_size(corpus[key]) for key in ("bytes", "compressed")),
    )


def _compared(model: int, text: int) -> str:
    size, post = ("smaller", "like") if model < text else ("larger", "unlike")
    return (
        f"The model ({byte_size(model)} of float32) is {size} than its training text"
        f" ({byte_size(text)}), {post} the one of the post."
    )
