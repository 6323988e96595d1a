"""Memorization of several configurations side by side: quantiles of the score, and by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote.errors import InvalidInput
from byrote.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 40
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": style.SKY, "marker": "o"},
    {"color": style.BLUE, "marker": "s"},
    {"color": style.VERMILION, "marker": "D"},
    {"color": style.PURPLE, "marker": "^"},
)
_LINE = 0.19  # inches a row


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of a configuration's scores by their level, and those by chance; nats."""

    name: str
    found: Mapping[float, float]
    by_chance: Mapping[float, float]


def quantiles_by_configuration(configurations: Sequence[Quantiles]) -> "Figure":
    """Quantiles of the memorization score M, a row each; ticks where they would be by chance.

    Parameters
    ----------
    configurations
        At most 40, of the same levels, four at most.

    Raises
    ------
    InvalidInput
        If there is none or too many, levels differ or are too many, or a quantile found is not
        finite.

    Examples
    --------
    >>> rows = [Quantiles("plain", {0.5: 1.0, 0.95: 12.0}, {0.5: 0.0, 0.95: 9.0})]
    >>> ax = quantiles_by_configuration(rows).axes[0]
    >>> [text.get_text() for text in ax.get_yticklabels()], ax.get_xlabel()
    (['plain'], 'memorization score M (nats)')
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    levels, count = _checked(configurations), len(configurations)
    size = (style.DOUBLE, 1.2 + _LINE * count)
    figure = Figure(figsize=size, layout="constrained")
    ax = figure.subplots()
    ax.axvline(0, color=style.GREY, linewidth=0.7, linestyle=(0, (1, 1.2)), zorder=1)
    height = np.arange(count)
    _rows(ax, configurations, levels)
    ax.set_yticks(height, [style.short(one.name, 44) for one in configurations])
    ax.set_ylim(count - 0.4, -0.6)
    ax.set_xlabel("memorization score M (nats)")
    figure.suptitle("Memorization, and what of it is chance", fontsize=style.TEXT)
    style.legend_above(ax, handles=[*ax.get_legend_handles_labels()[0], _chance_key()])
    style.tidy(ax)
    return figure


def _rows(ax: "Axes", configurations: Sequence[Quantiles], levels: list[float]) -> None:
    """Points of what was found, ticks of what chance gives."""
    height = np.arange(len(configurations))
    for place, level in enumerate(levels):
        look = {**_LOOKS[place], "linestyle": "none", "markersize": 4.5}
        found = [one.found[level] for one in configurations]
        chance = [one.by_chance.get(level, np.nan) for one in configurations]
        ax.plot(found, height, label=f"{level:.10g} quantile", zorder=3, **look)
        tick = {**look, "marker": "|", "markersize": 9, "markeredgewidth": 1.6}
        ax.plot(chance, height, alpha=0.55, zorder=2, **tick)
    for row, one in enumerate(configurations):
        ends = list(one.found.values())
        ax.hlines(row, min(ends), max(ends), color=style.GREY, linewidth=0.5, alpha=0.6, zorder=1)


def _chance_key() -> Any:
    from matplotlib.lines import Line2D  # noqa: PLC0415 (slow to load)

    look: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": 9}
    label = "the same by chance: values dealt out anew"
    return Line2D([], [], color=style.GREY, markeredgewidth=1.6, label=label, **look)


def _checked(configurations: Sequence[Quantiles]) -> list[float]:
    """The levels of all."""
    if not 1 <= len(configurations) <= _MOST:
        raise InvalidInput(
            f"configurations must be 1 to {_MOST} in number; got {len(configurations)}"
        )
    levels = sorted(configurations[0].found)
    if not 1 <= len(levels) <= len(_LOOKS):
        raise InvalidInput(f"found must have 1 to {len(_LOOKS)} quantiles; got {len(levels)}")
    for one in configurations:
        if sorted(one.found) != levels:
            raise InvalidInput(f"{one.name!r} must have the quantiles of the others, {levels}")
        if not np.isfinite(list(one.found.values())).all():
            raise InvalidInput(f"the quantiles of {one.name!r} must be finite")
    return levels
