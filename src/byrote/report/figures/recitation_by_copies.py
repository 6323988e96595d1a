"""Recitation by number of copies in training: the share of windows memorized, and their bits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from byrote.errors import InvalidInput
from byrote.report.figures import style
from byrote.stats.estimate import Estimate

_APART = 0.05  # of a doubling, between the intervals of two models


@dataclass(frozen=True)
class RecitationCurve:
    """What a model recites, by number of copies; one estimate for each of ``copies``.

    Attributes
    ----------
    name
        Name of the model.
    copies
        Numbers of copies, ascending.
    memorized
        Share of windows recited with the text in training, and not without.
    bits_in, bits_out
        Bits per token of the suffix, with the text in training and without.
    """

    name: str
    copies: Sequence[int]
    memorized: Sequence[Estimate]
    bits_in: Sequence[Estimate]
    bits_out: Sequence[Estimate]


def recitation_by_copies(curves: Sequence[RecitationCurve]) -> Figure:
    """Draw the share of windows memorized, and bits per token, by number of copies.

    Intervals are those of the estimates. Hollow marks are of models that did not train on the text.

    Parameters
    ----------
    curves
        One for each model.

    Raises
    ------
    InvalidInput
        If there is no curve or too many, or one lacks an estimate for a number of copies.

    Examples
    --------
    >>> known = [Estimate(0.1, 0.0, 0.3), Estimate(0.5, 0.3, 0.7)]
    >>> figure = recitation_by_copies([RecitationCurve("small", [1, 64], known, known, known)])
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['windows memorized', 'bits per token of the suffix']
    """
    style.check_runs("curves", len(curves))
    for curve in curves:
        sizes = {len(curve.copies), *map(len, (curve.memorized, curve.bits_in, curve.bits_out))}
        if len(sizes) > 1:
            raise InvalidInput(
                f"{curve.name!r} must have one estimate for each of {len(curve.copies)} numbers of"
                " copies"
            )
    title = "Recitation by number of copies in training"
    figure = style.new_figure(style.DOUBLE, 3.2, title)
    left, right = figure.subplots(1, 2)
    for place, curve in enumerate(curves):
        x = np.log2(curve.copies) + _APART * (place - (len(curves) - 1) / 2)
        look = {**style.run_style(place), "label": style.short(curve.name, 40)}
        style.draw_estimates(left, x, curve.memorized, **look)
        style.draw_estimates(right, x, curve.bits_in, **look)
        style.draw_estimates(right, x, curve.bits_out, **look, hollow=True)
    left.set_ylim(-0.03, 1.03)
    left.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    right.set_ylim(bottom=0)
    left.set_ylabel("windows memorized")
    right.set_ylabel("bits per token of the suffix")
    style.legend_above(left)
    style.legend_above(right, handles=style.side_keys())
    _finish((left, right), sorted({number for curve in curves for number in curve.copies}))
    return figure


def _finish(axes: Sequence[Axes], copies: Sequence[int]) -> None:
    for ax in axes:
        ax.set_xticks(np.log2(copies), [f"{number:,}" for number in copies])
        ax.set_xlabel("copies in training")
        style.tidy(ax)
