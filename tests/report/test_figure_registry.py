"""The register of figures: what is drawn, in which order, from what, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Selection, groups

RECORDS = [
    "toy densities",
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


class Records:
    """A run of rows of numbers that counts what is read of it, and has nothing but scores."""

    has_canaries = False
    manifest = SimpleNamespace(data=SimpleNamespace(shape=(3,)))

    def __init__(self, scores=None):
        self.scores, self.read = scores, []

    def memorization(self):
        self.read.append("scores")
        return self.scores

    def neighbors(self):
        self.read.append("neighbors")
        raise InvalidInput("byrote neighbors was not run")


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
    assert [name for name, _ in found["toy densities"]] == ["toy-memorization", "toy-overfitting"]
    assert run.read == []
    with pytest.raises(InvalidInput, match="byrote neighbors was not run"):
        next(found["distance ratios"])
    assert run.read == ["neighbors"]
    with pytest.raises(InvalidInput, match="rows of numbers, not images"):
        next(found["gallery"])


def test_a_run_that_cannot_be_evaluated_is_refused_before_the_first_group():
    class Damaged(Records):
        def memorization(self):
            raise InvalidInput("no scores")

    for runs in ({"a": Damaged()}, {"a": Records(), "b": Damaged()}):
        with pytest.raises(InvalidInput, match="no scores"):
            next(groups(Selection(runs)))


def test_a_registered_figure_is_drawn_in_its_place(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", [*registry._REGISTERED])

    @registry.figure("mine", of="records", order=15, needs=(registry.scores,))
    def mine(scores):
        yield "my-file", style.figure_of(style.new_axes(None))

    found = drawn(Selection({"a": Records()}))
    assert list(found)[:3] == ["toy densities", "mine", "score distribution"]
    assert [name for name, _ in found["mine"]] == ["my-file"]
