"""What a model promises, read from its fits, and what a promise allows."""

import numpy as np
import pytest

import byrote
from byrote.models import LaplaceHistogram
from byrote.models.privacy.dp import ADD_REMOVE, REPLACEMENT
from byrote.report.privacy import guarantee as sentence
from byrote.report.privacy import verdict
from byrote.scores.privacy.guarantee import UNREADABLE, allowed, guarantee_of

from estimators import Responds


class Run:
    """The facts of some fits."""

    class manifest:  # noqa: N801
        class model:  # noqa: N801
            name = "somebody's"

    def __init__(self, *facts):
        self._facts = facts

    def facts(self, fit):
        return {} if self._facts[fit] is None else {"privacy": self._facts[fit]}


def promise(*facts):
    return guarantee_of(Run(*facts), range(len(facts)))


def test_the_largest_epsilon_counts():
    three, four = ({"epsilon": e, "delta": 1e-5, "unit": "record"} for e in (3.0, 4.0))
    assert promise(None, None) is None
    words = {"relation": "add/remove", "accountant": "", "label": ""}
    assert promise(three, three) == {**three, **words, "fits": 2}
    assert promise(four, three) == {**four, **words, "fits": 2, "smallest_epsilon": 3.0}
    assert promise({"epsilon": None, "delta": 1e-5}, three)["epsilon"] == np.inf
    assert sentence(None).startswith("The model records no differential-privacy guarantee:")
    assert "differ" not in sentence(promise(three, {**three, "epsilon": 3.0001}))
    assert sentence(promise(four, three)) == (
        "Guarantee: epsilon 4.00 at delta 1e-05 (fits differ, from 3.00), for each record."
    )
    loose = {**three, "epsilon": 1.0, "delta": 1e-3}
    assert (promise(four, loose)["epsilon"], promise(four, loose)["delta"]) == (4.0, 1e-3)
    some = promise(three, None)
    assert some["epsilon"] == np.inf
    assert some["label"] == "1 of 2 fits record no guarantee"


@pytest.mark.parametrize(
    "facts",
    ["much", {}, {"epsilon": 1.0}, {"epsilon": -1, "delta": 0.1}, {"epsilon": 1, "delta": 1.5}],
)
def test_what_cannot_be_read_promises_nothing(facts):
    found = promise(facts)
    assert (found["epsilon"], found["label"]) == (np.inf, UNREADABLE)


@pytest.mark.parametrize(
    ("relation", "delta", "epsilon"),
    [
        (ADD_REMOVE, 1e-5, 1.0),
        (ADD_REMOVE, 1e-3, 1.0),
        (ADD_REMOVE, 1e-6, np.nan),
        (REPLACEMENT, 1e-5 * (1 + np.e) * 1.001, 2.0),
        (REPLACEMENT, 1e-5 * (1 + np.e) * 0.999, np.nan),
    ],
)
def test_what_is_promised_for_adding_holds_twice_over_for_replacing(relation, delta, epsilon):
    promised = {"epsilon": 1.0, "delta": 1e-5}
    assert allowed(promised, delta, relation) == pytest.approx(epsilon, nan_ok=True)
    assert np.isnan(allowed(None, delta, relation))


def test_an_infinite_epsilon_promises_as_little_of_two_records():
    for delta in (0.0, 1e-5):
        endless = {"epsilon": np.inf, "delta": delta}
        assert allowed(endless, delta, ADD_REMOVE) == np.inf
        assert not allowed(endless, delta, REPLACEMENT) < np.inf


def scored(tmp_path, model, plan, x=None):
    x = np.arange(150)[:, None] if x is None else x
    byrote.score_memorization(model, x, plan=plan, out=tmp_path / "run")
    return byrote.open_run(tmp_path / "run").epsilon()


COINS = byrote.Probes(list(range(100)), fits=10, coins=True)


def test_a_promise_that_is_kept_is_not_contradicted_and_a_false_one_is(tmp_path):
    """Randomized response at epsilon 3, which claims 4, and at 4, which claims 3."""
    kept = Responds(150, 3.0, {"epsilon": 4.0, "delta": 0.0, "unit": "record"})
    found = scored(tmp_path / "kept", kept, COINS)
    assert 1.5 < found.proven < 3
    assert found.allowed == found.guarantee["epsilon"] == 4
    assert not found.contradicted
    false = Responds(150, 4.0, {"epsilon": 1.0, "delta": 1e-6})
    found = scored(tmp_path / "false", false, COINS)
    assert found.headline.delta == 1e-6
    assert found.allowed == 1 < found.proven < 4
    assert found.contradicted
    assert found.to_dict()["contradicted"]
    assert "The audit contradicts it: it allows 1.00" in verdict(found).plain
    strict = byrote.open_run(tmp_path / "false" / "run").epsilon(
        delta=0.0
    )  # of which nothing was said
    assert strict.headline.delta == 0
    assert np.isnan(strict.allowed)
    assert not strict.contradicted


def test_the_histogram_promises_by_its_parameter(tmp_path):
    x = np.random.default_rng(0).random((60, 1))
    found = scored(tmp_path / "fold", LaplaceHistogram(epsilon=2.0, bins=4), byrote.KFold(3, 5), x)
    assert (found.method, found.allowed) == ("density", 2.0)
    assert found.headline.detail["relation"] == "replacement"
    assert found.headline.detail["claimed"] == 2.0
    assert not found.contradicted
    plan = byrote.Probes(20, fits=8, coins=True)
    found = scored(tmp_path / "coins", LaplaceHistogram(epsilon=2.0, bins=4), plan, x)
    assert (found.method, found.allowed) == ("one-run", 1.0)
    assert found.bounds[3].detail["claimed"] == 1.0
    assert not found.contradicted
