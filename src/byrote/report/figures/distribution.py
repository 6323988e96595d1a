"""The distribution of the scores, of one run and of several (Figure 4c)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import far_values, record_marks, registry, style
from byrote.report.figures.far_values import Bins, arrows_at_edges, bins_of
from byrote.report.figures.record_marks import Marked
from byrote.report.figures.registry import Drawings, Selection
from byrote.report.format import number
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.summary import quantiles
from byrote.scores.run import Run

_SEEN = 0.02  # of the highest bar: a part that is seen without a mark


def score_distribution(result: MemorizationResult, ax: Axes | None = None) -> Axes:
    """Draw a histogram of the memorization score (nats) with its 95th percentile.

    Bars are vermilion as far as their records were found; a diamond stands where that would not be
    seen. Scores far out are a bar beyond a break of the axis; those of records found are written
    there.

    Raises
    ------
    InvalidInput
        If no record has a finite score.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(40, 1))
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(4, repeats=2))
    >>> score_distribution(result).get_xlabel()
    'memorization score M (nats)'
    """
    bins = score_bins(result)
    ax = style.new_axes(ax, height=2.6)
    scored = ~np.isnan(result.score)
    found = record_marks.is_found(result)[scored]
    heights = bins.counts(np.ones(len(found), bool))
    part = bins.counts(found)
    bar: dict[str, Any] = {"alpha": 0.85, "linewidth": 0}
    ax.bar(bins.centres, part, bins.width, color=style.VERMILION, **bar)
    ax.bar(bins.centres, heights - part, bins.width, bottom=part, color=style.BLUE, **bar)
    q95 = _q95(result)
    label = f"95th percentile of M: {number(q95)}"
    look: dict[str, Any] = {"color": style.GREY, "linestyle": "--", "linewidth": 1.2}
    line = ax.axvline(q95, label=label, **look) if q95 <= bins.high else style.key(label, **look)
    for group in record_marks.marked(result):
        _mark(ax, bins, group, result.score[scored], group.rows[scored], heights)
    bins.finish(ax)
    ax.set_ylim(0, 1.12 * heights.max())  # so that marks stand below the legend
    ax.set_xlabel("memorization score M (nats)")
    ax.set_ylabel("records")
    style.whole_numbers(ax)
    style.legend_above(ax, handles=[line, *record_marks.keys(result)])
    style.tidy(ax)
    return ax


def score_bins(result: MemorizationResult, *, most: int = 100) -> Bins:
    """Sort the records with a score into bins by M.

    Parameters
    ----------
    most
        Largest number of bins, without those of values far outside the others.

    Raises
    ------
    InvalidInput
        If no record has a finite score.
    """
    score = _finite("result", result)
    limits = far_values.robust_limits(score)
    count = min(most, max(20, int(np.sqrt(len(score)))))
    edges = np.linspace(*limits, count + 1)
    return bins_of(result.score[~np.isnan(result.score)], limits, edges)


def _mark(
    ax: Axes,
    bins: Bins,
    group: Marked,
    score: NDArray[np.float64],
    rows: NDArray[np.bool_],
    heights: NDArray[np.intp],
) -> None:
    """Draw a mark over bins with few records of a group; beyond the axis with their scores."""
    counts, beyond = bins.counts(rows), np.isin(np.arange(len(heights)), list(bins.beyond))
    places = np.flatnonzero((counts > 0) & ((counts < _SEEN * heights.max()) | beyond))
    texts = [
        record_marks.in_words(score[rows & (bins.place == place)]) if place in bins.beyond else ""
        for place in places
    ]
    record_marks.mark_bins(ax, group, bins.centres[places], heights[places], texts)


def score_distributions(results: Mapping[str, MemorizationResult], ax: Axes | None = None) -> Axes:
    """Draw densities of the scores of several runs with their 95th percentiles, as in Figure 4c.

    Histograms over common bins; the area under each is the share of finite scores within them.
    Arrows at the edge are scores beyond it, with the farthest. The legend counts records found.

    Parameters
    ----------
    results
        The runs by name, at most six.

    Raises
    ------
    InvalidInput
        If there are no runs, more than six, or one without a finite score.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x, plan = np.random.default_rng(0).normal(size=(40, 1)), byrote.KFold(4, repeats=2)
    >>> runs = {f"h = {h}": byrote.score_memorization(KernelDensity(bandwidth=h), x, plan=plan)
    ...         for h in (0.2, 1.0)}
    >>> score_distributions(runs).get_ylabel()
    'density (1/nat)'
    """
    style.check_runs("results", len(results))
    scores = {name: _finite(f"run {name!r}", result) for name, result in results.items()}
    ax = style.new_axes(ax)
    ends = [far_values.robust_limits(score) for score in scores.values()]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    fewest = min(len(score) for score in scores.values())
    bins = np.linspace(low, high, 1 + min(60, max(20, int(np.sqrt(fewest)))))
    for place, (name, score) in enumerate(scores.items()):
        heights = np.histogram(score, bins)[0] / (len(score) * np.diff(bins))
        q95 = _q95(results[name])
        look = style.run_style(place)
        found = record_marks.is_found(results[name])
        tested = not np.isnan(results[name].q_value).all()
        label = f"{style.short(name, 14)}: 95th percentile {number(q95)}"
        label += f", {found.sum():,} found" if tested else ""
        ax.stairs(heights, bins, linewidth=1.3, label=label, **look)
        ax.axvline(q95, linewidth=1.0, alpha=0.8, **look)
    ax.set_xlim(low, high)
    for place, result in enumerate(results.values()):
        color = style.run_style(place)["color"]
        arrows_at_edges(ax, result.score, 0.95 - 0.08 * place, color=color)
    ax.set_ylim(0, None)
    ax.set_xlabel("memorization score M (nats)")
    ax.set_ylabel("density (1/nat)")
    style.legend_above(ax)
    style.tidy(ax)
    return ax


def _finite(name: str, result: MemorizationResult) -> NDArray[np.float64]:
    score = result.score[np.isfinite(result.score)]
    if len(score) == 0:
        raise InvalidInput(f"{name} must have a finite score to draw; it has none")
    return score


def _q95(result: MemorizationResult) -> float:
    return quantiles(result.score[~np.isnan(result.score)], (0.95,))[0]


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("score distribution", of="records", order=20, needs=(registry.scores,))
def _scores(result: MemorizationResult) -> Drawings:
    shows = "How many records have which memorization score M."
    yield "scores", style.figure_of(score_distribution(result)), shows


def _several(selection: Selection) -> list[Mapping[str, Run]]:
    return [selection.runs] if len(selection.runs) > 1 else []


@registry.figure("comparison", of="records", order=30, each=_several)
def _compared(runs: Mapping[str, Run]) -> Drawings:
    results = {name: run.memorization() for name, run in runs.items()}
    shows = "Densities of the memorization score M, lines at the 95th percentiles; found: q ≤ 0.05."
    yield "scores-compared", style.figure_of(score_distributions(results)), shows
