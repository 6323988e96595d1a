"""The exact rank tests of every record of a table."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.runs.table import Table
from byrote.scores.memorization.in_out import FitOrder, InOutBlock, blocks_of_cut, in_cuts
from byrote.stats import rank_tests

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExactTests:
    """Exact tests of r records.

    Attributes
    ----------
    p_value
        (r,) p-values, valid at all looks together; NaN where none can be had.
    smallest
        The smallest p-value that a record can have at one look; NaN if none can be had.
    exact
        Whether all of them are exact.
    """

    p_value: Array
    smallest: float = np.nan
    exact: bool = True


def exact_tests(table: Table) -> ExactTests:
    """Test every record of a table; none if membership is not known to be random."""
    p_value, order = np.full(len(table.rows), np.nan), FitOrder.of(table)
    if not table.design.randomized:
        return ExactTests(p_value)

    def of_cut(cut: slice) -> list[tuple[float, bool]]:
        found = []
        for records, block in blocks_of_cut(table, order, cut):
            if min(block.counts):
                p_value[records], exact = _test(block, paired=table.design.units == "pairs")
                found.append((rank_tests.smallest_p(block.shapes()), exact))
        return found

    found = [each for of_blocks in in_cuts(of_cut, table, order) for each in of_blocks]
    smallest = min((least for least, _ in found), default=np.nan)
    return ExactTests(table.design.over_looks(p_value), smallest, all(exact for _, exact in found))


def _test(block: InOutBlock, *, paired: bool) -> tuple[Array, bool]:
    if paired:
        return rank_tests.signed_rank_test(*block.pairs())
    return rank_tests.rank_sum_test(block.strata())
