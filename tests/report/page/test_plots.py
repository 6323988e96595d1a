"""Plots: marks stand within their drawing, in the order of their values, at any width."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byrote.report.page.drawing import NARROW, WIDE, draw
from byrote.report.page.plot import Axis, Dot, Plot, Rule, Stack, Whisker

numbers = st.floats(-1e6, 1e6)


@given(low=numbers, span=st.floats(1e-6, 1e6))
def test_ticks_are_within_the_axis_and_evenly_spaced(low, span):
    axis = Axis.through(low, low + span)
    places = np.array([place for place, _ in axis.ticks])
    assert axis.high > axis.low
    assert (places >= axis.low - 1e-6 * span).all()
    assert (places <= axis.high + 1e-6 * span).all()
    if len(places) > 2:
        np.testing.assert_allclose(np.diff(places, n=2), 0, atol=1e-6 * (span + abs(low)))


def test_an_axis_of_one_value_has_room():
    assert Axis.through(3.0, 3.0).low < 3.0 < Axis.through(3.0, 3.0).high


@pytest.mark.parametrize("width", [NARROW, WIDE])
@given(values=st.lists(numbers, min_size=2, max_size=8))
def test_dots_stand_within_the_drawing_and_keep_their_order(width, values):
    axis = Axis.through(min(values), max(values), "value")
    dots = tuple(Dot(value, value, "plain", f"{value}") for value in values)
    drawing = draw(Plot(axis, axis, dots), width)
    shapes = [drawn.shapes[0].attributes for drawn in drawing.drawn if drawn.label]
    x, y = (np.array([shape[name] for shape in shapes]) for name in ("cx", "cy"))
    assert ((x >= 0) & (x <= width) & (y >= 0) & (y <= drawing.height)).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(x[order]) >= 0).all()
    assert (np.diff(y[order]) <= 0).all()  # upwards


def test_bars_stand_on_one_another_and_small_ones_are_seen():
    axis = Axis.through(0, 1000)
    stack = Stack(0, 100, ((1, "found"), (999, "plain")), "a bar", "#bin-0")
    drawing = draw(Plot(axis, axis, (stack,)), WIDE)
    [bar] = [drawn for drawn in drawing.drawn if drawn.href == "#bin-0"]
    found, plain, reach = (shape.attributes for shape in bar.shapes)
    assert found["height"] >= 1.5
    assert plain["y"] < found["y"]
    assert plain["y"] + plain["height"] == pytest.approx(found["y"] + found["height"], abs=2)
    assert reach["height"] > plain["height"]


def test_an_endless_interval_ends_in_an_arrow():
    axis = Axis.through(0, 10)
    marks = (Whisker(2, 2, np.inf, 5, "plain", "at least 2"), Rule("limit", x=4.0, text="limit"))
    drawing = draw(Plot(axis, axis, marks), WIDE)
    whisker = next(drawn for drawn in drawing.drawn if drawn.label == "at least 2")
    assert [shape.tag for shape in whisker.shapes].count("path") == 1
