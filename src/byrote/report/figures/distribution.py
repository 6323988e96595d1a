"""The distribution of the scores, of one run and of several (Figure 4c)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings, Selection
from byrote.report.format import number
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.summary import quantiles
from byrote.scores.run import Run


def score_distribution(result: MemorizationResult, ax: Axes | None = None) -> Axes:
    """Draw a histogram of the memorization score (nats) with its 95th percentile.

    Scores far out are drawn, and counted, at the edge.

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
    score = _finite("result", result)
    ax = style.new_axes(ax)
    low, high = style.robust_limits(score)
    bins = min(100, max(20, int(np.sqrt(len(score)))))
    ax.hist(np.clip(score, low, high), bins=bins, range=(low, high), color=style.BLUE, alpha=0.85)
    q95 = _q95(result)
    ax.axvline(q95, color=style.VERMILION, linestyle="--", linewidth=1.5)
    right = q95 > low + 0.5 * (high - low)  # no room to its right
    ax.margins(y=0.15)  # so that the label stands above the bars
    ax.annotate(
        f"95th percentile: {number(q95)}",
        (q95, 0.99),
        xycoords=("data", "axes fraction"),
        xytext=(-5 if right else 5, 0),
        textcoords="offset points",
        color=style.VERMILION,
        fontsize=style.SMALL,
        horizontalalignment="right" if right else "left",
        verticalalignment="top",
    )
    left = bool(np.median(score) > (low + high) / 2)
    style.note(ax, style.beyond(result.score, low, high), left=left)
    ax.set_xlabel("memorization score M (nats)")
    ax.set_ylabel("records")
    style.whole_numbers(ax)
    style.tidy(ax)
    return ax


def score_distributions(results: Mapping[str, MemorizationResult], ax: Axes | None = None) -> Axes:
    """Draw densities of the scores of several runs with their 95th percentiles, as in Figure 4c.

    Histograms over common bins; the area under each is the share of finite scores within them.

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
    ends = [style.robust_limits(score) for score in scores.values()]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    fewest = min(len(score) for score in scores.values())
    bins = np.linspace(low, high, 1 + min(60, max(20, int(np.sqrt(fewest)))))
    for place, (name, score) in enumerate(scores.items()):
        heights = np.histogram(score, bins)[0] / (len(score) * np.diff(bins))
        q95 = _q95(results[name])
        look = style.run_style(place)
        label = f"{style.short(name, 20)}: 95th percentile {number(q95)}"
        ax.stairs(heights, bins, linewidth=1.3, label=label, **look)
        ax.axvline(q95, linewidth=1.0, alpha=0.8, **look)
    outside = {name: style.beyond(results[name].score, low, high) for name in results}
    lines = [
        f"{style.short(name, 20)}: {text.replace(chr(10), ' ')}"
        for name, texts in outside.items()
        for text in texts
    ]
    ax.set_ylim(0, None)
    ax.set_xlabel("memorization score M (nats)")
    ax.set_ylabel("density (1/nat)")
    style.legend_above(ax, notes=lines)
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
    yield "scores", style.figure_of(score_distribution(result))


def _several(selection: Selection) -> list[Mapping[str, Run]]:
    return [selection.runs] if len(selection.runs) > 1 else []


@registry.figure("comparison", of="records", order=30, each=_several)
def _compared(runs: Mapping[str, Run]) -> Drawings:
    results = {name: run.memorization() for name, run in runs.items()}
    yield "scores-compared", style.figure_of(score_distributions(results))
