"""The cells of a table in the order of their values, against numpy's stable sorting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byrote.stats import cell_order, threads

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
@pytest.mark.parametrize(("block", "of_range"), [(1, 1000), (40, 100), (10_000, 7), (9, 3)])
@pytest.mark.parametrize("cores", [1, 3])
def test_cells_ascend_and_equal_values_stay_together(kind, block, of_range, cores, monkeypatch):
    monkeypatch.setattr(cell_order, "_BLOCK", block)
    monkeypatch.setattr(cell_order, "_RANGE", of_range)
    monkeypatch.setattr(cell_order, "_COLUMNS", 25)
    monkeypatch.setattr(threads, "cores", lambda: cores)
    monkeypatch.setattr(threads, "_LEAST", 0)
    generator = np.random.default_rng(0)
    values, flags = VALUES[kind](generator), generator.random((7, 90)) < 0.3
    values[2, ::3] = np.nan
    order = cell_order.CellOrder(values, flags)
    ranges = [list(order.ascending(number)) for number in range(len(order.counts))]
    blocks = [cells for each in ranges for cells in each]
    row, column, flag = (
        np.concatenate([getattr(cells, name) for cells in blocks])
        for name in ("row", "column", "flag")
    )
    assert np.array_equal(np.sort(row * 90 + column), np.flatnonzero(~np.isnan(values)))
    assert np.array_equal(flag, flags[row, column])
    ordered = values[row, column]
    assert (ordered[1:] >= ordered[:-1]).all()
    different = [
        values[cells.row, cells.column][slice(None) if cells.starts is None else cells.starts]
        for cells in blocks
    ]
    assert np.concatenate(different).tolist() == np.unique(ordered).tolist()
    for number, each in enumerate(ranges):
        flagged = np.concatenate([cells.flag for cells in each] or [np.empty(0, bool)])
        assert order.counts[number].tolist() == [len(flagged), flagged.sum()]
        of_range = [values[cells.row, cells.column][~cells.flag] for cells in each]
        assert order.unflagged(number).tolist() == np.concatenate([np.empty(0), *of_range]).tolist()
        in_rows = [order.columns(place, number) for place in range(7)]
        rows = np.concatenate([np.empty(0, int), *(cells.row for cells in each)])
        assert list(map(len, in_rows)) == np.bincount(rows, minlength=7).tolist()


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=12))
def test_any_numbers_are_ordered(numbers):
    values = np.array(numbers).reshape(1, -1)
    order = cell_order.CellOrder(values, values > 0)
    found = [cells.column for cells in order.ascending(0)]
    assert values[0, np.concatenate(found)].tolist() == sorted(numbers)
