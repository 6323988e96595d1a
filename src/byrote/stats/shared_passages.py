"""Passages of tokens that several texts share."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.stats.minhash import ngram_hashes

Index = NDArray[np.intp]
_NONE = np.empty(0, dtype=np.uint64)


class SharedPassages(NamedTuple):
    """What each of n texts shares with others.

    longest: (n,) length of the longest run of tokens that lie in shared passages. other: (n,) the
    first other text that has the first passage of that run, or -1.
    """

    longest: Index
    other: Index


def shared_passages(texts: Sequence[NDArray[np.integer]], length: int) -> SharedPassages:
    """Find the tokens of each text that lie in passages of ``length`` tokens of another text.

    Parameters
    ----------
    texts
        Tokens of n texts, (t,) integers each.
    length
        Least number of tokens of a passage.

    Examples
    --------
    >>> a, b = np.arange(100), np.concatenate([np.arange(500, 520), np.arange(30, 90)])
    >>> shared_passages([a, b, np.arange(200, 300)], 50)
    SharedPassages(longest=array([60, 60,  0]), other=array([ 1,  0, -1]))
    """
    owner, passage = _passages(texts, length)
    first = np.full(passage.max(initial=-1) + 1, len(texts))
    last = np.full(len(first), -1)
    np.minimum.at(first, passage, owner)
    np.maximum.at(last, passage, owner)
    other = np.where(first[passage] == owner, last[passage], first[passage])
    shared = other != owner
    longest, with_whom = np.zeros((2, len(texts)), dtype=np.intp)
    with_whom -= 1
    for text in np.unique(owner[shared]).tolist():
        rows = slice(*np.searchsorted(owner, [text, text + 1]))
        steps = np.flatnonzero(np.diff(shared[rows].astype(np.int8), prepend=0, append=0))
        begins, ends = steps[::2], steps[1::2]
        run = int((ends - begins).argmax())
        longest[text] = ends[run] - begins[run] + length - 1
        with_whom[text] = other[rows][begins[run]]
    return SharedPassages(longest, with_whom)


def others_with_passage(texts: Sequence[NDArray[np.integer]], length: int) -> list[Index]:
    """Count the other texts that hold each passage of ``length`` tokens of a text.

    Returns
    -------
    list
        One array for each text, (t - length + 1,): the counts by first token of the passage, and
        none for a text of fewer tokens.

    Examples
    --------
    >>> texts = [np.array(t) for t in ([1, 2, 3, 4], [9, 2, 3, 2, 3], [2, 3, 4], [2])]
    >>> [counts.tolist() for counts in others_with_passage(texts, 2)]
    [[0, 2, 1], [0, 2, 0, 2], [2, 1], []]
    """
    owner, passage = _passages(texts, length)
    holders = np.unique(np.stack([passage, owner]), axis=1)
    others = np.bincount(holders[0])[passage] - 1
    return np.split(others, np.searchsorted(owner, np.arange(1, len(texts))))


def _passages(texts: Sequence[NDArray[np.integer]], length: int) -> tuple[Index, Index]:
    """Number the different passages; return the text of each passage, ascending, and its number."""
    parts = [ngram_hashes(t, length) if len(t) >= length else _NONE for t in texts]
    owner = np.repeat(np.arange(len(texts)), [len(part) for part in parts])
    _, passage = np.unique(np.concatenate([_NONE, *parts]), return_inverse=True)
    return owner, passage
