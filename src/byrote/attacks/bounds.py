"""What is certain of a rank: by the costs a search has met, and by the sum of probabilities."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.search import Search

Array = NDArray[np.float64]


class Bounded(NamedTuple):
    """(n,) each: bits, the rank where it is certain, else NaN, and what it lies between."""

    bits: Array
    rank: Array
    low: Array
    high: Array


def margin(bits: Array) -> Array:
    """How far apart the same cost may come out in batches of different sizes; generously."""
    return 1e-3 + 1e-4 * bits


def most_as_likely(bits: Array, mass: float = 1.0) -> Array:
    """How many completions can cost at most so much, their probabilities summing to ``mass``."""
    with np.errstate(over="ignore"):
        return np.exp2(bits) * mass


def rank_bounds(bits: Array, size: int, alike: float = 1.0) -> tuple[Array, Array]:
    """Bounds of ranks from costs alone, ``alike`` completions at most sharing a path. (n,), (n,)"""
    sure = np.where(np.isinf(bits), float(size), 1.0)
    most = np.floor(most_as_likely(bits + margin(bits)) * alike)
    return sure, np.clip(most, 1.0, float(size))


def ranks_of(search: Search, bits: Array, size: int) -> Bounded:
    """What a search says of the completions it sought, whose costs are nearly ``bits``.

    A rank is exact where every completion as cheap has certainly been met, and the cost that the
    search itself computed is as near to ``bits`` as a model's arithmetic should be. Elsewhere those
    met give bounds, and so does the probability that they leave for the others.
    """
    (seen, ways), sure = search.counted, search.certified
    counts = np.concatenate([[0.0], np.cumsum(ways)])
    met = np.abs(search.cost - bits) <= margin(bits)  # NaN is not
    own = np.where(met, search.cost, bits)
    slack = np.where(met, 0.0, margin(bits))
    cheaper = counts[np.searchsorted(seen, own - slack, side="right")]
    as_cheap = counts[np.searchsorted(seen, own + slack, side="right")]
    exact = met & (own < sure)
    left = np.clip(1.0 - np.exp2(-seen).sum() + 1e-5, 0.0, 1.0)
    unseen = np.floor(most_as_likely(own + margin(bits), left)) * search.form.spelling.most_ways
    low = cheaper + np.where(met, 0.0, search.ways)
    most = np.minimum(as_cheap + unseen, float(size) - (counts[-1] - as_cheap))
    high = np.where(exact, low, np.maximum(most, low))
    return Bounded(own, np.where(exact, low, np.nan), low, high)
