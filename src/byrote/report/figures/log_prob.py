"""Highly memorized and regular records by log-likelihood (Figures 3, 10 and 11)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.top_records import central_share, highly_memorized
from byrote.stats.estimate import proportion

X_LABEL = r"$\log P_\mathcal{A}(x\,|\,D)$, in training (nats)"
COUNTED = "numbers: the highly memorized"


@dataclass(frozen=True)
class Binned:
    """Records by bin of log_prob_in; those far out are in the first and the last bin."""

    rows: NDArray[np.intp]  # (m,)
    high: NDArray[np.bool_]  # (m,) whether highly memorized
    place: NDArray[np.intp]  # (m,) bins
    edges: NDArray[np.float64]  # (b + 1,)
    beyond: list[str]  # notes on records far out

    def counts(self, which: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Count the records of a group in each bin."""
        return np.bincount(self.place[which], minlength=len(self.edges) - 1)

    @property
    def centres(self) -> NDArray[np.float64]:
        """Return the middle of each bin."""
        return (self.edges[1:] + self.edges[:-1]) / 2


def binned(result: MemorizationResult, share: float, bins: int) -> Binned:
    """Sort the scored records into bins of equal width."""
    bins = checks.integer("bins", bins, at_least=2)
    high = highly_memorized(result.score, share)
    rows = np.flatnonzero(~np.isnan(result.score) & np.isfinite(result.log_prob_in))
    if len(rows) == 0:
        raise InvalidInput("result must have a score and a finite log-likelihood; it has none")
    values = result.log_prob_in[rows]
    low, top = style.robust_limits(values)
    edges = np.linspace(low, top, bins + 1)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    scored = result.log_prob_in[~np.isnan(result.score)]
    return Binned(rows, high[rows], place, edges, style.beyond(scored, low, top))


