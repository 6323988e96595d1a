"""What samples copy, beside what the density memorizes, by configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from byrote.errors import InvalidInput
from byrote.report.figures import style
from byrote.stats.estimate import Estimate

_MOST, _MEASURES = 12, 3
_LOOKS: tuple[tuple[str, str], ...] = (
    (style.BLUE, "o"),
    (style.VERMILION, "s"),
    (style.GREEN, "^"),
)
_HOLLOW: dict[str, Any] = {"markersize": 7.0, "markerfacecolor": "white"}
_APART = 0.2  # rows between the measures of a configuration


@dataclass(frozen=True)
class Copying:
    """A configuration: shares of samples that copy, by measure, with their controls; mean score.

    shares: of training records. controls: of records held out. memorization: nats.
    """

    name: str
    shares: Mapping[str, Estimate]
    controls: Mapping[str, Estimate]
    memorization: Estimate


def copies_by_configuration(configurations: Sequence[Copying]) -> Figure:
    """Draw shares of samples that copy records, and the mean score, one row per configuration.

    Filled marks are of training records, hollow ones of held-out records: the control.

    Parameters
    ----------
    configurations
        At most 12, with the same measures, at most three.

    Raises
    ------
    InvalidInput
        If there are no configurations or too many, measures differ or are too many, or a share is
        not finite.

    Examples
    --------
    >>> none = {"ratio": Estimate(0.0, 0.0, 0.02)}
    >>> one = Copying("8 images", {"ratio": Estimate(0.8, 0.7, 0.9)}, none, Estimate(90.0, 80, 100))
    >>> [ax.get_xlabel() for ax in copies_by_configuration([one]).axes]
    ['samples that copy an image', 'mean of mean_log (nats)']
    """
    measures = _checked(configurations)
    height = np.arange(len(configurations))
    title = "What samples copy, and what the density memorizes"
    figure = style.new_figure(style.DOUBLE, 1.3 + 0.34 * len(configurations), title)
    left, right = figure.subplots(1, 2, sharey=True)
    for place, measure in enumerate(measures):
        rows = height + _APART * (place - (len(measures) - 1) / 2)
        color, marker = _LOOKS[place]
        shares = [each.shares[measure] for each in configurations]
        controls = [each.controls[measure] for each in configurations]
        _marks(left, rows, controls, color, **_HOLLOW, marker=marker)
        _marks(left, rows, shares, color, marker=marker, label=measure)
    left.set_xlim(-0.03, 1.03)
    left.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    left.set_xlabel("samples that copy an image")
    scores = [each.memorization for each in configurations]
    _marks(right, height, scores, style.GREY, marker="D")
    right.axvline(0, color=style.GREY, linewidth=0.7, linestyle=(0, (1, 1.2)), zorder=1)
    right.set_xlabel("mean of mean_log (nats)")
    left.set_yticks(height, [style.short(each.name, 30) for each in configurations])
    left.set_ylim(len(configurations) - 0.4, -0.6)
    keys = [*left.get_legend_handles_labels()[0], _control_key()]
    style.legend_above(left, handles=keys)
    for ax in (left, right):
        style.tidy(ax)
    return figure


def _marks(ax: Axes, rows: Any, estimates: Sequence[Estimate], color: str, **look: Any) -> None:
    """Draw estimates with their intervals, those that are known."""
    values, low, high = np.array([[each.value, *each.interval] for each in estimates]).T
    ax.hlines(rows, low, high, color=color, linewidth=1.1, alpha=0.8)
    ax.plot(values, rows, **{"color": color, "linestyle": "none", "markersize": 4.5, **look})


def _control_key() -> Any:
    look: dict[str, Any] = {**_HOLLOW, "linestyle": "none", "marker": "o", "color": style.GREY}
    return style.key("hollow: of held-out images", **look)


def _checked(configurations: Sequence[Copying]) -> list[str]:
    """Check the configurations, and return their common measures."""
    if not 1 <= len(configurations) <= _MOST:
        raise InvalidInput(
            f"configurations must be 1 to {_MOST} in number; got {len(configurations)}"
        )
    measures = list(configurations[0].shares)
    if not 1 <= len(measures) <= _MEASURES:
        raise InvalidInput(f"shares must have 1 to {_MEASURES} measures; got {len(measures)}")
    for each in configurations:
        if list(each.shares) != measures or list(each.controls) != measures:
            raise InvalidInput(f"{each.name!r} must have the measures of the others, {measures}")
        shares = [share.value for share in (*each.shares.values(), *each.controls.values())]
        if not np.isfinite(shares).all():
            raise InvalidInput(f"the shares of {each.name!r} must be finite")
    return measures
