"""Other memberships of values in exchangeable groups: all of them, or a random choice."""

from collections.abc import Iterable
from itertools import combinations
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Generator = np.random.Generator

_FEW = 400  # memberships, up to which each of them is taken once
_SHUFFLED = 1000  # values of a group, up to which its memberships are drawn by shuffling


def other_members(member: Flags, group: Indices, draws: int, generator: Generator) -> Flags:
    """Memberships with as many members in each group, (k, c), but for the one given.

    All of them if they are few, and otherwise ``draws`` random ones.

    Examples
    --------
    >>> member, group = np.array([True, True, False, True]), np.array([0, 0, 0, 1])
    >>> other_members(member, group, 100, np.random.default_rng(0)).astype(int)
    array([[0, 1, 1, 1],
           [1, 0, 1, 1]])
    """
    columns = [np.flatnonzero(group == number) for number in np.unique(group)]
    sizes = [(len(places), int(member[places].sum())) for places in columns]
    if number_of_memberships(sizes) <= _FEW:
        members = np.zeros((1, len(member)), np.bool_)
        for places, (_, k) in zip(columns, sizes, strict=True):
            chosen = np.array([*combinations(places, k)], np.intp)
            of_group = np.zeros((len(chosen), len(member)), np.bool_)
            np.put_along_axis(of_group, chosen, values=True, axis=1)
            members = (members[:, None] | of_group).reshape(-1, len(member))
        members = np.unique(members, axis=0)
    elif len(columns) == 1:
        members = _shuffled(member, draws, generator)
    else:
        members = np.empty((draws, len(member)), np.bool_)
        for places in columns:
            members[:, places] = _shuffled(member[places], draws, generator)
    return members[(members != member).any(axis=1)]


def _shuffled(member: Flags, draws: int, generator: Generator) -> Flags:
    """Draw random memberships with as many members, (draws, c).

    Of many values each gets a coin of its own, which is faster than a shuffle; then random ones of
    the side that has too many change sides, so that all sets of this size stay equally likely.
    """
    if len(member) <= _SHUFFLED:
        return generator.permuted(np.broadcast_to(member, (draws, len(member))), axis=1)
    count = int(member.sum())
    coins = generator.integers(256, size=(draws, len(member)), dtype=np.uint8)
    members = coins < round(256 * count / len(member))
    for row, surplus in zip(members, (members.sum(axis=1) - count).tolist(), strict=True):
        too_many = np.flatnonzero(row == (surplus > 0))
        changed = generator.choice(too_many, abs(surplus), replace=False, shuffle=False)
        row[changed] = surplus < 0
    return members


def number_of_memberships(sizes: Iterable[tuple[int, int]]) -> int:
    """Number of memberships of groups with sizes (c, k), of which k of c values are members.

    Examples
    --------
    >>> number_of_memberships([(3, 2)] * 6), number_of_memberships([(8, 4)])
    (729, 70)
    """
    return prod(comb(c, k) for c, k in sizes)
