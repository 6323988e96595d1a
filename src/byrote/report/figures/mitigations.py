"""Quantiles of the score by configuration, and memorization by round of pruning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from byrote.errors import InvalidInput
from byrote.report.figures import style

Mean = tuple[float, float, float]  # with the ends of its interval, NaN where unknown
PRUNED, RANDOM = "the most memorized pruned", "as many pruned at random"
_LOOKS: dict[str, dict[str, Any]] = {
    PRUNED: {"color": style.VERMILION, "marker": "o"},
    RANDOM: {"color": style.GREY, "marker": "s", "markerfacecolor": "white"},
}
_APART = 0.09  # rounds between the two of a pair


@dataclass(frozen=True)
class OnionRound:
    """A round on the same records, after pruning and in the control, pruned at random."""

    round: int
    newly_pruned: Mean  # shares of the records that are newly memorized
    newly_random: Mean
    memorization_pruned: Mean  # means of a score, nats
    memorization_random: Mean


def onion(rounds: Sequence[OnionRound], *, newly: str) -> Figure:
    """Draw the share of records newly memorized, and their mean score, by round of pruning.

    Parameters
    ----------
    rounds
        At least one.
    newly
        Label of the share.

    Raises
    ------
    InvalidInput
        If there is no round, or a mean is not finite.

    Examples
    --------
    >>> one = OnionRound(1, (0.04, 0.03, 0.05), (0.03, 0.02, 0.04), (1.2, 1, 1.4), (1.1, 1, 1.2))
    >>> [ax.get_xlabel() for ax in onion([one], newly="newly memorized").axes]
    ['rounds of pruning', 'rounds of pruning']
    """
    _check(rounds)

    title = "Records that both ways of pruning leave, audited again"
    figure = style.new_figure(style.DOUBLE, 3.0, title)
    left, right = figure.subplots(1, 2)
    _pair(left, rounds, "newly")
    left.set_ylabel(newly)
    left.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    left.set_ylim(bottom=0)
    _pair(right, rounds, "memorization")
    right.set_ylabel("mean of mean_log (nats)")
    style.legend_above(left)
    for ax in (left, right):
        ax.set_xticks([each.round for each in rounds])
        ax.set_xlim(rounds[0].round - 0.5, rounds[-1].round + 0.5)
        ax.set_xlabel("rounds of pruning")
        style.tidy(ax)
    return figure


def _pair(ax: Axes, rounds: Sequence[OnionRound], name: str) -> None:
    for side, (label, word) in zip((-1, 1), ((PRUNED, "pruned"), (RANDOM, "random")), strict=True):
        means = np.array([getattr(each, f"{name}_{word}") for each in rounds])
        x = np.array([each.round for each in rounds]) + side * _APART
        look = {**_LOOKS[label], "linestyle": "none", "markersize": 5}
        ax.vlines(x, means[:, 1], means[:, 2], color=look["color"], linewidth=1.2)
        ax.plot(x, means[:, 0], label=label, zorder=3, **look)


def _check(rounds: Sequence[OnionRound]) -> None:
    if not rounds:
        raise InvalidInput("rounds must hold at least one round; got none")
    for each in rounds:
        pruned, random = each.memorization_pruned, each.memorization_random
        means = (each.newly_pruned, each.newly_random, pruned, random)
        if not np.isfinite([mean[0] for mean in means]).all():
            raise InvalidInput(f"the means of round {each.round} must be finite")


# -- quantiles by configuration -------------------------------------------------------------------

_MOST = 40
_LEVEL_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": style.SKY, "marker": "o"},
    {"color": style.BLUE, "marker": "s"},
    {"color": style.ORANGE, "marker": "v"},
    {"color": style.PURPLE, "marker": "^"},
)
_LINE = 0.19  # inches a row


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of a configuration's scores by level, and those by chance; nats."""

    name: str
    values: Mapping[float, float]
    by_chance: Mapping[float, float]


def quantiles_by_configuration(configurations: Sequence[Quantiles]) -> Figure:
    """Draw quantiles of the score M, one row per configuration, with ticks at chance level.

    Parameters
    ----------
    configurations
        At most 40, all with the same quantile levels, at most four. The ticks stand at the values
        expected by chance.

    Raises
    ------
    InvalidInput
        If there are no configurations or too many, levels differ or are too many, or a quantile is
        not finite.

    Examples
    --------
    >>> rows = [Quantiles("plain", {0.5: 1.0, 0.95: 12.0}, {0.5: 0.0, 0.95: 9.0})]
    >>> ax = quantiles_by_configuration(rows).axes[0]
    >>> [text.get_text() for text in ax.get_yticklabels()], ax.get_xlabel()
    (['plain'], 'memorization score M (nats)')
    """
    levels, count = _checked(configurations), len(configurations)
    title = "Memorization, and its quantiles by chance"
    figure = style.new_figure(style.DOUBLE, 1.2 + _LINE * count, title)
    ax = figure.subplots()
    ax.axvline(0, color=style.GREY, linewidth=0.7, linestyle=(0, (1, 1.2)), zorder=1)
    height = np.arange(count)
    _rows(ax, configurations, levels)
    ax.set_yticks(height, [style.short(each.name, 44) for each in configurations])
    ax.set_ylim(count - 0.4, -0.6)
    ax.set_xlabel("memorization score M (nats)")
    style.legend_above(ax, handles=[*ax.get_legend_handles_labels()[0], _chance_key()])
    style.tidy(ax)
    return figure


def _rows(ax: Axes, configurations: Sequence[Quantiles], levels: list[float]) -> None:
    """Draw quantiles as points, and those by chance as ticks."""
    height = np.arange(len(configurations))
    for place, level in enumerate(levels):
        look = {**_LEVEL_LOOKS[place], "linestyle": "none", "markersize": 4.5}
        quantiles = [each.values[level] for each in configurations]
        chance = [each.by_chance.get(level, np.nan) for each in configurations]
        ax.plot(quantiles, height, label=f"{level:.10g} quantile", zorder=3, **look)
        tick = {**look, "marker": "|", "markersize": 9, "markeredgewidth": 1.6}
        ax.plot(chance, height, alpha=0.55, zorder=2, **tick)
    for row, each in enumerate(configurations):
        ends = list(each.values.values())
        ax.hlines(row, min(ends), max(ends), color=style.GREY, linewidth=0.5, alpha=0.6, zorder=1)


def _chance_key() -> Any:
    look: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": 9}
    label = "the same by chance: values permuted"
    return style.key(label, color=style.GREY, markeredgewidth=1.6, **look)


def _checked(configurations: Sequence[Quantiles]) -> list[float]:
    """Check the configurations, and return their common levels."""
    if not 1 <= len(configurations) <= _MOST:
        raise InvalidInput(
            f"configurations must be 1 to {_MOST} in number; got {len(configurations)}"
        )
    levels = sorted(configurations[0].values)
    if not 1 <= len(levels) <= len(_LEVEL_LOOKS):
        raise InvalidInput(
            f"values must have 1 to {len(_LEVEL_LOOKS)} quantiles; got {len(levels)}"
        )
    for each in configurations:
        if sorted(each.values) != levels:
            raise InvalidInput(f"{each.name!r} must have the quantiles of the others, {levels}")
        if not np.isfinite(list(each.values.values())).all():
            raise InvalidInput(f"the quantiles of {each.name!r} must be finite")
    return levels
