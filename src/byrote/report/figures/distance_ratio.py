"""The nearest-neighbour distance ratio rho and the score (Figures 5, 12 and 13)."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.far_values import arrows_at_edges, bins_of, robust_limits
from byrote.report.figures.record_marks import OTHERS_NAME, high_name
from byrote.report.figures.registry import Drawings
from byrote.scores.memorization.top_records import highly_memorized
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.stats import estimate

Array = NDArray[np.float64]
FEW = 5  # records of a bin; with fewer its interval is too wide
RHO = r"distance ratio $\rho$"


def ratio_by_score(
    result: NeighborResult, *, width: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the mean distance ratio in bins of the score with 95 % intervals: Figure 5a.

    Hollow points are bins of fewer than five records, without an interval. Records with scores far
    out are a bin beyond a break of the axis. Infinite ratios are left out and counted. Above the
    line at 1, samples are nearer than validation records.

    Parameters
    ----------
    width
        Width of a bin, nats; 50 for CelebA and 2 for MNIST in the paper (default: a round number,
        for about 25 bins).

    Raises
    ------
    InvalidInput
        If no record has a finite ratio and a finite score, or ``width`` is not above 0.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> ratio, score = random.uniform(0.5, 1.5, 500), random.normal(5, 4, 500)
    >>> result = SimpleNamespace(ratio=ratio, score=score)
    >>> ratio_by_score(result, width=2).get_xlabel()
    'memorization score M (nats), bins of 2'
    """
    width = None if width is None else checks.positive("width", width)
    score, ratio = _drawn(result)
    low, high = robust_limits(score[np.isfinite(score)], reach=10.0)
    width = _round_width((high - low) / 25) if width is None else width
    edges = width * np.arange(np.floor(low / width), np.floor(high / width) + 2)
    bins = bins_of(score, (low, high), edges)
    ax = style.new_axes(ax)
    ax.axhline(1.0, color=style.GREY, linewidth=0.8, linestyle=(0, (1, 1.5)))
    for place in np.unique(bins.place):
        _bin(ax, bins.centres[place], ratio[bins.place == place])
    bins.finish(ax)
    usable = ~np.isnan(result.ratio) & ~np.isnan(result.score)
    notes = _infinite(result.ratio[usable])
    if np.unique(bins.place, return_counts=True)[1].min() < FEW:
        notes.append(f"hollow: fewer than {FEW} records, no interval")
    ax.set_title("\n".join(notes), loc="left", fontsize=style.SMALL, color=style.GREY)
    ax.set_xlabel(f"memorization score M (nats), bins of {width:g}")
    ax.set_ylabel(f"mean {RHO}")
    style.tidy(ax)
    return ax


