"""Marks of exposure: the null and the ceiling, levels of insertion, lower bounds."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import style
from byrote.scores.exposure.levels import NULL_MEAN

Array = NDArray[np.float64]

NULL_95 = np.log2(20)  # 4.3219 bits: without memorization, P(exposure >= t) = 2 ** -t
EXPOSURE = "exposure (bits)"
AT_LEAST = "at least this: a lower bound"

# From light to dark as insertions grow, distinct in grey as well; controls are grey.
_LIGHT_TO_DARK = ("#E69F00", "#D55E00", "#CC4C79", "#56279B", "#0072B2", "#00323F")
_BAND = "#E8E8E8"
_CONTROLS = "#7F7F7F"
_MARKERS = "sDv^Pph*X<>"


def level_looks(insertions: ArrayLike) -> dict[int, dict[str, Any]]:
    """Return colour and marker of each level of insertion, lowest first."""
    levels = np.unique(np.asarray(insertions)).tolist()
    inserted = [level for level in levels if level > 0]
    scale = LinearSegmentedColormap.from_list("levels", _LIGHT_TO_DARK)
    shades = np.linspace(0, 1, max(len(inserted), 2))
    looks = {level: {"color": _CONTROLS, "marker": "o"} for level in levels if level == 0}
    for place, level in enumerate(inserted):
        marker = _MARKERS[place % len(_MARKERS)]
        looks[level] = {"color": scale(shades[place]), "marker": marker}
    return looks


def level_name(level: int, canaries: int) -> str:
    """Name a level of insertion, with its number of canaries."""
    if level == 0:
        return f"never inserted ({canaries:,})"
    times = "once" if level == 1 else f"{level:,} times"
    return f"{times} ({canaries:,})"


def draw_null(ax: Axes, *, across: bool = False) -> list[Any]:
    """Draw the range of 95 % of the secrets never inserted, and their mean; return their keys.

    Exposure is the vertical axis, or the horizontal one (``across``).
    """
    span, line = (ax.axvspan, ax.axvline) if across else (ax.axhspan, ax.axhline)
    look: dict[str, Any] = {"color": style.GREY, "linewidth": 0.9, "linestyle": (0, (1, 1.2))}
    mean = f"their mean, {NULL_MEAN:.2f} bits"
    return [
        span(
            0, NULL_95, color=_BAND, linewidth=0, zorder=0, label="95 % of secrets never inserted"
        ),
        line(NULL_MEAN, zorder=1, label=mean, **look),
    ]


def draw_ceiling(ax: Axes, maximum: float | None, *, across: bool = False) -> list[Any]:
    """Draw the highest possible exposure, if known; return its key."""
    if maximum is None or np.isnan(maximum):
        return []
    line = ax.axvline if across else ax.axhline
    look: dict[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": (0, (6, 2))}
    return [line(maximum, zorder=1, label=f"ceiling, log₂|R| = {maximum:.1f} bits", **look)]


def at_least_key(**look: Any) -> Any:
    """Return the key of a lower bound."""
    return style.key(AT_LEAST, **{**at_least(style.GREY), **look})


def at_least(color: Any) -> dict[str, Any]:
    """Return the style of a lower bound, a hollow triangle that points up."""
    return {
        "linestyle": "none",
        "marker": "^",
        "markersize": 5,
        "markerfacecolor": "white",
        "markeredgecolor": color,
        "markeredgewidth": 0.9,
    }


def spans(bits: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Replace unknown or infinite ends of intervals by the estimates."""
    return (
        np.where(np.isfinite(low), low, bits),
        np.where(np.isfinite(high), high, bits),
    )


def limits(values: Iterable[ArrayLike], maximum: float | None) -> tuple[float, float]:
    """Return limits of an axis that include the null, the ceiling and all finite values."""
    known = np.concatenate([np.ravel(np.asarray(value, np.float64)) for value in values])
    known = known[np.isfinite(known)]
    ceiling = [] if maximum is None or np.isnan(maximum) else [maximum]
    top = max([NULL_95, *ceiling, *known])
    return min([0.0, *known]) - 0.03 * top, 1.05 * top


def checked(
    name: str, array: ArrayLike | None, shape: tuple[int, ...], missing: Any = np.nan
) -> NDArray[Any]:
    """Check the shape of an array; return missing values if it is None."""
    if array is None:
        return np.full(shape, missing)
    result = np.asarray(array)
    if result.shape != shape:
        raise InvalidInput(f"{name} must have shape {shape}; got {result.shape}")
    return result


def highest(maximum: ArrayLike) -> float | None:
    """Return the highest ceiling; None if unknown."""
    values = np.asarray(maximum, np.float64)
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else None


def mean_known(values: Array) -> Array:
    """Return the mean over rows of the values that are not NaN; NaN if there are none."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=0) / known.sum(axis=0))
