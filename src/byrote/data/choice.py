"""Some of the records of a source: always the same random ones."""

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.errors import InvalidInput


def parse_count(records: object) -> int:
    """How many to take, given as a number or, in the description of a run, as its text."""
    return checks.count("records", records)


def chosen_rows(there: int, count: int | None) -> NDArray[np.intp]:
    """The rows to take of those that are there, in order: all, or a choice for everyone alike.

    Fewer are some of more.

    Raises
    ------
    InvalidInput
        If more are asked for than there are.

    Examples
    --------
    >>> chosen_rows(10, 3).tolist(), chosen_rows(10, 4).tolist(), chosen_rows(3, None).tolist()
    ([2, 3, 9], [2, 3, 8, 9], [0, 1, 2])
    """
    if count is None:
        return np.arange(there)
    if count > there:
        raise InvalidInput(f"records must be at most {there}, which are all there are; got {count}")
    return np.sort(seeds.generator(0, seeds.Purpose.CHOICE).permutation(there)[:count])
