"""Exposure and test loss by epsilon."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import exposure_marks as marks
from byrote.report.figures import style
from byrote.scores.exposure.levels import mean_exposure
from byrote.stats.estimate import mean

Array = NDArray[np.float64]
_FAR = 1.5  # decades from the largest epsilon to the models trained without privacy
_STEP = 1.2  # decades between two models at one place
_LEVEL = 0.16  # decades between levels of one model


@dataclass(frozen=True, eq=False)
class PrivateModel:
    """A model trained with or without privacy; n canaries in all fits."""

    name: str
    epsilon: float  # by its accountant; inf without privacy
    test_loss: Array  # (F,) of its fits, nats per token
    insertions: NDArray[np.int64]  # (n,)
    bits: Array  # (n,)
    saturated: NDArray[np.bool_]  # (n,)
    secrets: NDArray[Any]  # (n,) names of the canaries


@dataclass(frozen=True)
class PublishedModel:
    """A row of a published table; without privacy it is drawn at the model of its name, if any."""

    epsilon: float
    test_loss: float
    exposure: float
    name: str = ""


def exposure_by_epsilon(
    models: Sequence[PrivateModel],
    *,
    published: Sequence[PublishedModel] = (),
    maximum: float | None = None,
) -> Figure:
    """Draw exposure, and below it the test loss, by epsilon; models without privacy at the right.

    A small point is a canary, a large one the mean of a level of insertion with Student's 95 %
    interval, with arrows and the values of ends beyond the axis; hollow triangles are lower bounds,
    hollow squares published values of other data.

    Parameters
    ----------
    models
        At least one.
    published
        Published values to draw next to them.
    maximum
        log2 of the number of candidates.

    Raises
    ------
    InvalidInput
        If there is no model, or an epsilon is not above 0.

    Examples
    --------
    >>> model = PrivateModel(
    ...     "strict", 1.0, np.array([1.9]), np.array([0, 4]), np.array([1.0, 2.0]),
    ...     np.array([False, False]), np.array(["a", "b"]))
    >>> figure = exposure_by_epsilon([model], maximum=29.9)
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['exposure (bits)', 'test loss (nats per token)']
    """
    epsilons = _check([*models, *published])
    places, none = _places(models, epsilons)
    figure = style.new_figure(style.DOUBLE, 4.8, "Exposure and test loss by the privacy spent")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    looks = marks.level_looks(np.concatenate([model.insertions for model in models]))
    reach: list[Any] = [row.exposure for row in published]
    named = {}
    for model, x in zip(models, places, strict=True):
        reach += _exposures(above, model, x, looks, maximum)
        _losses(below, model, x)
        if np.isinf(model.epsilon):
            named[model.name] = x
    for row in published:
        x = named.get(row.name, none) if np.isinf(row.epsilon) else np.log10(row.epsilon)
        above.plot([x], [row.exposure], **_PUBLISHED)
        below.plot([x], [row.test_loss], **_PUBLISHED)
    _axes(above, below, models, places, epsilons, none)
    above.set_ylim(*marks.limits(reach, maximum))
    style.legend_above(above, handles=_keys(above, models, looks, published, maximum))
    return figure


def _check(rows: Sequence[PrivateModel | PublishedModel]) -> Array:
    """Return log10 of the finite epsilons."""
    if not any(isinstance(row, PrivateModel) for row in rows):
        raise InvalidInput("models must hold at least one model; got none")
    for row in rows:
        if not row.epsilon > 0:
            raise InvalidInput(f"epsilon must be above 0, inf without privacy; got {row.epsilon}")
    return np.log10([row.epsilon for row in rows if np.isfinite(row.epsilon)])


def _places(models: Sequence[PrivateModel], epsilons: Array) -> tuple[list[float], float]:
    """Return each model's place on the axis of log10 epsilon, and that of no privacy."""
    none = max(epsilons, default=0.0) + _FAR
    places, count = [], 0
    for model in models:
        if np.isfinite(model.epsilon):
            places.append(float(np.log10(model.epsilon)))
        else:
            places.append(none + _STEP * count)
            count += 1
    return places, none


