"""Records with the highest scores by log-likelihood (Figures 3, 10 and 11)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.report.figures import record_marks, registry, style
from byrote.report.figures.far_values import Bins, bins_of, robust_limits
from byrote.report.figures.record_marks import Marked
from byrote.report.figures.registry import Drawings
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.top_records import central_share, highly_memorized
from byrote.stats.estimate import proportion

X_LABEL = r"$\log P_\mathcal{A}(x\,|\,D)$, in training (nats)"
_OVER_MARKS = "; on diamonds: found"


@dataclass(frozen=True)
class Binned:
    """The scored records with a log-likelihood in training, by bin of it."""

    rows: NDArray[np.intp]  # (m,)
    high: NDArray[np.bool_]  # (m,) whether among the highest by M
    name: str  # of these
    bins: Bins
    marked: list[Marked]  # of all n records

    def numbers(self, what: str) -> str:
        """Return the note on what the numbers above the bars count."""
        return f"numbers: {what}{_OVER_MARKS if self.marked else ''}"


def binned(result: MemorizationResult, share: float, bins: int) -> Binned:
    """Sort the scored records into bins of equal width."""
    bins = checks.integer("bins", bins, at_least=2)
    high = highly_memorized(result.score, share)
    rows = np.flatnonzero(~np.isnan(result.score) & ~np.isnan(result.log_prob_in))
    values = result.log_prob_in[rows]
    if not np.isfinite(values).any():
        raise InvalidInput("result must have a score and a finite log-likelihood; it has none")
    limits = robust_limits(values[np.isfinite(values)])
    sorted_ = bins_of(values, limits, np.linspace(*limits, bins + 1))
    marked = record_marks.marked(result)
    return Binned(rows, high[rows], record_marks.high_name(share), sorted_, marked)


def memorized_by_log_prob(
    result: MemorizationResult,
    *,
    share: float = 0.05,
    bins: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Draw counts of the records with the highest scores by log-likelihood in training: Figure 3a.

    Stacked counts of these and of the others; numbers above the bars count the highest. The legend
    gives the share of these in the central 90 % of all log-likelihoods (the grey band), which are
    not outliers to the model. Diamonds are bins with records found, with their number. Records far
    out are in bins beyond a break of the axis.

    Parameters
    ----------
    share
        Share of the scored records that count as the highest.
    bins
        Number of bins of equal width.

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
    style.legend_above(ax, handles=keys(ax, result, groups.numbers("highest by M")))
    style.tidy(ax)
    return ax


def draw_counts(ax: Axes, result: MemorizationResult, groups: Binned) -> None:
    """Draw the bars of the counts."""
    bins = groups.bins
    high, others = bins.counts(groups.high), bins.counts(~groups.high)
    values = result.log_prob_in[groups.rows]
    low, top = np.quantile(values[np.isfinite(values)], (0.05, 0.95))
    part = 100 * central_share(groups.high, result.log_prob_in[groups.rows])
    ax.axvspan(
        low,
        top,
        color="#E8E8E8",
        zorder=0,
        linewidth=0,
        label=f"central 90 % of records, {part:.0f} % of the highest",
    )
    _bars(ax, groups, high, others)
    for x, y, count in zip(bins.centres, high + others, high, strict=True):
        if y:
            _above(ax, x, y, brief(count))
    _mark(ax, groups, high + others)
    ax.set_ylim(0, (1.3 if groups.marked else 1.12) * (high + others).max())
    bins.finish(ax)
    ax.set_xlabel(X_LABEL)
    ax.set_ylabel("records")
    style.whole_numbers(ax)


def memorized_share_by_log_prob(
    result: MemorizationResult,
    *,
    share: float = 0.05,
    bins: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of the highest scores by log-likelihood in training: Figure 3b.

    Error bars are Wilson's 95 % intervals, numbers above the bars those of the records in the bin.
    Options and diamonds as for ``memorized_by_log_prob``.

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
    sorted_ = groups.bins
    high, others = sorted_.counts(groups.high), sorted_.counts(~groups.high)
    filled = high + others > 0
    x, total = sorted_.centres[filled], (high + others)[filled]
    part = high[filled] / total
    sums = np.maximum(high + others, 1)
    _bars(ax, groups, high / sums, others / sums)
    intervals = np.array(
        [proportion(k, n).interval for k, n in zip(high[filled], total, strict=True)]
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
    for centre, count in zip(x, total, strict=True):
        _above(ax, centre, 1.0, brief(count))
    _mark(ax, groups, np.ones(len(sorted_.left)))
    ax.set_ylim(0, 1.3 if groups.marked else 1.12)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    sorted_.finish(ax)
    ax.set_xlabel(X_LABEL)
    ax.set_ylabel("share of the bin")
    style.legend_above(ax, handles=keys(ax, result, groups.numbers("records in the bin")))
    style.tidy(ax)
    return ax


def _bars(ax: Axes, groups: Binned, high: NDArray[np.generic], others: NDArray[np.generic]) -> None:
    """Stack the two groups in all bins."""
    x, width = groups.bins.centres, groups.bins.width
    ax.bar(x, high, width, label=groups.name, **record_marks.HIGH)
    name = record_marks.OTHERS_NAME
    ax.bar(x, others, width, bottom=high, label=name, **record_marks.OTHERS)


def _mark(ax: Axes, groups: Binned, heights: NDArray[np.generic]) -> None:
    """Draw marks, with numbers of records, over the numbers above the bars."""
    for group in groups.marked:
        counts = groups.bins.counts(group.rows[groups.rows])
        places = np.flatnonzero(counts)
        texts = [brief(count) for count in counts[places]]
        x = groups.bins.centres[places]
        record_marks.mark_bins(ax, group, x, heights[places], texts, above=13.5)


def keys(ax: Axes, result: MemorizationResult, numbers: str) -> list[Any]:
    """Return the keys of the bars and marks, and a line on the numbers above them."""
    names = [group.name for group in record_marks.marked(result)]
    bars = [key for key in ax.get_legend_handles_labels()[0] if key.get_label() not in names]
    return [*bars, *record_marks.keys(result), style.key(numbers, linestyle="none")]


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


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("counts by log-likelihood", of="records", order=40, needs=(registry.scores,))
def _by_log_prob(result: MemorizationResult) -> Drawings:
    shows = "How many of the highest scores M lie where the model is more or less certain."
    yield "memorized-by-log-prob", style.figure_of(memorized_by_log_prob(result)), shows
    shows = "Which share of the records has the highest scores M, by log-likelihood."
    figure = style.figure_of(memorized_share_by_log_prob(result))
    yield "memorized-share-by-log-prob", figure, shows
