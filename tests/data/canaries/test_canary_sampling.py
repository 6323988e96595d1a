"""Samples: uniform at every place, different, and none that is excluded."""

import collections
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from byrote.data.canaries import Canary
from byrote.data.canaries.format import draw_distinct
from byrote.errors import InvalidInput

N = 5_000


def uniform(counts):
    return stats.chisquare(counts).pvalue > 1e-3


UUID = dict.fromkeys((8, 13, 18, 23), 1) | {14: 1, 19: 4}  # hyphens, version, variant


@pytest.mark.parametrize(
    ("text", "usual", "others"),
    [
        ("{digits:9}", 10, {}),
        ("{digits:19}", 10, {}),
        ("{credit_card:luhn}", 10, {}),
        ("{uuid}", 16, UUID),
    ],
)
def test_every_place_is_uniform(text, usual, others):
    """A generator that sorts before it cuts, or keeps strings to a width, fails at some place."""
    space = Canary(text).format
    drawn = space.sample(N, np.random.default_rng(4))
    indices = draw_distinct(N, space.size, np.random.default_rng(4))
    assert drawn == [space.at(index) for index in indices]
    assert len(set(drawn)) == N
    assert len(set(map(len, drawn))) == 1
    for place, characters in enumerate(zip(*drawn, strict=True)):
        counts = collections.Counter(characters)
        assert len(counts) == others.get(place, usual), place
        assert len(counts) == 1 or uniform(list(counts.values())), place


def test_every_part_of_a_sample_is_uniform():
    """The first drawn are as uniform as the last: the order is random too."""
    canary = Canary("the random number is {digits:9}")
    references = canary.candidates(N, seed=5)
    for part in (references[: N // 2], references[N // 2 :]):
        assert uniform(np.bincount([int(text[0]) for text in part], minlength=10))
    ranks = stats.spearmanr(range(N), [int(text) for text in references])
    assert ranks.pvalue > 1e-3


def test_words_of_different_lengths_are_equally_likely():
    names = ["al", "bob", "charlotte", "ann", "anna"]
    space = Canary("{n} {digits:3}", words={"n": names}).format
    drawn = space.sample(2_000, np.random.default_rng(6))
    counts = collections.Counter(text.split(" ")[0] for text in drawn)
    assert set(counts) == set(names)
    assert uniform(list(counts.values()))


def test_every_ordered_choice_is_equally_likely():
    """The law itself, on a space small enough to count: 3 of 5 in order, one excluded, is 4·3·2."""
    rng = np.random.default_rng(7)
    counts = collections.Counter(
        tuple(draw_distinct(3, 5, rng, without={1})) for _ in range(24 * 200)
    )
    assert set(counts) == set(itertools.permutations([0, 2, 3, 4], 3))
    assert uniform(list(counts.values()))


def test_large_numbers_are_uniform():
    """Beyond 64 bits, just above a power of two, where taking remainders would show."""
    size = 3 * 2**99
    drawn = draw_distinct(3_000, size, np.random.default_rng(8))
    assert uniform(np.bincount([16 * number // size for number in drawn], minlength=16))
    assert uniform(np.bincount([number % 16 for number in drawn], minlength=16))


@given(st.integers(1, 40), st.data())
def test_whole_and_partial_spaces(size, data):
    without = data.draw(st.sets(st.integers(0, size - 1)))
    n = data.draw(st.integers(0, size - len(without)))
    seed = data.draw(st.integers(0, 2**32))
    left = set(range(size)) - without
    drawn = draw_distinct(n, size, np.random.default_rng(seed), without=without)
    assert len(set(drawn)) == len(drawn) == n
    assert set(drawn) <= left
    everything = draw_distinct(len(left), size, np.random.default_rng(seed), without=without)
    assert set(everything) == left
    assert everything[:n] == drawn  # fewer are the first of more


def test_exclusion_near_the_limit_of_large_spaces():
    space = Canary("{uuid}").format
    without = space.sample(100, np.random.default_rng(9))
    assert space.sample(100, np.random.default_rng(9)) == without
    assert not set(without) & set(space.sample(100, np.random.default_rng(9), without=without))


def test_whole_space_with_one_excluded_and_one_too_many():
    canary = Canary("pin {digits:2}", secret="42")
    assert sorted(canary.candidates(99)) == sorted(f"{i:02d}" for i in range(100) if i != 42)
    with pytest.raises(InvalidInput, match="n must be at most 99, the number of other compl"):
        canary.candidates(100)
    assert sorted(Canary("pin {digits:2}").candidates(100)) == [f"{i:02d}" for i in range(100)]
