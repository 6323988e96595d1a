"""Different numbers at random, also where there are more of them than 64 bits can count."""

from bisect import bisect_right
from collections.abc import Set as AbstractSet

import numpy as np

_INT64 = 1 << 63


def draw_distinct(
    n: int, size: int, generator: np.random.Generator, *, without: AbstractSet[int] = frozenset()
) -> list[int]:
    """``n`` different numbers of ``range(size)`` in random order, none of those in ``without``.

    Every sequence of different numbers is equally likely: the first n steps of Fisher and Yates's
    shuffle, which remembers only the numbers it moved. With the same generator, fewer are the first
    of more. There must be ``n`` numbers left.

    Examples
    --------
    >>> sorted(draw_distinct(4, 5, np.random.default_rng(0), without={3}))
    [0, 1, 2, 4]
    >>> draw_distinct(1, 2**122, np.random.default_rng(0))[0] > 2**64
    True
    """
    left = size - len(without)
    moved: dict[int, int] = {}
    drawn = []
    for step, further in enumerate(_draw_below(left, n, generator)):
        drawn.append(moved.get(step + further, step + further))
        moved[step + further] = moved.get(step, step)
    gaps = [number - place for place, number in enumerate(sorted(without))]
    return [number + bisect_right(gaps, number) for number in drawn]


def _draw_below(bound: int, n: int, generator: np.random.Generator) -> list[int]:
    """One number below each of bound, bound - 1, … (n of them)."""
    if bound < _INT64:
        numbers: list[int] = generator.integers(np.arange(bound, bound - n, -1)).tolist()
        return numbers
    return [_draw_large(bound - step, generator) for step in range(n)]


def _draw_large(bound: int, generator: np.random.Generator) -> int:
    """A number below ``bound``: random bits, again until they are below."""
    bits = bound.bit_length()
    while True:
        number = int.from_bytes(generator.bytes(-(-bits // 8)), "little") >> -bits % 8
        if number < bound:
            return number
