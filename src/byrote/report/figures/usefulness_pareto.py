"""What changes of training cost in held-out likelihood and save in memorization."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote.errors import InvalidInput
from byrote.report.figures import frontier, style
from byrote.report.figures.frontier import UNKNOWN, Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE = 20.0  # times the middle loss from which the axis is bent
_ACROSS = "held-out loss above {base} (nats per record)"
_UP = "memorization above {base} (mean_log, nats)"


@dataclass(frozen=True)
class Change:
    """How a configuration differs from what it is compared with; lower is better in both.

    loss: mean -log p of held-out records, nats per record. memorization: mean over records of a
    score, nats. Intervals are NaN where unknown.
    """

    name: str
    loss: float
    memorization: float
    loss_interval: Interval = UNKNOWN
    memorization_interval: Interval = UNKNOWN


def usefulness_pareto(changes: Sequence[Change], *, base: str) -> "Figure":
    """Change of held-out loss against change of memorization, with the Pareto frontier.

    Numbers lead to the names below the axes; what the others are compared with stands at 0, 0. The
    axis of losses is linear near 0 and logarithmic beyond where some are far larger than others.

    Parameters
    ----------
    changes
        At most 39.
    base
        Name of what they are compared with.

    Raises
    ------
    InvalidInput
        If there is none or too many, or a change is not finite.

    Examples
    --------
    >>> changes = [Change("slow", 3.0, -1.0), Change("odd", 1.0, 0.5)]
    >>> figure = usefulness_pareto(changes, base="plain")
    >>> [text.get_text() for text in figure.subfigs[1].texts]
    ['on the Pareto frontier', '1', 'plain', '2', 'slow', 'others', '3', 'odd']
    """
    frontier.check_count(len(changes) and len(changes) + 1)
    for one in changes:
        if not np.isfinite([one.loss, one.memorization]).all():
            raise InvalidInput(
                f"the changes of {one.name!r} must be finite; got {one.loss} and {one.memorization}"
            )
    points = [frontier.Point(base, 0.0, 0.0), *(_point(one) for one in changes)]
    title = "Usefulness against memorization: lower is better"
    return frontier.draw(points, title=title, finish=partial(_finish, points=points, base=base))


def _point(one: Change) -> frontier.Point:
    return frontier.Point(
        name=one.name,
        x=one.loss,
        y=one.memorization,
        x_interval=one.loss_interval,
        y_interval=one.memorization_interval,
    )


def _finish(ax: "Axes", *, points: Sequence[frontier.Point], base: str) -> list[Any]:
    look: dict[str, Any] = {"color": style.GREY, "linewidth": 0.7, "linestyle": (0, (1, 1.2))}
    ax.axhline(0, zorder=1, **look)
    ax.axvline(0, zorder=1, **look)
    sizes = np.abs([one.x for one in points if one.x])
    if len(sizes) and sizes.max() > _WIDE * np.median(sizes):
        ax.set_xscale("symlog", linthresh=float(2 * np.median(sizes)))
    ax.margins(x=0.08, y=0.12)
    ax.set_xlabel(_ACROSS.format(base=style.short(base, 30)))
    ax.set_ylabel(_UP.format(base=style.short(base, 20)))
    return []
