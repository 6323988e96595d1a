"""The cells of a table in the order of their values, against numpy's stable sorting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byrote.stats import cell_order

VALUES = {
    "normal": lambda g: g.normal(size=(7, 90)),
    "with a level beside which they hardly differ": lambda g: 1e9 + 1e-6 * g.normal(size=(7, 90)),
    "few different ones": lambda g: g.integers(0, 4, size=(7, 90)) / 2,
    "all equal": lambda g: np.full((7, 90), -3.25),
    "of heavy tails": lambda g: g.standard_cauchy(size=(7, 90)) ** 9,
    "the largest and the smallest": lambda g: g.choice([-1.7e308, 1.7e308, 5e-324, 0.0], (7, 90)),
    "some infinite": lambda g: g.choice([-np.inf, np.inf, 0.0, 1.0, 1 + 2**-52], (7, 90)),
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("block", [1, 40, 10_000])
def test_cells_ascend_and_equal_values_stay_together(kind, block, monkeypatch):
    monkeypatch.setattr(cell_order, "_BLOCK", block)
    values = VALUES[kind](np.random.default_rng(0))
    values[2, ::3] = np.nan
    blocks = list(cell_order.ascending(values))
    found = np.concatenate([cells for cells, _ in blocks])
    assert np.sort(found).tolist() == np.flatnonzero(~np.isnan(values)).tolist()
    ordered = values.ravel()[found]
    assert (ordered[1:] >= ordered[:-1]).all()
    values_of_blocks = [values.ravel()[cells[starts]] for cells, starts in blocks]
    assert np.concatenate(values_of_blocks).tolist() == np.unique(ordered).tolist()
    assert [starts[0] for _, starts in blocks] == [0] * len(blocks)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=12))
def test_any_numbers_are_ordered(numbers):
    values = np.array(numbers).reshape(1, -1)
    found = [cells for cells, _ in cell_order.ascending(values)]
    assert values[0, np.concatenate(found)].tolist() == sorted(numbers)
