"""Recitation of windows by the number of other texts that share them: memorized or predictable."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from byrote.errors import InvalidInput
from byrote.report.figures import style
from byrote.stats.estimate import Estimate

_APART = 0.06  # of a step, between the intervals of two series


@dataclass(frozen=True)
class SharedRecitation:
    """Recitation of windows that a given number of other texts share.

    Attributes
    ----------
    others
        Number of the other texts, or a range of numbers, in words.
    windows
        Number of windows.
    memorized, predictable
        Shares of them recited with their text in training: not without it, and also without it.
    bits_in, bits_out
        Bits per token of the suffix, with the text in training and without.
    """

    others: str
    windows: int
    memorized: Estimate
    predictable: Estimate
    bits_in: Estimate
    bits_out: Estimate


def recitation_by_sharing(levels: Sequence[SharedRecitation]) -> Figure:
    """Draw what is memorized and what is predictable by the number of texts that share a window.

    Intervals are those of the estimates. Hollow marks are of models that did not train on the text.

    Parameters
    ----------
    levels
        One for each number of other texts, ascending.

    Raises
    ------
    InvalidInput
        If there is no level.

    Examples
    --------
    >>> known = Estimate(0.5, 0.3, 0.7)
    >>> figure = recitation_by_sharing([SharedRecitation("0", 9, known, known, known, known)])
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['windows', 'bits per token of the suffix']
    """
    if not levels:
        raise InvalidInput("levels must hold at least one number of other texts; got none")
    figure = style.new_figure(
        style.DOUBLE, 3.0, "Recitation by number of other texts with the suffix"
    )
    left, right = figure.subplots(1, 2)
    x = np.arange(len(levels))
    looks = {"memorized": (style.VERMILION, "o"), "predictable": (style.BLUE, "s")}
    for place, (name, (color, marker)) in enumerate(looks.items()):
        shares = [getattr(level, name) for level in levels]
        shift = _APART * (2 * place - 1)
        style.draw_estimates(left, x + shift, shares, color=color, marker=marker, label=name)
    for shift, name in ((-_APART, "bits_in"), (_APART, "bits_out")):
        bits = [getattr(level, name) for level in levels]
        style.draw_estimates(right, x + shift, bits, color=style.GREY, hollow=name == "bits_out")
    left.set_ylim(-0.03, 1.03)
    left.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    right.set_yscale("log")  # from a hundredth of a bit to ten
    right.yaxis.set_major_formatter(FuncFormatter(lambda bits, _: f"{bits:g}"))
    left.set_ylabel("windows")
    right.set_ylabel("bits per token of the suffix")
    style.legend_above(left)
    style.legend_above(right, handles=style.side_keys())
    for ax in (left, right):
        ax.set_xticks(x, [f"{level.others}\n({level.windows:,})" for level in levels])
        ax.set_xlabel("other texts with the suffix (number of windows)")
        style.tidy(ax)
    return figure