def memorized_by_log_prob(
    result: MemorizationResult,
    *,
    share: float = 0.05,
    bins: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Draw counts of highly memorized records by log-likelihood in training: Figure 3a.

    Stacked counts of highly memorized and regular records; numbers above the bars count the highly
    memorized. The legend gives the share of these in the central 90 % of all log-likelihoods (the
    grey band), which are not outliers to the model.

    Parameters
    ----------
    share
        Share of the scored records that count as highly memorized.
    bins
        Number of bins of equal width; records far out are counted in the first and last.

    Raises
    ------
    InvalidInput
        If no record has a score and a finite log-likelihood.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(40, 1))
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(4, repeats=2))
    >>> ax = memorized_by_log_prob(result)
    >>> sum(int(text.get_text()) for text in ax.texts if text.get_text().isdigit())
    2
    """
    groups = binned(result, share, bins)
    ax = style.new_axes(ax, width=style.DOUBLE, height=2.5)
    draw_counts(ax, result, groups)
    style.legend_above(ax, handles=keys(ax, COUNTED))
    style.tidy(ax)
    return ax


def draw_counts(ax: Axes, result: MemorizationResult, groups: Binned) -> None:
    """Draw the bars of the counts."""
    high, regular = groups.counts(groups.high), groups.counts(~groups.high)
    width = np.diff(groups.edges)
    low, top = np.quantile(result.log_prob_in[groups.rows], (0.05, 0.95))
    part = 100 * central_share(groups.high, result.log_prob_in[groups.rows])
    ax.axvspan(
        low,
        top,
        color="#E8E8E8",
        zorder=0,
        linewidth=0,
        label=f"central 90 % of records, {part:.0f} % of the highly memorized",
    )
    ax.bar(groups.centres, high, width, label=style.HIGH_NAME, **style.HIGH)
    ax.bar(groups.centres, regular, width, bottom=high, label=style.REGULAR_NAME, **style.REGULAR)
    for x, y, count in zip(groups.centres, high + regular, high, strict=True):
        if y:
            _above(ax, x, y, brief(count))
    ax.set_ylim(0, 1.12 * (high + regular).max())
    ax.set_xlim(groups.edges[0], groups.edges[-1])
    ax.set_xlabel(_with_beyond(groups))
    ax.set_ylabel("records")
    style.whole_numbers(ax)


def memorized_share_by_log_prob(
    result: MemorizationResult,
    *,
    share: float = 0.05,
    bins: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of highly memorized records by log-likelihood in training: Figure 3b.

    Error bars are Wilson's 95 % intervals, numbers above the bars those of the records in the bin.
    Options as for ``memorized_by_log_prob``.

    Raises
    ------
    InvalidInput
        If no record has a score and a finite log-likelihood.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(40, 1))
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(4, repeats=2))
    >>> memorized_share_by_log_prob(result).get_ylabel()
    'share of the bin'
    """
    groups = binned(result, share, bins)
    ax = style.new_axes(ax, width=style.DOUBLE, height=2.5)
    high, regular = groups.counts(groups.high), groups.counts(~groups.high)
    total, filled = high + regular, high + regular > 0
    x, width = groups.centres[filled], np.diff(groups.edges)[filled]
    part = high[filled] / total[filled]
    ax.bar(x, part, width, label=style.HIGH_NAME, **style.HIGH)
    ax.bar(x, 1 - part, width, bottom=part, label=style.REGULAR_NAME, **style.REGULAR)
    intervals = np.array(
        [proportion(k, n).interval for k, n in zip(high[filled], total[filled], strict=True)]
    )
    bar = ax.errorbar(
        x,
        part,
        yerr=np.abs(intervals.T - part),
        label="95 % interval",
        fmt="none",
        ecolor="white",
        elinewidth=1.6,
        capsize=2,
    )
    _outline(bar)
    for centre, count in zip(x, total[filled], strict=True):
        _above(ax, centre, 1.0, brief(count))
    ax.set_ylim(0, 1.12)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    ax.set_xlim(groups.edges[0], groups.edges[-1])
    ax.set_xlabel(_with_beyond(groups))
    ax.set_ylabel("share of the bin")
    style.legend_above(ax, handles=keys(ax, "numbers: records in the bin"))
    style.tidy(ax)
    return ax


def keys(ax: Axes, numbers: str) -> list[Any]:
    """Return the keys of the bars, and a line on the numbers above them."""
    return [*ax.get_legend_handles_labels()[0], style.key(numbers, linestyle="none")]


def _outline(bar: object) -> None:
    """Give white error bars a black edge, visible on both colours."""
    for part in (*bar[1], *bar[2]):  # type: ignore[index]  # caps and bars
        part.set_path_effects([Stroke(linewidth=3.0, foreground="black"), Normal()])


def brief(count: float) -> str:
    """Format a count up to a million in at most five characters, so that bins do not touch.

    Examples
    --------
    >>> brief(4103), brief(11786), brief(162770)
    ('4,103', '11.8k', '163k')
    """
    if count < 10_000:
        return f"{count:,.0f}"
    thousands = count / 1000
    return f"{thousands:.1f}k" if thousands < 100 else f"{thousands:,.0f}k"


def _above(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(
        text,
        (x, y),
        xytext=(0, 1.5),
        textcoords="offset points",
        horizontalalignment="center",
        verticalalignment="bottom",
        fontsize=style.SMALL,
    )


def _with_beyond(groups: Binned) -> str:
    notes = [text.replace(",\n", " ") for text in groups.beyond]
    return f"{X_LABEL}; {', '.join(notes)}" if notes else X_LABEL


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("counts by log-likelihood", of="records", order=40, needs=(registry.scores,))
def _by_log_prob(result: MemorizationResult) -> Drawings:
    yield "memorized-by-log-prob", style.figure_of(memorized_by_log_prob(result))
    yield "memorized-share-by-log-prob", style.figure_of(memorized_share_by_log_prob(result))
