"""The register of figures: what is drawn, in which order, from what, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Selection, groups

RECORDS = [
    "figure of the records found",
    "score distribution",
    "counts by log-likelihood",
    "class figures",
    "gallery",
    "losses",
    "quantiles over epochs",
    "distance ratios",
    "reproduced records",
]
CANARIES = [
    "exposure by insertions",
    "exposure over training",
    "skew-normal fit",
    "estimators side by side",
]


SCORES = SimpleNamespace(
    description={
        "data": {"source": "points.npy"},
        "model": {"name": "sklearn.mixture.GaussianMixture"},
        "plan": {"spec": {"kind": "kfold", "folds": 3}, "fits": 18},
    },
    missing=(4,),
    summary=lambda: SimpleNamespace(scored=1990, records=2000),
)


class Records:
    """A run of rows of numbers that counts what is read of it, and has nothing but scores."""

    has_canaries = False
    manifest = SimpleNamespace(data=SimpleNamespace(shape=(3,)))

    def __init__(self, scores=None):
        self.scores, self.read = SCORES if scores is None else scores, []

    def memorization(self):
        self.read.append("scores")
        return self.scores

    def neighbors(self):
        self.read.append("neighbors")
        raise InvalidInput("byrote neighbors has not been run")


class Canaries:
    has_canaries = True

    def exposure(self):
        return SimpleNamespace(fit=np.zeros(1))


def drawn(selection):
    return dict(groups(selection))


def test_groups_of_runs_and_their_order():
    assert list(drawn(Selection({"a": Records()}))) == RECORDS
    assert list(drawn(Selection({"a": Canaries()}))) == CANARIES


def test_groups_that_are_drawn_only_when_asked_for():
    two = drawn(Selection({"a": Records(), "b": Records()}, records=("x", "y"), clusters=3))
    assert sorted(set(two) - set(RECORDS)) == [
        "comparison",
        "figure of record 1 (--record)",
        "figure of record 2 (--record)",
        "thin regions of clusters",
    ]


def test_a_figure_is_drawn_from_what_it_needs_alone():
    run = Records()
    found = drawn(Selection({"a": run}))
    run.read.clear()
    with pytest.raises(InvalidInput, match="byrote neighbors has not been run"):
        next(found["distance ratios"])
    assert run.read == ["neighbors"]
    with pytest.raises(InvalidInput, match="rows of numbers, not images"):
        next(found["gallery"])


def small_line(figure):
    return " ".join(figure.texts[-1].get_text().split())


def test_toys_are_drawn_where_a_study_asks_and_name_no_run():
    run = Records()
    found = drawn(Selection({"a": run}, toys=True))
    run.read.clear()
    toys = dict(found["toy densities"])
    assert list(toys) == ["toy-memorization", "toy-overfitting"]
    assert run.read == []
    for figure in toys.values():
        assert small_line(figure).endswith("17 made-up records on a line, not of the run.")


def test_a_run_that_cannot_be_evaluated_is_refused_before_the_first_group():
    class Damaged(Records):
        def memorization(self):
            raise InvalidInput("no scores")

    for runs in ({"a": Damaged()}, {"a": Records(), "b": Damaged()}):
        with pytest.raises(InvalidInput, match="no scores"):
            next(groups(Selection(runs)))


def test_a_registered_figure_is_drawn_in_its_place(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", [*registry._REGISTERED])

    @registry.figure("mine", of="records", order=25, needs=(registry.scores,))
    def mine(scores):
        yield "my-file", style.figure_of(style.new_axes(None)), "What I see."

    @registry.figure("of all", of="records", order=26, needs=(registry.runs,))
    def of_all(runs):
        yield "my-runs", style.figure_of(style.new_axes(None)), "What we see."

    found = drawn(Selection({"a": Records(), "b": Records()}))
    assert [*found][1:4] == ["score distribution", "mine", "of all"]
    ((name, figure),) = found["mine"]
    assert name == "my-file"
    whole = "points.npy, GaussianMixture, kfold(folds=3), 1,990 of 2,000 records scored, 17 fits."
    assert small_line(figure) == f"What I see. Run a: {whole}"
    ((_, figure),) = found["of all"]
    assert small_line(figure) == f"What we see. Run a: {whole} Run b: {whole}"


def test_the_small_line_lies_below_all_else():
    figure = style.new_figure(style.DOUBLE, 3.0, "$x^2$ above")
    ax = figure.subplots()
    ax.set_xlabel("below")
    figure.legend(handles=[style.key("a key")], loc="outside lower left")
    style.sign(figure, "What $it shows, and what it $is. " * 9)
    figure.draw_without_rendering()
    box, area = figure.texts[-1].get_window_extent(), style.extent(figure).padded(0)
    assert box.y1 <= 0
    assert area.y0 * figure.dpi <= box.y0 < box.x0 < box.x1 <= area.x1 * figure.dpi
    assert tuple(figure.get_size_inches()) == (area.x1, area.y1) == (style.DOUBLE, 3.0)
