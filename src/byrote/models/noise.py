"""Noise that belongs to a record: a pure function of a seed and the record's content.

A score compares fits, so a record that has to be made binary must be the same binary record in all
of them. Keying the draw by content rather than by position makes it so whichever rows a fit scores,
in whatever order, on whatever machine. Two identical records get the same draw.
"""

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_VALUES_AT_A_TIME = 1 << 15  # whose integers stay in the caches


def uniforms(x: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """One uniform in [0, 1) per value, with 24 bits; row i depends on ``seed`` and ``x[i]`` alone.

    Parameters
    ----------
    x
        (n, d) records.
    seed
        Another seed, another draw.

    Returns
    -------
    (n, d) float32.

    Examples
    --------
    >>> x = np.zeros((2, 3), dtype=np.float32)
    >>> bool((uniforms(x, seed=3)[0] == uniforms(x[:1], seed=3)).all())
    True
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    d = x.shape[1]
    weights = np.random.default_rng(seed).integers(0, 2**64, size=d + 1, dtype=np.uint64)
    result = np.empty_like(x)
    at_once = max(1, _VALUES_AT_A_TIME // d)
    for start in range(0, len(x), at_once):
        rows = slice(start, start + at_once)
        result[rows] = _counted(x[rows] + np.float32(0), weights)  # -0.0 becomes 0.0
    return result


def _counted(x: NDArray[np.float32], weights: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Uniforms from a counter per value, started at the record's hash."""
    d = x.shape[1]
    bits = x.view(np.uint32).astype(np.uint64)
    content = (bits * (weights[:d] | np.uint64(1))).sum(axis=1, dtype=np.uint64)
    places: NDArray[np.uint64] = _GOLDEN * np.arange(1, d + 1, dtype=np.uint64)
    counters = _mixed(content + weights[d])[:, None] + places
    return (_mixed(counters) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of SplitMix64 (Steele, Lea & Flood 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
