"""Marks of plots, in the units of their data."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from byrote.stats.estimate import Estimate


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

    def place(self, value: float, start: float, end: float) -> float:
        """Return where a value lies between two pixels; beyond an end, at the end.

        Examples
        --------
        >>> axis = Axis(0.0, 10.0)
        >>> axis.place(2.5, 100, 200), axis.place(11.0, 100, 200)
        (125.0, 200.0)
        """
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(start + share * (end - start), 1)


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
    """A shaded range of y."""

    low: float
    high: float
    look: str = "band"


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


def whiskers(
    x: Axis, reference: Rule, rows: Sequence[tuple[str, str, Estimate]], *, measure: str = ""
) -> Plot:
    """Return a plot of estimates, one below another, beside a reference.

    Parameters
    ----------
    rows
        Name, value as text, and estimate, from the top.
    measure
        What a value is, for its description.
    """
    marks: list[Mark] = [reference]
    for place, (name, text, estimate) in enumerate(reversed(rows)):
        value, (low, high) = estimate.value, estimate.interval
        label = f"{name}: {measure} {text}" if measure else f"{name}: {text}"
        marks += [
            Note(place + 0.42, name),
            Note(place + 0.42, text, right=True),
            Whisker(value, low, high, place, "plain", label),
        ]
    y = Axis(-0.4, len(rows) - 0.2)
    return Plot(x, y, tuple(marks), height=64.0 + 52 * len(rows))
