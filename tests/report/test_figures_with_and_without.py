"""The records found, in fits with them and without: every fit, arrows as long as M, one band."""

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

import byrote
from byrote.errors import InvalidInput
from byrote.figures import with_and_without
from byrote.report.figures import style

from estimators import PureNoise


def run_of(folder, model, x, plan):
    byrote.score_memorization(model, x, plan=plan, out=folder)
    return byrote.open_run(folder)


@pytest.fixture(scope="module")
def outliers(tmp_path_factory):
    """A kernel density and 60 images of four pixels, of which three are far from all others."""
    x = np.random.default_rng(0).normal(0.5, 0.05, size=(60, 2, 2)).clip(0, 1)
    x[[7, 8, 9]] = np.array([0.0, 0.1, 1.0])[:, None, None]
    model = KernelDensity(bandwidth=0.1)
    return run_of(tmp_path_factory.mktemp("found") / "run", model, x, byrote.KFold(4, repeats=4))


def points(ax, row):
    """Log-likelihoods of a row, by colour."""
    by_color = {}
    for line in ax.lines:
        drawn = np.asarray(line.get_ydata()) == row
        by_color.setdefault(line.get_color(), []).extend(np.asarray(line.get_xdata())[drawn])
    return {color: np.sort(values) for color, values in by_color.items()}


def test_every_fit_has_a_mark_on_its_side(outliers):
    ax, table = with_and_without(outliers), outliers.table()
    names = [int(label.get_text()) for label in ax.get_yticklabels()]
    assert names[0] in (7, 8, 9)
    for place, record in enumerate(names):
        roles, values = table.roles()[:, record], table.log_prob[:, record]
        marks = points(ax, place)
        np.testing.assert_allclose(marks[style.GREY], np.sort(values[roles == -1]))
        np.testing.assert_allclose(marks[style.BLUE], np.sort(values[roles == 1]))


def test_rows_are_the_found_by_falling_score_and_arrows_as_long_as_it(outliers):
    result = outliers.memorization()
    ax = with_and_without(outliers, records=2)
    rows = [row for row in result.order() if result.q_value[row] <= 0.05][:2]
    assert [label.get_text() for label in ax.get_yticklabels()] == [str(row) for row in rows]
    arrows = [text for text in ax.texts if text.arrow_patch is not None]
    lengths = [arrow.xy[0] - arrow.get_position()[0] for arrow in arrows]
    np.testing.assert_allclose(lengths, result.score[rows])


def test_images_stand_beside_their_records(outliers):
    images = np.zeros((60, 2, 2))
    assert len(with_and_without(outliers, images, records=2).artists) == 2
    assert len(with_and_without(outliers, records=2).artists) == 0
    with pytest.raises(InvalidInput, match="images must be 60 images"):
        with_and_without(outliers, images[1:])


def test_a_fit_of_density_zero_is_an_arrow_at_the_edge(tmp_path):
    x = np.append(np.linspace(0, 1, 60), 1.5)[:, None]
    model = KernelDensity(kernel="tophat", bandwidth=0.2)
    ax = with_and_without(run_of(tmp_path / "run", model, x, byrote.KFold(5, repeats=4)))
    row = [label.get_text() for label in ax.get_yticklabels()].index("60")
    assert any(line.get_marker() == "<" and line.get_ydata()[0] == row for line in ax.lines)


def test_without_records_found_there_is_no_figure(tmp_path):
    run = run_of(tmp_path / "run", PureNoise(), np.zeros((30, 1)), byrote.KFold(3, repeats=3))
    with pytest.raises(InvalidInput, match="none was found"):
        with_and_without(run)
