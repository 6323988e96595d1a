"""Exposure and test loss by the privacy that a model was trained with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import marks, style
from byrote.scores.exposure.levels import mean_exposure
from byrote.stats.estimate import mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
_FAR = 1.5  # decades from the largest epsilon to the models trained without privacy
_STEP = 1.2  # decades between two models at one place
_LEVEL = 0.16  # decades between levels of one model


@dataclass(frozen=True, eq=False)
class PrivateModel:
    """A model that was trained with some privacy, or none.

    epsilon: what its accountant says was spent; inf without privacy. test_loss: (F,) of its fits,
    nats per token. insertions, bits, saturated, secrets: (n,) of every canary in every fit;
    secrets are the canaries' names.
    """

    name: str
    epsilon: float
    test_loss: Array
    insertions: NDArray[np.int64]
    bits: Array
    saturated: NDArray[np.bool_]
    secrets: NDArray[Any]


@dataclass(frozen=True)
class PublishedModel:
    """A row of a published table: epsilon (inf without privacy), test loss, exposure.

    Without privacy it stands with the model of its name, if there is one.
    """

    epsilon: float
    test_loss: float
    exposure: float
    name: str = ""


def exposure_by_epsilon(
    models: Sequence[PrivateModel],
    *,
    published: Sequence[PublishedModel] = (),
    maximum: float | None = None,
) -> "Figure":
    """Exposure, and below it the test loss, against epsilon; models without privacy at the right.

    A small point is a canary, a large one the mean of a level of insertion with Student's 95 %
    interval; hollow triangles are lower bounds. Hollow squares are published values, of other data.
    The axis ends where exposures must, not where the interval of a mean of few does.

    Parameters
    ----------
    models
        At least one.
    published
        To draw beside.
    maximum
        log2 of the number of candidates.

    Raises
    ------
    InvalidInput
        If there is no model, or an epsilon is not above 0.

    Examples
    --------
    >>> one = PrivateModel("strict", 1.0, np.array([1.9]), np.array([0, 4]), np.array([1.0, 2.0]),
    ...                    np.array([False, False]), np.array(["a", "b"]))
    >>> figure = exposure_by_epsilon([one], maximum=29.9)
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['exposure (bits)', 'test loss (nats per token)']
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    everything: list[PrivateModel | PublishedModel] = [*models, *published]
    _check(models, everything)
    places, none = _places(models, everything)
    figure = Figure(figsize=(style.DOUBLE, 4.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    looks = marks.level_looks(np.concatenate([one.insertions for one in models]))
    reach: list[Any] = [one.exposure for one in published]
    for one, x in zip(models, places, strict=True):
        reach += [np.clip(each, 0, maximum) for each in _exposures(above, one, x, looks)]
        _losses(below, one, x)
    named = {one.name: x for one, x in zip(models, places, strict=True) if np.isinf(one.epsilon)}
    for row in published:
        x = named.get(row.name, none) if np.isinf(row.epsilon) else np.log10(row.epsilon)
        above.plot([x], [row.exposure], **_PUBLISHED)
        below.plot([x], [row.test_loss], **_PUBLISHED)
    _axes(above, below, models, places, everything, none)
    above.set_ylim(*marks.limits(reach, maximum))
    style.legend_above(above, handles=_keys(above, models, looks, published, maximum))
    figure.suptitle("Exposure and test loss by the privacy spent", fontsize=style.TEXT)
    return figure


def _check(
    models: Sequence[PrivateModel], everything: Sequence[PrivateModel | PublishedModel]
) -> None:
    if not models:
        raise InvalidInput("models must hold at least one; got none")
    for one in everything:
        if not one.epsilon > 0:
            raise InvalidInput(f"epsilon must be above 0, inf without privacy; got {one.epsilon}")


def _places(
    models: Sequence[PrivateModel], everything: Sequence[PrivateModel | PublishedModel]
) -> tuple[list[float], float]:
    """Where each model stands on the axis of log10 epsilon, and where those without privacy do."""
    finite = [np.log10(one.epsilon) for one in everything if np.isfinite(one.epsilon)]
    none = max(finite, default=0.0) + _FAR
    places, count = [], 0
    for one in models:
        if np.isfinite(one.epsilon):
            places.append(float(np.log10(one.epsilon)))
        else:
            places.append(none + _STEP * count)
            count += 1
    return places, none


def _exposures(
    ax: "Axes", one: PrivateModel, x: float, looks: dict[int, dict[str, Any]]
) -> list[Array]:
    """Draw a model's canaries and the means of its levels; returns what the axis must reach."""
    levels = [level for level in looks if (one.insertions == level).any()]
    reach = []
    for place, level in enumerate(levels):
        rows = (one.insertions == level) & ~np.isnan(one.bits)
        bits, bound, look = one.bits[rows], one.saturated[rows], looks[level]
        if not len(bits):
            continue
        at = x + _LEVEL * (place - (len(levels) - 1) / 2)
        ax.plot(np.full(len(bits), at + 0.05), bits, ".", color=look["color"], ms=2.5, alpha=0.5)
        ends = np.array([] if bound.any() else mean_exposure(bits, one.secrets[rows])[1:])
        ax.vlines(at, *(ends if len(ends) else (np.nan, np.nan)), color=look["color"], lw=1.2)
        shape = marks.at_least(look["color"]) if bound.any() else {**look, "linestyle": "none"}
        ax.plot([at], [bits.mean()], **{**shape, "markersize": 5.5}, zorder=4)
        reach += [bits, ends]
    return reach


def _losses(ax: "Axes", one: PrivateModel, x: float) -> None:
    known = one.test_loss[~np.isnan(one.test_loss)]
    if len(known):
        ax.vlines(x, *mean(known).interval, color=style.BLUE, linewidth=1.2)
        ax.plot([x], [known.mean()], **_OWN)


_OWN: dict[str, Any] = {"marker": "o", "markersize": 5, "linestyle": "none", "color": style.BLUE}
_PUBLISHED: dict[str, Any] = {
    "marker": "s",
    "markersize": 4.5,
    "linestyle": "none",
    "markerfacecolor": "white",
    "markeredgecolor": style.GREY,
    "zorder": 2,
}


def _axes(
    above: "Axes",
    below: "Axes",
    models: Sequence[PrivateModel],
    places: list[float],
    everything: Sequence[PrivateModel | PublishedModel],
    none: float,
) -> None:
    finite = [np.log10(one.epsilon) for one in everything if np.isfinite(one.epsilon)]
    low, high = min(finite, default=none), max(finite, default=none)
    decades = np.arange(np.floor(low), np.ceil(high) + 1)
    step = max(1, len(decades) // 6)
    ticks = [(float(at), f"$10^{{{at:.0f}}}$") for at in decades[::step] if low - 1 < at <= high]
    ticks += [
        (x, style.short(one.name, 14))
        for one, x in zip(models, places, strict=True)
        if np.isinf(one.epsilon)
    ] or [(none, "none")]
    below.set_xticks([x for x, _ in ticks], [name for _, name in ticks])
    below.set_xlim(low - 0.6, max([none, *places]) + 0.6)
    below.set_xlabel("epsilon spent; without privacy, at the right")
    below.set_ylabel("test loss (nats per token)")
    above.set_ylabel(marks.EXPOSURE)
    for ax in (above, below):
        if finite:
            ax.axvline(none - _FAR / 2, color="#D0D0D0", linewidth=0.8, zorder=0)
        style.tidy(ax)


def _keys(
    ax: "Axes",
    models: Sequence[PrivateModel],
    looks: dict[int, dict[str, Any]],
    published: Sequence[PublishedModel],
    maximum: float | None,
) -> list[Any]:
    from matplotlib.lines import Line2D  # noqa: PLC0415 (slow to load)

    counts = {level: sum(int((one.insertions == level).sum()) for one in models) for level in looks}
    keys: list[Any] = [
        Line2D([], [], label=marks.level_name(level, counts[level]), linestyle="none", **look)
        for level, look in looks.items()
    ]
    keys += [*marks.draw_null(ax), *marks.draw_ceiling(ax, maximum)]
    if any(one.saturated.any() for one in models):
        keys.append(marks.at_least_key())
    if published:
        keys.append(Line2D([], [], label="published, other data", **_PUBLISHED))
    return keys
