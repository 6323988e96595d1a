"""Work in threads: the order of results, errors, settings of NumPy, and the same bits with any."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from byrote import KFold, Subset
from byrote.scores.compare.score_difference import EvaluatedTable, paired_difference
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.memorization.held_out import mean_score
from byrote.scores.privacy.density import epsilon_from_density
from byrote.scores.privacy.measures import exposure_measure
from byrote.scores.privacy.membership import attack_table
from byrote.stats import cell_order, threads, two_sides
from evidence_tables import gaussian, table_of


@pytest.fixture(params=[1, 3])
def cores(request, monkeypatch):
    """Threads that are used for the smallest arrays, too."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "cores", lambda: request.param)
    monkeypatch.setattr(threads, "_LEAST", 0)


@pytest.mark.usefixtures("cores")
def test_results_come_in_the_order_of_the_items():
    assert list(threads.in_order(lambda x: x * x, range(50), size=50)) == [x * x for x in range(50)]
    assert list(threads.in_order(str, [], size=0)) == []


@pytest.mark.usefixtures("cores")
def test_an_error_comes_where_its_result_would():
    found = threads.in_order(lambda x: 1 // x, [1, 1, 0, 1], size=4)
    assert [next(found), next(found)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(found)


@pytest.mark.usefixtures("cores")
def test_numpy_keeps_its_settings_in_threads():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(threads.in_order(lambda x: np.array([1.0]) / x, [0.0, 0.0], size=2))
    with np.errstate(divide="ignore"):
        found = list(threads.in_order(lambda x: np.array([1.0]) / x, [0.0, 0.0], size=2))
    assert found == [np.inf, np.inf]


@pytest.mark.usefixtures("cores")
def test_threads_start_no_threads():
    def outer(_):
        inner = threads.in_order(lambda _: threading.get_ident(), range(5), size=5)
        return {threading.get_ident(), *inner}

    assert all(len(idents) == 1 for idents in threads.in_order(outer, range(5), size=5))


def test_few_values_stay_in_the_callers_thread():
    idents = threads.in_order(lambda _: threading.get_ident(), range(5), size=10)
    assert set(idents) == {threading.get_ident()}


@pytest.mark.parametrize(
    ("given", "most"), [("1", 1), ("2", 2), ("2,1", 2), ("0", 1), ("", 4), ("many", 4), ("99", 4)]
)
def test_the_users_bound_holds(monkeypatch, given, most):
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert threads.usable_threads() == most


@pytest.mark.parametrize("plan", [Subset(0.5, fits=8), KFold(3, repeats=4)])
def test_the_numbers_of_a_run_have_the_same_bits_with_any_number_of_threads(plan, monkeypatch):
    """Blocks of the same size: it alone may change the last digits."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "_LEAST", 0)
    monkeypatch.setattr(two_sides, "_BLOCK", 100)
    monkeypatch.setattr(cell_order, "_RANGE", 90)
    first = table_of(plan, 60, 0, gaussian)
    noise = np.random.default_rng(1).normal(size=first.log_prob.shape)
    second = replace(first, log_prob=first.log_prob + noise)
    found = []
    for number in (1, 2, 4):
        monkeypatch.setattr(threads, "cores", lambda number=number: number)
        bound = epsilon_from_density(first.used(), first.included())
        pair = [EvaluatedTable(table, evaluate(table)) for table in (first, second)]
        change = paired_difference(*pair)
        mean = mean_score(first)
        found.append(
            [
                *(attack_table(first, attack).to_dict() for attack in ("lira", "loss")),
                exposure_measure("", first).to_dict(),
                bound.to_dict(),
                bound.lower.tolist(),
                [change.value["mean_log"].tolist(), change.degrees.tolist()],
                [change.standard_error[name].tolist() for name in change.standard_error],
                [mean.value, mean.error],
            ]
        )
    assert repr(found[1]) == repr(found[0]) == repr(found[2])
