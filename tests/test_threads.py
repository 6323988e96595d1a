"""Calls in threads: in order, with the caller's settings, bounded by what the user gave."""

import threading

import numpy as np
import pytest

from byrote import threads
from byrote.threads import cores, in_order, usable_threads

MANY = 1 << 20


@pytest.fixture(params=[1, 3])
def count(request, monkeypatch):
    monkeypatch.setattr(threads, "usable_threads", lambda: request.param)
    return request.param


def test_results_come_in_order_whoever_is_first(count):
    begun = threading.Barrier(count)

    def slow_first(item):
        if item < count:
            begun.wait(10)  # the first calls go on together
        return item**2

    items = range(count, 40) if count == 1 else range(40)
    assert list(in_order(slow_first, items, size=MANY)) == [item**2 for item in items]


def test_an_error_reaches_the_caller(count):
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda item: 1 / item, [2, 1, 0, 3], size=MANY))


def test_calls_have_the_callers_error_state(count):
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(in_order(lambda item: np.ones(3) / item, [1.0, 0.0], size=MANY))
    with np.errstate(divide="ignore"):
        assert np.isinf([*in_order(lambda item: np.ones(3) / item, [1.0, 0.0], size=MANY)][1]).all()


def test_threads_start_no_threads(count):
    def inner(_):
        return threading.get_ident()

    def outer(_):
        return {threading.get_ident(), *in_order(inner, range(5), size=MANY)}

    assert all(len(idents) == 1 for idents in in_order(outer, range(5), size=MANY))


def test_few_values_stay_in_the_callers_thread(count):
    idents = in_order(lambda _: threading.get_ident(), range(5), size=10)
    assert set(idents) == {threading.get_ident()}


@pytest.mark.parametrize(
    ("given", "most"), [("1", 1), ("2", 2), ("2,1", 2), ("0", 1), ("", 4), ("many", 4), ("99", 4)]
)
def test_the_users_bound_holds(monkeypatch, given, most):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert usable_threads() == min(cores(), most)
