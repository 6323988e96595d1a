"""Orders of categories and of rows that depend on the content of a table alone.

Not on the units of numbers, nor on how categories are written and columns and rows are sorted: what
is drawn by place, from the membership of a record to the batches of its training, is then the same
for tables that hold the same.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.seeds import mix

if TYPE_CHECKING:
    import pandas as pd

Marks = NDArray[np.integer[Any]]  # (n,): of a column, equal where its values are
Hashes = NDArray[np.uint64]  # (n,): of the rows


def content_hashes(rows: int, marks: Iterable[tuple[Any, Marks]]) -> Hashes:
    """Hash the marks of each row by the names of columns, whatever their order.

    Examples
    --------
    >>> a, b = ("a", np.array([0, 1])), ("b", np.array([2, 2]))
    >>> bool((content_hashes(2, [a, b]) == content_hashes(2, [b, a])).all())
    True
    """
    total = np.zeros(rows, np.uint64)
    for name, values in marks:
        key = hashlib.blake2b(str(name).encode(), digest_size=8).digest()
        total += mix(values.astype(np.uint64) + np.frombuffer(key, np.uint64))
    return total


def number_marks(values: NDArray[np.floating[Any]]) -> Marks:
    """Rank numbers, equal ones alike and what is missing last, (n,)."""
    return np.unique(values, return_inverse=True)[1]


def category_marks(values: "pd.Series[Any]") -> Marks:
    """Count how often the category of each row occurs, (n,); 0 where it is missing."""
    return np.asarray(values.map(values.value_counts()).astype("float64").fillna(0)).astype(int)


def ranked_categories(values: "pd.Series[Any]", hashes: Hashes) -> tuple[Any, ...]:
    """Return the distinct categories, the most frequent first, and equally frequent ones by rows.

    Only categories whose rows hold the same are in the order of their texts.

    Examples
    --------
    >>> import pandas as pd
    >>> town, hashes = pd.Series(["Rye", "Ely", "Ely", "Ayr"]), np.array([5, 1, 1, 3], np.uint64)
    >>> ranked_categories(town, hashes)
    ('Ely', 'Ayr', 'Rye')
    """
    import pandas as pd  # noqa: PLC0415 (slow to load)

    codes, categories = pd.factorize(values)
    present = codes >= 0
    totals = np.zeros(len(categories), np.uint64)
    np.add.at(totals, codes[present], hashes[present])
    counts = np.bincount(codes[present], minlength=len(categories))
    texts = np.array([str(category) for category in categories])
    order = np.lexsort((texts, totals, -counts))
    return tuple(categories[place] for place in order)


def order_of_rows(hashes: Hashes, ids: NDArray[Any]) -> NDArray[np.intp]:
    """Return the rows by their hashes, in no order that has a meaning; equal rows by their ids."""
    by_id = np.argsort(ids, kind="stable")
    return by_id[np.argsort(hashes[by_id], kind="stable")]
