"""Costs are the same bit for bit in any batch, on processors that multiply in ways of their own."""

from functools import cache

import numpy as np
import pytest
import torch

from byrote.models import CharLSTM
from byrote.models.language.char_lstm import stepper as steppers
from byrote.models.language.char_lstm.network import untrained
from byrote.models.language.char_lstm.stepper import (
    SIZES,
    LstmStepper,
    agreeing_sizes,
    blocks,
    sizes_for,
)

TEXTS = ["the quick brown fox jumps over the lazy dog\n", "the random number is 281265017\n"] * 9
ADDMM = torch.addmm


@cache
def fitted(hidden, layers):
    """Shared by tests that do not change it."""
    model = CharLSTM(hidden, layers, epochs=1, batch_size=4, window=9, precision="float32")
    return model.fit(TEXTS)


def turned(start, rows, weight, by):
    """The product, with the terms of each sum added from another one on."""
    order = torch.arange(rows.shape[1]).roll(by)
    return ADDMM(start, rows[:, order].contiguous(), weight[order].contiguous())


def few_rows_apart(most):
    def addmm(start, rows, weight):
        by = rows.shape[1] // 2 if len(rows) <= most else 0
        return turned(start, rows, weight, by)

    return addmm


def last_rows_apart(start, rows, weight):
    """What is left over from tiles of six rows is left to another kernel."""
    found, tiled = ADDMM(start, rows, weight), len(rows) - len(rows) % 6
    found[tiled:] = turned(start, rows, weight, rows.shape[1] // 2)[tiled:]
    return found


def each_number_apart(start, rows, weight):
    return turned(start, rows, weight, len(rows) % 7)


def each_place_apart(start, rows, weight):
    found = ADDMM(start, rows, weight)
    found[1::2] = turned(start, rows, weight, 1)[1::2]
    return found


PROCESSORS = {
    "as it is": ADDMM,
    "one row apart": few_rows_apart(1),
    "three rows apart": few_rows_apart(3),
    "hundred rows apart": few_rows_apart(100),
    "last rows apart": last_rows_apart,
    "each number apart": each_number_apart,
    "each place apart": each_place_apart,
}


@pytest.fixture(params=PROCESSORS)
def processor(request, monkeypatch):
    monkeypatch.setattr(torch, "addmm", PROCESSORS[request.param])
    steppers._sizes_for.cache_clear()  # found on another one
    yield
    steppers._sizes_for.cache_clear()


def costs_alone_and_in_company(stepper, tokens, numbers):
    """Costs of 200 walks, and for each number the costs of so many of them, the last ones."""
    states, _ = stepper.start(tokens)
    columns = np.random.default_rng(0).integers(0, 100, (2, 200))

    def walked(n):
        some = states.take(np.zeros(n, int))
        for column in columns:
            some, costs = stepper.step(some, column[-n:])
        return costs

    return walked(200), {n: walked(n) for n in numbers}


NUMBERS = (1, 2, 3, 5, 64, 127, 128, 129)


@pytest.mark.parametrize(("hidden", "layers"), [(12, 2), (13, 1)])
def test_costs_do_not_depend_on_the_company(processor, hidden, layers):
    """A search and a list of candidates must agree on ties."""
    model = fitted(hidden, layers)
    found = costs_alone_and_in_company(model.stepper(), model.encode("the qu"), NUMBERS)
    for n, costs in found[1].items():
        np.testing.assert_array_equal(costs, found[0][-n:], err_msg=str(n))


@pytest.mark.parametrize("library", [True, False])
def test_costs_of_a_large_network_do_not_depend_on_the_company(library, monkeypatch):
    """The post's size, where kernels are chosen as they are in use; with oneDNN and without."""
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", library)
    model = fitted(200, 2)
    alone, found = costs_alone_and_in_company(model.stepper(), model.encode("the "), (1, 3, 129))
    for n, costs in found.items():
        np.testing.assert_array_equal(costs, alone[-n:], err_msg=str(n))


def test_what_prefixes_share_that_continue_the_same_one_is_computed_once(monkeypatch):
    model = fitted(12, 2)
    stepper = LstmStepper(model.network_, model.vocabulary_.newline, sizes=(32, 3, 1))
    states, _ = stepper.start([1, 2])
    states, _ = stepper.step(states.take(np.zeros(3, int)), np.arange(3))
    products = []

    def counted(start, rows, weight):
        products.append(len(rows))
        return ADDMM(start, rows, weight)

    monkeypatch.setattr(torch, "addmm", counted)
    stepper.step(states.take(np.repeat(np.arange(3), 10)), np.tile(np.arange(10), 3))
    of_layers, costs = [3, 3, 32], 32  # rows, filled up to the sizes of blocks
    assert sorted(products) == [*of_layers, costs]


def one_by_one(start, rows, weight):
    """Each sum in its order on any processor."""
    for column, values in zip(rows.T, weight, strict=True):
        start = start + column[:, None] * values
    return start


def test_the_sizes_that_agree_are_found(monkeypatch):
    monkeypatch.setitem(globals(), "ADDMM", one_by_one)
    generator = torch.Generator().manual_seed(0)
    rows, weight = (torch.randn(n, 24, generator=generator) for n in (128, 40))

    def sizes(addmm):
        return agreeing_sizes(lambda some: addmm(torch.zeros(40), some, weight.T), rows)

    every = SIZES
    assert sizes(one_by_one) == every
    assert sizes(few_rows_apart(1)) == every[:-1]
    assert sizes(few_rows_apart(3)) == every[:-3]
    assert sizes(few_rows_apart(100)) == (128,)
    assert sizes(last_rows_apart) == (96, 48, 24, 12, 6)
    assert sizes(each_place_apart) == (1,)


def test_sizes_are_found_once_for_networks_of_a_shape(monkeypatch):
    tested = []

    def noted(compute, rows):
        tested.append(rows.shape)
        return agreeing_sizes(compute, rows)

    monkeypatch.setattr(steppers, "agreeing_sizes", noted)
    steppers._sizes_for.cache_clear()
    one, same, other = untrained(50, 8, 2, 0), untrained(50, 8, 2, 1), untrained(50, 8, 1, 0)
    assert sizes_for(one) == sizes_for(same)
    assert tested == [(128, 4, 8)]
    sizes_for(other)
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    sizes_for(one)
    assert tested == [(128, 4, 8), (128, 2, 8), (128, 4, 8)]


@pytest.mark.parametrize("n", [1, 5, 127, 400])
def test_blocks_hold_every_row_once(n):
    for sizes in (SIZES, (128, 4), (1,)):
        parts = list(blocks(n, sizes))
        assert [row for rows, _ in parts for row in range(rows.start, rows.stop)] == [*range(n)]
        assert all(rows.stop - rows.start <= size for rows, size in parts)
        assert {size for _, size in parts} <= set(sizes)
