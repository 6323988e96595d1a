"""Scores by class, and regions where the data are thin (Section 6)."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings, Selection
from byrote.report.format import number
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.summary import quantiles
from byrote.scores.memorization.top_records import Region, cluster_records, memorized_by_region
from byrote.scores.run import Run

MOST = 30  # classes or regions in one figure
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def scores_by_label(result: MemorizationResult, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the score in each class, the highest 95th percentile first.

    Boxes from the 25th to the 75th percentile with the median, whiskers from the 5th to the 95th;
    number of records and highest score at the right. At most 30 classes are drawn.

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
    ax = style.new_axes(ax, height=0.62 + 0.19 * len(shown))
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
    for place, box in enumerate(shown):
        _at_right(ax, place, f"{box['records']:,}; {number(box['highest'])}")
    _at_right(ax, -1, "records; max. M")
    _rows(ax, [box["label"] for box in shown], len(boxes), "classes")
    ax.set_xlabel("memorization score M (nats)\nbox: 25–75 %, line: median, whiskers: 5–95 %")
    ax.set_ylabel("label")
    style.tidy(ax)
    return ax


def thin_regions(
    result: MemorizationResult,
    regions: ArrayLike | None = None,
    *,
    share: float = 0.05,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of highly memorized records by class or cluster.

    Points with Wilson's 95 % intervals, the largest share first, filled if the interval is above
    the overall share (dashed line). Each interval holds alone: of forty regions without a
    difference, one is filled by chance. At most 30 regions are drawn.

    Parameters
    ----------
    regions
        (n,) names of the records' regions (default: their labels), such as the clusters of
        ``byrote.scores.memorization.top_records.cluster_records``.
    share
        Share of the scored records that count as highly memorized.

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
    ax = style.new_axes(ax, height=0.85 + 0.19 * len(shown))
    label = f"all records: {100 * overall:.1f} %"
    ax.axvline(100 * overall, color=style.GREY, linestyle="--", linewidth=1.0, label=label)
    for place, region in enumerate(shown):
        _point(ax, place, region, overall)
        _at_right(ax, place, f"{region.memorized:,} of {region.records:,}")
    ax.plot([], [], "o", color=style.VERMILION, markersize=4, label="interval above it")
    ax.set_xlim(0, None)
    _rows(ax, [region.name for region in shown], len(shares), "regions")
    ax.set_xlabel("highly memorized records (%)\nwhiskers: 95 % interval")
    ax.set_ylabel("label" if regions is None else "region")
    style.legend_above(ax)
    style.tidy(ax)
    return ax


def _point(ax: Axes, place: int, region: Region, overall: float) -> None:
    low, high = region.interval
    color = style.VERMILION if low > overall else style.BLUE
    ax.errorbar(
        [100 * region.share],
        [place],
        xerr=[[100 * abs(region.share - low)], [100 * abs(high - region.share)]],  # by rounding < 0
        fmt="o",
        markersize=4,
        color=color,
        markerfacecolor=color if low > overall else "white",
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
    by_class = result.score[scored][np.argsort(which, kind="stable")]
    members = np.split(by_class, np.cumsum(np.bincount(which))[:-1])
    for label, score in zip(labels, members, strict=True):
        levels = quantiles(score, LEVELS)
        names = ("whislo", "q1", "med", "q3", "whishi")
        box = dict(zip(names, levels, strict=True))
        boxes.append(
            {**box, "label": str(label), "records": len(score), "highest": float(score.max())}
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
        (1.02, place),
        xycoords=("axes fraction", "data"),
        fontsize=style.SMALL,
        color=style.GREY,
        verticalalignment="center",
        annotation_clip=False,
    )


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("class figures", of="records", order=50, needs=(registry.scores,))
def _by_label(result: MemorizationResult) -> Drawings:
    if result.labels is None:
        raise InvalidInput("the records have no labels")
    yield "scores-by-label", style.figure_of(scores_by_label(result))
    yield "thin-labels", style.figure_of(thin_regions(result))


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
    names = [f"cluster {number}" for number in cluster_records(run.records.x, clusters)]
    yield "thin-clusters", style.figure_of(thin_regions(result, names))
