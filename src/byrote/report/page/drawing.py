"""Plots placed in drawings: shapes of SVG at a width in pixels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byrote.report.page.plot import (
    Band,
    Dot,
    Line,
    Mark,
    Note,
    Plot,
    Rule,
    Stack,
    Whisker,
)

WIDE, NARROW = 680.0, 330.0  # pixels: a figure on a desk, and on a telephone
_LETTER = 6.6  # pixels: width of a letter
_DOT, _TIP = 4.0, 5.0  # pixels: radius of a dot, half the height of a whisker's end


@dataclass(frozen=True)
class Shape:
    """An element of SVG with its attributes; ``look`` names its class in the style sheet."""

    tag: str
    attributes: Mapping[str, Any]
    look: str
    text: str = ""


@dataclass(frozen=True)
class Drawn:
    """Shapes that belong together: a mark that is described, and may lead to a record."""

    shapes: tuple[Shape, ...]
    label: str = ""
    href: str = ""


@dataclass(frozen=True)
class Drawing:
    """Shapes within a width and a height, in pixels."""

    width: float
    height: float
    drawn: tuple[Drawn, ...]
    label: str = ""


def drawings(plot: Plot) -> tuple[Drawing, Drawing]:
    """Return a plot as a desk shows it, and as a telephone does."""
    return draw(plot, WIDE), draw(plot, NARROW)


@dataclass(frozen=True)
class _Frame:
    """Where data lie in a drawing."""

    plot: Plot
    left: float
    right: float
    top: float
    bottom: float

    @classmethod
    def of(cls, plot: Plot, width: float) -> "_Frame":
        letters = max((len(text) for _, text in plot.y.ticks), default=0)
        return cls(
            plot,
            left=letters * _LETTER + 12 if letters else 8,
            right=width - 12,
            top=26 if plot.y.title else 10,
            bottom=plot.height - (44 if plot.x.title else 26 if plot.x.ticks else 6),
        )

    def x(self, value: float) -> float:
        return self.plot.x.place(value, self.left, self.right)

    def y(self, value: float) -> float:
        return self.plot.y.place(value, self.bottom, self.top)


def draw(plot: Plot, width: float) -> Drawing:
    """Place a plot in a drawing of this width.

    Examples
    --------
    >>> from byrote.report.page.plot import Axis, Dot, Plot
    >>> axis = Axis.through(0, 4)
    >>> drawing = draw(Plot(axis, axis, (Dot(2, 2, "found", "a record"),)), 330)
    >>> drawing.drawn[-1].label
    'a record'
    """
    frame = _Frame.of(plot, width)
    drawn = [Drawn(tuple(_axes(frame)))]
    drawn += [Drawn(tuple(_shapes(frame, mark)), *_reach(mark)) for mark in plot.marks]
    return Drawing(width, plot.height, tuple(drawn))


def _reach(mark: Mark) -> tuple[str, str]:
    return getattr(mark, "label", ""), getattr(mark, "href", "")


def _axes(frame: _Frame) -> Iterator[Shape]:
    x, y = frame.plot.x, frame.plot.y
    for value, text in y.ticks:
        height = frame.y(value)
        yield line(frame.left, height, frame.right, height, "gridline")
        yield written(frame.left - 7, height + 4, text, "tick", "end")
    ticks = x.ticks
    most = max(2, int((frame.right - frame.left) / (_LETTER * _longest(ticks) + 14)))
    for value, text in ticks[:: -(-len(ticks) // most)] if ticks else ():
        place = frame.x(value)
        yield line(place, frame.bottom, place, frame.bottom + 5, "axis")
        yield written(place, frame.bottom + 17, text, "tick", "middle")
    yield line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    if x.title:
        yield written(frame.right, frame.bottom + 35, x.title, "title", "end")
    if y.title:
        yield written(2, 14, y.title, "title", "start")


def _longest(ticks: Sequence[tuple[float, str]]) -> int:
    return max((len(text) for _, text in ticks), default=1)


def _shapes(frame: _Frame, mark: Mark) -> Iterator[Shape]:
    match mark:
        case Stack():
            yield from _stack(frame, mark)
        case Dot():
            yield _dot(frame.x(mark.x), frame.y(mark.y), mark.look, mark.shape)
        case Whisker():
            yield from _whisker(frame, mark)
        case Line():
            points = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in mark.points)
            yield Shape("polyline", {"points": points}, f"line {mark.look}")
        case Rule():
            yield from _rule(frame, mark)
        case Band():
            top, bottom = frame.y(mark.high), frame.y(mark.low)
            yield rect(frame.left, top, frame.right, bottom, mark.look)
        case Note():
            place, anchor = (frame.right, "end") if mark.right else (frame.left, "start")
            yield written(place, frame.y(mark.y), mark.text, mark.look, anchor)


def _stack(frame: _Frame, stack: Stack) -> Iterator[Shape]:
    left, right = frame.x(stack.left), frame.x(stack.right)
    right = max(left + 1, right - (1 if right - left > 4 else 0))
    base = 0.0
    for height, look in stack.parts:
        if height > 0:
            top = min(frame.y(base + height), frame.y(base) - 1.5)
            yield rect(left, top, right, frame.y(base), f"bar {look}")
        base += height
    yield rect(left, frame.top, right, frame.bottom, "reach")  # all of it can be clicked


def _whisker(frame: _Frame, mark: Whisker) -> Iterator[Shape]:
    height, low, high = frame.y(mark.y), frame.x(mark.low), frame.x(mark.high)
    if low <= high:
        yield line(low, height, high, height, f"whisker {mark.look}")
        for place, end in ((low, mark.low), (high, mark.high)):
            if frame.plot.x.low <= end <= frame.plot.x.high:
                yield line(place, height - _TIP, place, height + _TIP, f"whisker {mark.look}")
            else:
                turn = -6 if place == low and end < frame.plot.x.low else 6
                start, top, bottom = place - turn, height - _TIP, height + _TIP
                path = {"d": f"M{start} {top}L{place} {height}L{start} {bottom}"}
                yield Shape("path", path, f"whisker {mark.look}")
    yield _dot(frame.x(mark.value), height, mark.look, "circle")


def _rule(frame: _Frame, rule: Rule) -> Iterator[Shape]:
    if rule.x is not None:
        place = frame.x(rule.x)
        yield line(place, frame.top, place, frame.bottom, f"rule {rule.look}")
        if rule.text:
            right = place > (frame.left + frame.right) / 2
            shift, anchor = (-5, "end") if right else (5, "start")
            yield written(place + shift, frame.top + 9, rule.text, "note", anchor)
    if rule.y is not None:
        height = frame.y(rule.y)
        yield line(frame.left, height, frame.right, height, f"rule {rule.look}")
        if rule.text:
            yield written(frame.right, height - 5, rule.text, "note", "end")


def _dot(x: float, y: float, look: str, shape: str) -> Shape:
    if shape == "up":
        path = f"M{x - 5} {y + 4}L{x} {y - 5}L{x + 5} {y + 4}Z"
        return Shape("path", {"d": path}, f"dot bound {look}")
    return Shape("circle", {"cx": x, "cy": y, "r": _DOT}, f"dot {look}")


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> Shape:
    """Return a line between two points, in pixels."""
    return Shape("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2}, look)


def rect(left: float, top: float, right: float, bottom: float, look: str) -> Shape:
    """Return a rectangle, in pixels."""
    size = {"width": round(right - left, 1), "height": round(bottom - top, 1)}
    return Shape("rect", {"x": left, "y": top, **size}, look)


def written(x: float, y: float, text: str, look: str, anchor: str) -> Shape:
    """Return text at a point, in pixels."""
    place = {"x": round(x, 1), "y": round(y, 1), "text-anchor": anchor}
    return Shape("text", place, look, text)
