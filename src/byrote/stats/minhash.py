"""Near-duplicates among sets, by MinHash and exact Jaccard similarity.

A signature holds the least of a set's hashes under each of many hash functions; two signatures
agree at a place with probability J, the sets' Jaccard similarity (Broder 1997). Sets whose
signatures agree in all rows of one band of places are candidates (Indyk & Motwani 1998), and only
those whose similarity, computed exactly, is large enough are pairs.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Hashes = NDArray[np.uint64]
Index = NDArray[np.intp]

BANDS, ROWS = 25, 5  # candidates with probability 0.9999 at J = 0.8, and 0.06 at J = 0.3


def ngram_hashes(tokens: ArrayLike, n: int) -> Hashes:
    """Hash each n-gram of tokens, (t,) integers -> (t - n + 1,).

    Of a shorter text, the whole is one n-gram.

    Examples
    --------
    >>> hashes = ngram_hashes([1, 2, 3, 1, 2], 2)
    >>> len(hashes), hashes[0] == hashes[3], len(ngram_hashes([1, 2], 5))
    (4, np.True_, 1)
    """
    numbers = np.asarray(tokens).astype(np.uint64)
    n = min(n, len(numbers))
    hashes = np.zeros(len(numbers) - n + 1, dtype=np.uint64)
    for place in range(n):
        hashes = _mixed(hashes + numbers[place : place + len(hashes)])
    return hashes


def candidate_probability(similarity: ArrayLike, bands: int, rows: int) -> Array:
    """Compute the probability ``1 - (1 - J^rows)^bands`` that two sets become candidates.

    Examples
    --------
    >>> candidate_probability([0.7, 0.75, 0.8], bands=450, rows=20).round(3).tolist()
    [0.302, 0.761, 0.995]
    """
    agree = np.asarray(similarity, np.float64) ** rows
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(bands * np.log1p(-agree)))


def signature(hashes: Hashes, places: int, seed: int = 0) -> Hashes:
    """Compute the MinHash signature of a set of hashes, (places,)."""
    generator = np.random.default_rng(seed)
    factor, term = generator.integers(0, 2**64, (2, places, 1), dtype=np.uint64)
    return (((factor | np.uint64(1)) * hashes + term) >> np.uint64(32)).min(axis=1)


def jaccard(first: Hashes, second: Hashes) -> float:
    """Compute the Jaccard similarity of two sorted sets; 1 if both are empty."""
    common = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - common
    return common / union if union else 1.0


def near_pairs(
    sets: Sequence[Hashes], threshold: float, *, bands: int = BANDS, rows: int = ROWS
) -> tuple[Index, Array]:
    """Find pairs of sets with a Jaccard similarity of at least ``threshold``.

    In each band, a set is compared with those before it that are like none before them. So of many
    sets like one another not all pairs are found, but they stay connected.

    Parameters
    ----------
    sets
        n sorted sets of hashes.

    Returns
    -------
    (m, 2) pairs, the lower number first, and their (m,) similarities.

    Examples
    --------
    >>> sets = [ngram_hashes(range(k, k + 100), 5) for k in (0, 2, 500)]
    >>> pairs, similarity = near_pairs([np.unique(hashes) for hashes in sets], 0.8)
    >>> pairs.tolist(), similarity.round(3).tolist()
    ([[0, 1]], [0.959])
    """
    known: dict[tuple[int, int], float] = {}
    for group in _candidates(sets, bands, rows):
        leaders: list[int] = []
        for member in group.tolist():
            for leader in leaders:
                pair = (leader, member)
                if pair not in known:
                    known[pair] = jaccard(sets[leader], sets[member])
                if known[pair] >= threshold:
                    break
            else:
                leaders.append(member)
    found = {pair: value for pair, value in known.items() if value >= threshold}
    return np.array(list(found), dtype=np.intp).reshape(-1, 2), np.array(list(found.values()))


def _candidates(sets: Sequence[Hashes], bands: int, rows: int) -> Iterator[Index]:
    """Yield the groups of sets that agree in a band, as sorted numbers."""
    full = np.flatnonzero([len(hashes) for hashes in sets])
    if not len(full):
        return
    signatures = np.stack([signature(sets[number], bands * rows) for number in full.tolist()])
    for band in np.split(signatures, bands, axis=1):
        key = np.zeros(len(full), dtype=np.uint64)
        for column in band.T:
            key = _mixed(key + column)
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order])) + 1
        yield from (full[group] for group in np.split(order, starts) if len(group) > 1)


def _mixed(values: Hashes) -> Hashes:
    """Scramble 64 bits (the finalizer of SplitMix64, Steele et al. 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
