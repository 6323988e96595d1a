"""What holds for every figure of exposure: legible, nothing over anything, the same each time."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from exposure_catalogue import FIGURES


@pytest.fixture(params=FIGURES, scope="module")
def drawn(request):
    """A figure, laid out at its real size, with what draws it."""
    figure = FIGURES[request.param]()
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    return figure, canvas.get_renderer()


def texts(figure):
    """Texts that are seen: ticks beyond the ends of an axis are not."""
    ticks = set()
    for ax in figure.axes:
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                if not min(low, high) <= tick.get_loc() <= max(low, high):
                    ticks |= {tick.label1, tick.label2}
    found = figure.findobj(Text)
    return [text for text in found if text.get_visible() and text.get_text() and text not in ticks]


def overlap(one, other):
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return width > 1 and height > 1


def test_texts_can_be_read_and_are_not_cut(drawn):
    figure, renderer = drawn
    for text in texts(figure):
        box = text.get_window_extent(renderer)
        assert text.get_fontsize() >= 7
        assert box.x0 >= -1, text.get_text()
        assert box.y0 >= -1, text.get_text()
        assert box.x1 <= figure.bbox.x1 + 1, text.get_text()
        assert box.y1 <= figure.bbox.y1 + 1, text.get_text()


def test_no_text_over_another(drawn):
    figure, renderer = drawn
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts(figure)]
    over = [(a, b) for (a, x), (b, y) in itertools.combinations(boxes, 2) if overlap(x, y)]
    assert over == []


def test_legends_hide_no_data(drawn):
    figure, renderer = drawn
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()] + figure.legends
    assert legends
    for legend, ax in itertools.product(legends, figure.axes):
        assert not overlap(legend.get_window_extent(renderer), ax.get_window_extent(renderer))


def test_titles_and_axes_say_what_is_shown(drawn):
    figure, _ = drawn
    titles = [part.get_suptitle() for part in (figure, *figure.subfigs)]
    assert sum(bool(title) for title in titles) == 1
    for ax in figure.axes:
        hidden = not any(label.get_visible() for label in ax.get_xticklabels())
        assert ax.get_xlabel() or hidden
        assert ax.get_ylabel() or any(text.get_text() for text in ax.get_yticklabels())


@pytest.mark.parametrize("name", ["levels", "pareto, far apart"])
def test_the_same_each_time(name):
    pixels = []
    for _ in range(2):
        figure = FIGURES[name]()
        figure.set_dpi(50)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels.append(np.asarray(canvas.buffer_rgba()))
    assert (pixels[0] == pixels[1]).all()
    assert np.ptp(pixels[0]) == 255
