"""Scores by class, and regions where the data are thin (Section 6)."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from byrote.data.text_records import as_arrays
from byrote.errors import InvalidInput
from byrote.report.figures import record_marks, registry, style
from byrote.report.figures.far_values import arrow_at_edge, far_out, robust_limits
from byrote.report.figures.record_marks import Marked
from byrote.report.figures.registry import Drawings, Selection
from byrote.report.format import number
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.summary import quantiles
from byrote.scores.memorization.top_records import Region, cluster_records, memorized_by_region
from byrote.scores.run import Run

MOST = 30  # classes or regions in one figure
_MANY = 50  # marks, from which they are smaller
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def scores_by_label(result: MemorizationResult, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the score in each class, the highest 95th percentile first.

    Boxes from the 25th to the 75th percentile with the median, whiskers from the 5th to the 95th,
    dots at the lowest and the highest score, diamonds at records found; arrows stand for those
    beyond the edge. Numbers of records, of those found and the highest score at the right. At most
    30 classes are drawn.

    Raises
    ------
    InvalidInput
        If the result has no labels, or no scored record.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x, labels = np.random.default_rng(0).normal(size=(40, 1)), np.arange(40) % 3
    >>> plan = byrote.KFold(4, repeats=2)
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=plan, labels=labels)
    >>> len(scores_by_label(result).get_yticklabels())
    3
    """
    boxes = _boxes(result)
    shown = boxes[:MOST]
    ax = style.new_axes(ax, height=1.1 + 0.19 * len(shown))
    ax.bxp(
        shown,
        positions=range(len(shown)),
        widths=0.6,
        orientation="horizontal",
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": style.SKY, "linewidth": 0.7},
        medianprops={"color": "black", "linewidth": 1.4},
        whiskerprops={"linewidth": 0.8},
        capprops={"linewidth": 0.8},
    )
    ax.set_xlim(*_limits(result, shown))
    groups = record_marks.marked(result)
    for place, box in enumerate(shown):
        whiskers = box["whislo"], box["whishi"]
        _scores(ax, result.score, box["rows"], groups, whiskers, place)
        found = np.count_nonzero(record_marks.is_found(result)[box["rows"]])
        _at_right(ax, place, f"{box['records']:,}; {found:,}; {number(box['highest'])}")
    _at_right(ax, -1, "records; found; max. M")
    _rows(ax, [box["label"] for box in shown], len(boxes), "classes")
    ax.set_xlabel("memorization score M (nats)\nbox: 25–75 %, line: median,\nwhiskers: 5–95 %")
    ax.set_ylabel("label")
    extremes = style.key("lowest, highest", **_EXTREME)
    style.legend_above(ax, handles=[extremes, *record_marks.keys(result)])
    style.tidy(ax)
    return ax


_EXTREME: dict[str, Any] = {
    "marker": "o",
    "markersize": 2.5,
    "linestyle": "none",
    "color": style.GREY,
}


def _limits(result: MemorizationResult, boxes: list[dict[str, Any]]) -> tuple[float, float]:
    """Return limits that hold the whiskers, and the extremes unless these are far out."""
    finite = result.score[np.isfinite(result.score)]
    whiskers = np.array([box[name] for box in boxes for name in ("whislo", "whishi")])
    ends = [*(robust_limits(finite) if len(finite) else ()), *whiskers[np.isfinite(whiskers)]]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = 0.04 * (high - low) or 0.5
    return low - room, high + room


def _scores(
    ax: Axes,
    score: NDArray[np.float64],
    rows: NDArray[np.intp],
    groups: list[Marked],
    whiskers: tuple[float, float],
    place: int,
) -> None:
    """Draw the marks of a class, and its unmarked extremes; rows: by increasing score.

    Of many marked records only those beyond the whiskers, which would be hidden, are drawn.
    """
    plain = [row for row in rows[[0, -1]] if not any(group.rows[row] for group in groups)]
    _points(ax, score[plain], place, _EXTREME)
    for group in groups:
        shown, look = score[rows][group.rows[rows]], group.look
        if np.count_nonzero(group.rows) > _MANY:
            low, high = whiskers
            look = {**look, "markersize": 2.5}
            shown = shown[(shown < low) | (shown > high)]
        _points(ax, shown, place, look)


def _points(ax: Axes, scores: NDArray[np.float64], place: int, look: dict[str, Any]) -> None:
    """Draw scores in the row of a class, arrows for those beyond the edges."""
    low, high = ax.get_xlim()
    inside = (scores >= low) & (scores <= high)
    ax.plot(scores[inside], np.full(inside.sum(), place), **{"zorder": 5, **look})
    for above, beyond in ((False, scores[scores < low]), (True, scores[scores > high])):
        if len(beyond):
            text = far_out(beyond, above=above)
            arrow_at_edge(ax, place, text, right=above, **{**look, "markersize": 5})


