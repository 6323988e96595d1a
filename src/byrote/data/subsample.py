"""Which records of a source to load: a random subset, or those that a list of ids names."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.errors import InvalidInput


def random_rows(n: int, count: int | None) -> NDArray[np.intp]:
    """Return ``count`` of ``n`` rows in order, always the same random ones; all for None.

    A smaller subset is contained in a larger one.

    Examples
    --------
    >>> random_rows(10, 3).tolist(), random_rows(10, 4).tolist(), random_rows(3, None).tolist()
    ([2, 3, 9], [2, 3, 8, 9], [0, 1, 2])
    """
    if count is None:
        return np.arange(n)
    if count > n:
        raise InvalidInput(f"records must be at most {n}, the number of records; got {count}")
    return np.sort(seeds.generator(0, seeds.Purpose.CHOICE).permutation(n)[:count])


def listed_rows(ids: NDArray[Any], listed: list[str]) -> NDArray[np.intp]:
    """Return the rows of the listed records, in the order of the data; an unknown id is refused.

    Integer ids match their plain decimal form: 7, not 07 or 7.0. No message quotes an id.

    Examples
    --------
    >>> listed_rows(np.array([30, 10, 20]), ["20", "30"]).tolist()
    [0, 2]
    """
    if not listed:
        raise InvalidInput("only must list at least one id; the file lists none")
    if ids.dtype.kind != "U":
        listed = [text.strip() for text in listed]
    wanted = np.array(listed)
    checks.unique("ids in the file for only", wanted)
    as_text = ids.astype(str)
    unknown = int(np.count_nonzero(~np.isin(wanted, as_text)))
    if unknown:
        raise InvalidInput(
            f"only must list ids of the records; {unknown} of {len(wanted)} listed ids belong to"
            f" none of the {len(as_text)} records"
        )
    return np.flatnonzero(np.isin(as_text, wanted))
