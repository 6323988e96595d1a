"""Ranks from a stream of all costs, without keeping the costs."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Tally:
    """Counts costs below each of n completions whose own costs are nearly known beforehand.

    Costs outside of every completion's ``margin`` are counted; the few inside are kept until the
    completions' own costs, in the arithmetic of the stream, have been met. A completion whose own
    cost turns out to lie outside of its margin has no rank: NaN.

    Examples
    --------
    >>> tally = Tally(np.array([2.0]), np.array([0.1]))
    >>> tally.add(np.array([5.0, 2.01, 1.0])); tally.add(np.array([2.02, 2.0]))
    >>> tally.ranks(np.array([2.01])), tally.ranks(np.array([2.2]))
    (array([3.]), array([nan]))
    """

    def __init__(self, bits: Array, margin: Array) -> None:
        self._bits, self._margin = bits, margin
        self._low, self._high = np.sort(bits - margin), np.sort(bits + margin)
        self._outside = np.zeros(len(bits) + 1, dtype=np.int64)
        self._near: list[tuple[Array, NDArray[np.intp]]] = []

    def add(self, bits: Array) -> None:
        """More costs."""
        begun = np.searchsorted(self._low, bits, side="right")
        near = begun > np.searchsorted(self._high, bits, side="left")
        self._outside += np.bincount(begun[~near], minlength=len(self._outside))
        if near.any():
            self._near.append(np.unique(bits[near], return_counts=True))

    def ranks(self, own: Array) -> Array:
        """How many costs are at most each of ``own``, as the stream has them. (n,)"""
        near = np.abs(own - self._bits) <= self._margin
        if not near.any():
            return np.full(len(own), np.nan)
        values, counts = (np.concatenate(part) for part in zip(*self._near, strict=True))
        order = np.argsort(values, kind="stable")
        kept = np.concatenate([[0], np.cumsum(counts[order])])
        below = np.cumsum(self._outside)[np.argsort(np.argsort(self._bits, kind="stable"))]
        ranks = below + kept[np.searchsorted(values[order], own, side="right")]
        return np.where(near, ranks, np.nan)
