"""What figures of exposure share: the null, the ceiling, levels of insertion, "at least"."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

# Without memorization exposure tends to an exponential distribution with rate ln 2.
NULL_MEAN = 1 / np.log(2)  # 1.4427 bits
NULL_95 = np.log2(20)  # 4.3219 bits: P(exposure >= t) = 2 ** -t
EXPOSURE = "exposure (bits)"
AT_LEAST = "at least this: a lower bound"

# From light to dark as insertions grow, told apart in grey as well; controls are set apart.
_LIGHT_TO_DARK = ("#E69F00", "#D55E00", "#CC4C79", "#56279B", "#0072B2", "#00323F")
_BAND = "#E8E8E8"
_CONTROLS = "#7F7F7F"
_MARKERS = "sDv^Pph*X<>"


def level_looks(insertions: ArrayLike) -> dict[int, dict[str, Any]]:
    """Colour and marker of each level of insertion that occurs, lowest first."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415 (slow to load)

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
    """A level of insertion in words, with its canaries."""
    if level == 0:
        return f"never inserted ({canaries:,})"
    times = "once" if level == 1 else f"{level:,} times"
    return f"{times} ({canaries:,})"


def draw_null(ax: "Axes", *, across: bool = False) -> list[Any]:
    """The band in which 95 % of the secrets lie that the model has never seen, and their mean.

    Exposure is the vertical axis, or the one across.
    """
    span, line = (ax.axvspan, ax.axvline) if across else (ax.axhspan, ax.axhline)
    look: dict[str, Any] = {"color": style.GREY, "linewidth": 0.9, "linestyle": (0, (1, 1.2))}
    mean = f"their mean, {NULL_MEAN:.2f} bits"
    return [
        span(0, NULL_95, color=_BAND, linewidth=0, zorder=0, label="95 % of secrets never seen"),
        line(NULL_MEAN, zorder=1, label=mean, **look),
    ]


def draw_ceiling(ax: "Axes", maximum: float | None, *, across: bool = False) -> list[Any]:
    """The highest exposure that a secret can have, where it is known."""
    if maximum is None or np.isnan(maximum):
        return []
    line = ax.axvline if across else ax.axhline
    look: dict[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": (0, (6, 2))}
    return [line(maximum, zorder=1, label=f"ceiling, log₂|R| = {maximum:.1f} bits", **look)]


def at_least_key(**look: Any) -> Any:
    """The key of a mark that says: the true exposure is this or more."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 (slow to load)

    return Line2D([], [], label=AT_LEAST, **{**at_least(style.GREY), **look})


def at_least(color: Any) -> dict[str, Any]:
    """The look of a lower bound: a hollow triangle that points up."""
    return {
        "linestyle": "none",
        "marker": "^",
        "markersize": 5,
        "markerfacecolor": "white",
        "markeredgecolor": color,
        "markeredgewidth": 0.9,
    }


def spans(bits: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Ends of intervals as drawn: one that is unknown or infinite ends at its point."""
    return (
        np.where(np.isfinite(low), low, bits),
        np.where(np.isfinite(high), high, bits),
    )


def limits(values: Iterable[ArrayLike], maximum: float | None) -> tuple[float, float]:
    """Ends of an axis of exposures: the null band, the ceiling and all finite values in it."""
    known = np.concatenate([np.ravel(np.asarray(value, np.float64)) for value in values])
    known = known[np.isfinite(known)]
    ceiling = [] if maximum is None or np.isnan(maximum) else [maximum]
    top = max([NULL_95, *ceiling, *known])
    return min([0.0, *known]) - 0.03 * top, 1.05 * top


def checked(
    name: str, array: ArrayLike | None, shape: tuple[int, ...], missing: Any = np.nan
) -> NDArray[Any]:
    """An array of the shape expected; one of missing values where none is given."""
    if array is None:
        return np.full(shape, missing)
    found = np.asarray(array)
    if found.shape != shape:
        raise InvalidInput(f"{name} must have shape {shape}; got {found.shape}")
    return found
