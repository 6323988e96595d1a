"""Records that are equal number for number."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.stats.rows import blocks

Index = NDArray[np.intp]
_BLOCK = 1024  # records


@dataclass(frozen=True)
class ExactCopies:
    """Which of n records are copies of each other.

    group: (n,) number of the group of equal records, in the order of the data. first: (g,) first
    row of each group. other: (n,) first other row that is equal, or -1.
    """

    group: Index
    first: Index
    other: Index

    @property
    def copied(self) -> NDArray[np.bool_]:
        """(n,) whether another record is equal."""
        return self.other >= 0


def copies_of(array: NDArray[Any]) -> ExactCopies:
    """Group equal records, a block at a time; 0.0 equals -0.0.

    Examples
    --------
    >>> copies = copies_of(np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0], [1.0, 2.0]]))
    >>> copies.group.tolist(), copies.first.tolist(), copies.other.tolist()
    ([0, 1, 0, 0], [0, 1], [2, -1, 0, 0])
    """
    digests = np.concatenate([_digests(array[part]) for part in blocks(len(array), _BLOCK)])
    _, first, group = np.unique(digests, return_index=True, return_inverse=True)
    place = np.argsort(first)  # groups in the order of the data
    first, group = first[place], np.argsort(place)[group]
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(first)))
    sizes = np.diff(np.append(starts, len(group)))
    second = np.full(len(first), -1, dtype=np.intp)
    many = sizes > 1
    second[many] = order[starts[many] + 1]
    is_first = first[group] == np.arange(len(group))
    other = np.where(is_first, second[group], first[group])
    return ExactCopies(group, first, other)


def _digests(block: NDArray[Any]) -> NDArray[np.void]:
    rows = np.ascontiguousarray(block).reshape(len(block), -1)
    if rows.dtype.kind == "f":
        rows = rows + rows.dtype.type(0)  # -0.0 becomes 0.0
    digests = b"".join(hashlib.blake2b(row.data, digest_size=16).digest() for row in rows)
    return np.frombuffer(digests, dtype="V16")
