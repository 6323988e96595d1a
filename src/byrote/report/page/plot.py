"""Marks of plots, in the units of their data."""

from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator


@dataclass(frozen=True)
class Axis:
    """Ends of an axis in data units, its title, and ticks with their texts."""

    low: float
    high: float
    title: str = ""
    ticks: tuple[tuple[float, str], ...] = ()

    @classmethod
    def through(cls, low: float, high: float, title: str = "", *, ticks: int = 6) -> "Axis":
        """Make an axis with round ticks between two ends.

        Examples
        --------
        >>> Axis.through(0.0, 10.0).ticks
        ((0.0, '0'), (2.0, '2'), (4.0, '4'), (6.0, '6'), (8.0, '8'), (10.0, '10'))
        """
        if not high > low:
            low, high = low - 0.5, high + 0.5
        places = MaxNLocator(ticks, steps=[1, 2, 5, 10]).tick_values(low, high)
        room = 1e-9 * (high - low)
        inside = [float(p) for p in places if low - room <= p <= high + room]
        return cls(low, high, title, tuple((p, f"{p:,.6g}") for p in inside))


# -- marks, in data units -------------------------------------------------------------------------


@dataclass(frozen=True)
class Stack:
    """Bars on one another between left and right: heights and looks, from the bottom."""

    left: float
    right: float
    parts: tuple[tuple[float, str], ...]
    label: str = ""
    href: str = ""


@dataclass(frozen=True)
class Dot:
    """A point."""

    x: float
    y: float
    look: str
    label: str = ""
    href: str = ""
    shape: str = "circle"  # or "up", a triangle: a lower bound


@dataclass(frozen=True)
class Whisker:
    """A value with the ends of its interval, across; an end that is infinite is an arrow."""

    value: float
    low: float
    high: float
    y: float
    look: str
    label: str = ""


@dataclass(frozen=True)
class Line:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    look: str
    label: str = ""


@dataclass(frozen=True)
class Rule:
    """A straight line through the whole plot, at x or at y, with a text at its end."""

    look: str
    x: float | None = None
    y: float | None = None
    text: str = ""


@dataclass(frozen=True)
class Band:
    """A shaded range of x or of y."""

    low: float
    high: float
    look: str = "band"
    across: bool = False  # of y


@dataclass(frozen=True)
class Note:
    """A text at a height, at the left or the right edge of the plot."""

    y: float
    text: str
    right: bool = False
    look: str = "note"


Mark = Stack | Dot | Whisker | Line | Rule | Band | Note


@dataclass(frozen=True)
class Key:
    """An entry of the legend."""

    look: str
    text: str


@dataclass(frozen=True)
class Plot:
    """Axes and marks in data units; ``height`` in pixels."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    keys: tuple[Key, ...] = ()
    height: float = 260.0
    grid: bool = True
