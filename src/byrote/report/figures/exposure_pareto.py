"""What configurations cost in perplexity and in exposure: the Pareto frontier."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote.errors import InvalidInput
from byrote.report.figures import frontier, marks
from byrote.report.figures.frontier import UNKNOWN, Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE = 5.0  # times between the lowest and highest perplexity from which its axis is logarithmic


@dataclass(frozen=True)
class Configuration:
    """A model that was trained: how useful it is and how much it memorized.

    perplexity: on the test text. exposure: bits. Intervals are NaN where unknown. saturated:
    whether the exposure is a lower bound.
    """

    name: str
    perplexity: float
    exposure: float
    perplexity_interval: Interval = UNKNOWN
    exposure_interval: Interval = UNKNOWN
    saturated: bool = False


def exposure_pareto(
    configurations: Sequence[Configuration], *, maximum: float | None = None
) -> "Figure":
    """Test perplexity against exposure of each configuration, as in the post's first figure.

    Lower is better in both. The numbers lead to the names below the axes, the frontier first, by
    rising perplexity; nothing is both more useful and less exposed than its members.

    Parameters
    ----------
    configurations
        At most 40.
    maximum
        log2 of the number of candidates.

    Raises
    ------
    InvalidInput
        If there is none or too many, or a perplexity is not a number above 0 or an exposure not
        finite.

    Examples
    --------
    >>> models = [Configuration("small", 4.0, 3.0), Configuration("large", 3.0, 12.0),
    ...           Configuration("worse", 4.2, 9.0)]
    >>> figure = exposure_pareto(models)
    >>> [text.get_text() for text in figure.subfigs[1].texts]
    ['on the Pareto frontier', '1', 'large', '2', 'small', 'others', '3', 'worse']
    """
    _check(configurations)
    points = [_point(one) for one in configurations]
    title = "Usefulness against memorization: lower is better"
    finish = partial(_finish, configurations=configurations, maximum=maximum)
    return frontier.draw(points, title=title, finish=finish)


def _check(configurations: Sequence[Configuration]) -> None:
    frontier.check_count(len(configurations))
    for one in configurations:
        if not 0 < one.perplexity < np.inf:
            raise InvalidInput(
                f"the perplexity of {one.name!r} must be a number above 0; got {one.perplexity}"
            )
        if not np.isfinite(one.exposure):
            raise InvalidInput(f"the exposure of {one.name!r} must be finite; got {one.exposure}")


def _point(one: Configuration) -> frontier.Point:
    return frontier.Point(
        name=one.name,
        x=one.perplexity,
        y=one.exposure,
        x_interval=one.perplexity_interval,
        y_interval=one.exposure_interval,
        bound=one.saturated,
    )


def _finish(
    ax: "Axes", *, configurations: Sequence[Configuration], maximum: float | None
) -> list[Any]:
    """Scales and labels; keys of the null and the ceiling."""
    _scales(ax, configurations, maximum)
    return [*marks.draw_null(ax), *marks.draw_ceiling(ax, maximum)]


def _scales(ax: "Axes", configurations: Sequence[Configuration], maximum: float | None) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter  # noqa: PLC0415

    x = [[one.perplexity, *one.perplexity_interval] for one in configurations]
    y = [[one.exposure, *one.exposure_interval] for one in configurations]
    low, high = np.nanmin(x), np.nanmax(x)
    if low > 0 and high > _WIDE * low:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.margins(x=0.08)
    ax.set_ylim(*marks.limits(y, maximum))
    ax.set_xlabel("test perplexity (per token)")
    ax.set_ylabel(marks.EXPOSURE)
