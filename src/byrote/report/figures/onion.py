"""What pruning brings to light: records newly memorized, round by round, beside a control."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote.errors import InvalidInput
from byrote.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Mean = tuple[float, float, float]  # with the ends of its interval, NaN where unknown
PRUNED, RANDOM = "the most memorized pruned", "as many pruned at random"
_LOOKS: dict[str, dict[str, Any]] = {
    PRUNED: {"color": style.VERMILION, "marker": "o"},
    RANDOM: {"color": style.GREY, "marker": "s", "markerfacecolor": "white"},
}
_APART = 0.09  # rounds between the two of a pair


@dataclass(frozen=True)
class Peeled:
    """A round on the same records, after pruning and in the control.

    newly: shares of the records that are newly memorized. memorization: means of a score, nats.
    """

    round: int
    newly_pruned: Mean
    newly_random: Mean
    memorization_pruned: Mean
    memorization_random: Mean


def onion(rounds: Sequence[Peeled], *, newly: str) -> "Figure":
    """Share of records newly memorized, and their mean score, by round of pruning.

    Parameters
    ----------
    rounds
        At least one.
    newly
        What the share is of, in a few words.

    Raises
    ------
    InvalidInput
        If there is no round, or a mean is not finite.

    Examples
    --------
    >>> one = Peeled(1, (0.04, 0.03, 0.05), (0.03, 0.02, 0.04), (1.2, 1, 1.4), (1.1, 1, 1.2))
    >>> [ax.get_xlabel() for ax in onion([one], newly="newly memorized").axes]
    ['rounds of pruning', 'rounds of pruning']
    """
    _check(rounds)
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    figure = Figure(figsize=(style.DOUBLE, 3.0), layout="constrained")
    title = "Records that both ways of pruning leave, audited again"
    figure.suptitle(title, fontsize=style.TEXT)
    left, right = figure.subplots(1, 2)
    _pair(left, rounds, "newly")
    left.set_ylabel(newly)
    left.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    left.set_ylim(bottom=0)
    _pair(right, rounds, "memorization")
    right.set_ylabel("mean of mean_log (nats)")
    style.legend_above(left)
    for ax in (left, right):
        ax.set_xticks([one.round for one in rounds])
        ax.set_xlim(rounds[0].round - 0.5, rounds[-1].round + 0.5)
        ax.set_xlabel("rounds of pruning")
        style.tidy(ax)
    return figure


def _pair(ax: "Axes", rounds: Sequence[Peeled], name: str) -> None:
    for side, (label, word) in zip((-1, 1), ((PRUNED, "pruned"), (RANDOM, "random")), strict=True):
        found = np.array([getattr(one, f"{name}_{word}") for one in rounds])
        x = np.array([one.round for one in rounds]) + side * _APART
        look = {**_LOOKS[label], "linestyle": "none", "markersize": 5}
        ax.vlines(x, found[:, 1], found[:, 2], color=look["color"], linewidth=1.2)
        ax.plot(x, found[:, 0], label=label, zorder=3, **look)


def _check(rounds: Sequence[Peeled]) -> None:
    if not rounds:
        raise InvalidInput("rounds must hold at least one; got none")
    for one in rounds:
        means = (
            one.newly_pruned,
            one.newly_random,
            one.memorization_pruned,
            one.memorization_random,
        )
        if not np.isfinite([mean[0] for mean in means]).all():
            raise InvalidInput(f"the means of round {one.round} must be finite")