def _exposures(
    ax: Axes,
    model: PrivateModel,
    x: float,
    looks: dict[int, dict[str, Any]],
    maximum: float | None,
) -> list[Array]:
    """Draw canaries and means of the levels of a model; return the exposures and the intervals."""
    levels = [level for level in looks if (model.insertions == level).any()]
    drawn = []
    for place, level in enumerate(levels):
        rows = (model.insertions == level) & ~np.isnan(model.bits)
        bits, bound, look = model.bits[rows], model.saturated[rows], looks[level]
        if not len(bits):
            continue
        at = x + _LEVEL * (place - (len(levels) - 1) / 2)
        ax.plot(np.full(len(bits), at + 0.05), bits, ".", color=look["color"], ms=2.5, alpha=0.5)
        if not bound.any():
            most = np.nan if maximum is None else maximum
            mean = mean_exposure(bits, model.secrets[rows], maximum=most)
            ends = np.array(mean.interval)
            ax.vlines(at, *ends, color=look["color"], lw=1.2)
            drawn.append(ends)
        shape = marks.at_least(look["color"]) if bound.any() else {**look, "linestyle": "none"}
        ax.plot([at], [bits.mean()], **{**shape, "markersize": 5.5}, zorder=4)
        drawn.append(bits)
    return drawn


def _losses(ax: Axes, model: PrivateModel, x: float) -> None:
    known = model.test_loss[~np.isnan(model.test_loss)]
    if len(known):
        ax.vlines(x, *mean(known).interval, color=style.BLUE, linewidth=1.2)
        ax.plot([x], [known.mean()], **_LOSS)


_LOSS: dict[str, Any] = {"marker": "o", "markersize": 5, "linestyle": "none", "color": style.BLUE}
_PUBLISHED: dict[str, Any] = {
    "marker": "s",
    "markersize": 4.5,
    "linestyle": "none",
    "markerfacecolor": "white",
    "markeredgecolor": style.GREY,
    "zorder": 2,
}


def _axes(
    above: Axes,
    below: Axes,
    models: Sequence[PrivateModel],
    places: list[float],
    epsilons: Array,
    none: float,
) -> None:
    low, high = min(epsilons, default=none), max(epsilons, default=none)
    decades = np.arange(np.floor(low), np.ceil(high) + 1)
    step = max(1, len(decades) // 6)
    ticks = [(float(at), f"$10^{{{at:.0f}}}$") for at in decades[::step] if low - 1 < at <= high]
    ticks += [
        (x, style.short(model.name, 14))
        for model, x in zip(models, places, strict=True)
        if np.isinf(model.epsilon)
    ] or [(none, "none")]
    below.set_xticks([x for x, _ in ticks], [name for _, name in ticks])
    below.set_xlim(low - 0.6, max([none, *places]) + 0.6)
    below.set_xlabel("epsilon spent; without privacy, at the right")
    below.set_ylabel("test loss (nats per token)")
    above.set_ylabel(marks.EXPOSURE)
    for ax in (above, below):
        if len(epsilons):
            ax.axvline(none - _FAR / 2, color="#D0D0D0", linewidth=0.8, zorder=0)
        style.tidy(ax)


def _keys(
    ax: Axes,
    models: Sequence[PrivateModel],
    looks: dict[int, dict[str, Any]],
    published: Sequence[PublishedModel],
    maximum: float | None,
) -> list[Any]:
    counts = {
        level: sum(int((each.insertions == level).sum()) for each in models) for level in looks
    }
    keys: list[Any] = [
        style.key(marks.level_name(level, counts[level]), linestyle="none", **look)
        for level, look in looks.items()
    ]
    keys += [*marks.draw_null(ax), *marks.draw_ceiling(ax, maximum)]
    if any(model.saturated.any() for model in models):
        keys.append(marks.at_least_key())
    if published:
        keys.append(style.key("published, other data", **_PUBLISHED))
    return keys