def thin_regions(
    result: MemorizationResult,
    regions: ArrayLike | None = None,
    *,
    share: float = 0.05,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of the records with the highest scores by class or cluster.

    Points with Wilson's 95 % intervals, the largest share first, filled if the interval is above
    the overall share (dashed line). Each interval holds alone: of forty regions without a
    difference, one is filled by chance. Diamonds at the right are regions with records found. At
    most 30 regions are drawn.

    Parameters
    ----------
    regions
        (n,) names of the records' regions (default: their labels), such as the clusters of
        ``byrote.scores.memorization.top_records.cluster_records``.
    share
        Share of the scored records that count as the highest.

    Raises
    ------
    InvalidInput
        If the regions are missing or not n, or no record has a score.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.concatenate([np.linspace(0, 1, 30), [4.0, 6.0]])[:, None]
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.LeaveOneOut())
    >>> ax = thin_regions(result, np.repeat(["dense", "thin"], [30, 2]))
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['thin', 'dense']
    """
    shares = memorized_by_region(result, regions, share=share)
    if not shares:
        raise InvalidInput("result must have a scored record to draw; it has none")
    overall = sum(r.memorized for r in shares) / sum(r.records for r in shares)
    shown = shares[:MOST]
    ax = style.new_axes(ax, height=1.05 + 0.19 * len(shown))
    label = f"all records: {100 * overall:.1f} %"
    look: dict[str, Any] = {"color": style.GREY, "linestyle": "--", "linewidth": 1.0}
    line = ax.axvline(100 * overall, label=label, **look)
    names = np.asarray(result.labels if regions is None else regions).astype(str)
    found = record_marks.is_found(result)
    for place, region in enumerate(shown):
        _point(ax, place, region, overall)
        count = np.count_nonzero(found[names == region.name])
        _at_right(ax, place, f"{region.memorized:,} of {region.records:,}; {count:,}")
        if count:
            _diamond(ax, place)
    _at_right(ax, -1, "highest; found")
    ax.set_xlim(0, None)
    _rows(ax, [region.name for region in shown], len(shares), "regions")
    ax.set_xlabel(f"records among the {record_marks.high_name(share)} (%)\nwhiskers: 95 % interval")
    ax.set_ylabel("label" if regions is None else "region")
    point: dict[str, Any] = {"marker": "o", "markersize": 4, "linestyle": "none"}
    above = style.key("interval above it", color=style.BLUE, **point)
    style.legend_above(ax, handles=[line, above, *record_marks.keys(result)])
    style.tidy(ax)
    return ax


def _diamond(ax: Axes, place: float) -> None:
    """Mark a row as one with records found."""
    transform = ax.get_yaxis_transform()
    ax.plot([1], [place], transform=transform, clip_on=False, zorder=6, **record_marks.FOUND)


def _point(ax: Axes, place: int, region: Region, overall: float) -> None:
    low, high = region.interval
    ax.errorbar(
        [100 * region.share],
        [place],
        xerr=[[100 * abs(region.share - low)], [100 * abs(high - region.share)]],  # by rounding < 0
        fmt="o",
        markersize=4,
        color=style.BLUE,
        markerfacecolor=style.BLUE if low > overall else "white",
        elinewidth=1.0,
        capsize=2,
    )


def _boxes(result: MemorizationResult) -> list[dict[str, Any]]:
    if result.labels is None:
        raise InvalidInput("result must have labels; it has none")
    scored = ~np.isnan(result.score)
    if not scored.any():
        raise InvalidInput("result must have a scored record to draw; it has none")
    boxes = []
    labels, which = np.unique(result.labels[scored], return_inverse=True)
    rows = np.flatnonzero(scored)[np.lexsort((result.score[scored], which))]
    members = np.split(rows, np.cumsum(np.bincount(which))[:-1])
    for label, ascending in zip(labels, members, strict=True):
        score = result.score[ascending]
        levels = quantiles(score, LEVELS)
        names = ("whislo", "q1", "med", "q3", "whishi")
        box = dict(zip(names, levels, strict=True))
        boxes.append(
            {
                **box,
                "label": str(label),
                "records": len(score),
                "highest": float(score.max()),
                "rows": ascending,
            }
        )
    return sorted(boxes, key=lambda box: -box["whishi"])


def _rows(ax: Axes, names: list[str], total: int, noun: str) -> None:
    """Write names at the left, the first on top."""
    ax.set_yticks(range(len(names)), [style.short(name, 18) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    if total > len(names):
        text = f"the first {len(names)} of {total:,} {noun}"
        ax.set_title(text, fontsize=style.SMALL, loc="right")


def _at_right(ax: Axes, place: float, text: str) -> None:
    ax.annotate(
        text,
        (1.04, place),
        xycoords=("axes fraction", "data"),
        fontsize=style.SMALL,
        color=style.GREY,
        verticalalignment="center",
        annotation_clip=False,
    )


# -- what byrote figures draws --------------------------------------------------------------------

_THIN = "Which share of the records of each {} has the highest scores M."


@registry.figure("class figures", of="records", order=50, needs=(registry.scores,))
def _by_label(result: MemorizationResult) -> Drawings:
    if result.labels is None:
        raise InvalidInput("the records have no labels")
    shows = "The memorization score M in each class."
    yield "scores-by-label", style.figure_of(scores_by_label(result)), shows
    yield "thin-labels", style.figure_of(thin_regions(result)), _THIN.format("class")


def _clusters(selection: Selection) -> list[int]:
    return [] if selection.clusters is None else [selection.clusters]


@registry.figure(
    "thin regions of clusters",
    of="records",
    order=60,
    needs=(registry.run, registry.scores),
    each=_clusters,
)
def _by_cluster(run: Run, result: MemorizationResult, clusters: int) -> Drawings:
    names = [f"cluster {number}" for number in cluster_records(as_arrays(run.records).x, clusters)]
    yield "thin-clusters", style.figure_of(thin_regions(result, names)), _THIN.format("cluster")