def ratio_densities(result: NeighborResult, *, share: float = 0.05, ax: Axes | None = None) -> Axes:
    """Draw the density of the distance ratio of the highest by M and of other records: Figure 5b.

    Gaussian kernel densities with pointwise 95 % bands for the smoothed density. Arrows at the edge
    count the ratios beyond it. Infinite ratios are left out and counted.

    Parameters
    ----------
    share
        Share of the scored records that count as the highest.

    Raises
    ------
    InvalidInput
        If either group has fewer than two different finite ratios.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> ratio, score = random.uniform(0.5, 1.5, 500), random.normal(5, 4, 500)
    >>> result = SimpleNamespace(ratio=ratio, score=score)
    >>> [text.get_text() for text in ratio_densities(result).get_legend().get_texts()]
    ['highest 5 % by M (25)', 'other records (475)']
    """
    high = highly_memorized(result.score, share)
    usable = ~np.isnan(result.ratio) & ~np.isnan(result.score)
    finite = np.isfinite(result.ratio) & usable
    groups = {high_name(share): result.ratio[finite & high]}
    groups[OTHERS_NAME] = result.ratio[finite & ~high]
    for name, values in groups.items():
        if len(np.unique(values)) < 2:
            raise InvalidInput(f"result must have two different finite ratios of the {name}")
    ends = [robust_limits(values) for values in groups.values()]
    low, top = min(end[0] for end in ends), max(end[1] for end in ends)
    room = 0.15 * (top - low)
    grid = np.linspace(max(0.0, low - room), top + room, 400)
    ax = style.new_axes(ax)
    looks = ((style.PURPLE, (0, (4, 1.5))), (style.BLUE, "-"))
    for (name, values), (color, dashes) in zip(groups.items(), looks, strict=True):
        density, half = kernel_density(values, grid)
        band = (np.maximum(density - half, 0), density + half)
        ax.fill_between(grid, *band, color=color, alpha=0.2, linewidth=0)
        label = f"{name} ({len(values):,})"
        ax.plot(grid, density, color=color, linestyle=dashes, linewidth=1.4, label=label)
    ax.axvline(1.0, color=style.GREY, linewidth=0.8, linestyle=(0, (1, 1.5)))
    ax.set_ylim(0, None)
    ax.set_xlim(grid[0], grid[-1])
    for y, values, (color, _) in zip((0.95, 0.87), groups.values(), looks, strict=True):
        arrows_at_edges(ax, values, y, color=color)
    ax.set_xlabel(RHO)
    ax.set_ylabel("density")
    style.legend_above(ax, notes=_infinite(result.ratio[usable]))
    style.tidy(ax)
    return ax


def kernel_density(values: Array, grid: Array) -> tuple[Array, Array]:
    """Compute a Gaussian kernel density on a grid, and half its pointwise 95 % interval.

    Silverman's bandwidth 0.9 min(sd, IQR / 1.34) n^(-1/5), which outliers do not widen.
    The variance at a point is (f integral(K^2) / h - f^2) / n to first order.
    """
    from scipy.stats import gaussian_kde  # noqa: PLC0415 (slow to load)

    n, sd = len(values), float(values.std(ddof=1))
    spread = float(np.subtract(*np.quantile(values, (0.75, 0.25)))) / 1.34
    h = 0.9 * (min(sd, spread) if spread > 0 else sd) * n**-0.2
    density = gaussian_kde(values, bw_method=h / sd)(grid)
    variance = (density / (2 * np.sqrt(np.pi) * h) - density**2) / n
    return density, 1.96 * np.sqrt(np.maximum(variance, 0))


def _drawn(result: NeighborResult) -> tuple[Array, Array]:
    """Return scores, infinite ones too, and ratios of the records that have both."""
    both = np.isfinite(result.ratio) & ~np.isnan(result.score)
    if not np.isfinite(result.score[both]).any():
        raise InvalidInput("result must have a finite ratio and score to draw; it has none")
    return result.score[both], result.ratio[both]


def _bin(ax: Axes, x: float, ratio: Array) -> None:
    mean = ratio.mean()
    low, high = estimate.mean(ratio).interval
    few = len(ratio) < FEW
    ax.errorbar(
        [x],
        [mean],
        yerr=None if few else [[mean - low], [high - mean]],
        fmt="o",
        markersize=3.2,
        color=style.BLUE,
        markerfacecolor="white" if few else style.BLUE,
        ecolor=style.BLUE,
        elinewidth=1.0,
        capsize=2,
    )


def _round_width(width: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9)))


def _infinite(ratio: Array) -> list[str]:
    count = np.count_nonzero(np.isinf(ratio))
    return [f"{count:,} with infinite ratio, not drawn"] if count else []


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("distance ratios", of="records", order=100, needs=(registry.neighbors,))
def _ratios(neighbors: NeighborResult) -> Drawings:
    shows = "Whether samples are nearer to the records with high scores M: mean of ρ."
    yield "ratio-by-score", style.figure_of(ratio_by_score(neighbors)), shows
    shows = "Density of the distance ratio ρ of the highest by M and of the others."
    yield "ratio-densities", style.figure_of(ratio_densities(neighbors)), shows
