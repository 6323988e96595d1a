"""Roots of functions that are quick to compute, without a library that is slow to load."""

from collections.abc import Callable


def decreasing_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Find where a decreasing function passes zero between two numbers, to the last bit.

    Examples
    --------
    >>> decreasing_root(lambda x: 2 - x * x, 0.0, 2.0) == 2**0.5
    True
    """
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return float(high)
