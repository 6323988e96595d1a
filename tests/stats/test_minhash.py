"""MinHash against its formula and exact Jaccard; shared passages against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byrote.stats.minhash import (
    candidate_probability,
    jaccard,
    near_pairs,
    ngram_hashes,
    signature,
)
from byrote.stats.shared_passages import others_with_passage, shared_passages


def overlapping(similarity, size=400):
    """Two sets of hashes with a similarity near this."""
    shared = round(2 * size * similarity / (1 + similarity))
    numbers = np.arange(2 * size - shared)
    return [np.sort(ngram_hashes(part, 1)) for part in (numbers[:size], numbers[size - shared :])]


@pytest.mark.parametrize(
    ("rows", "bands", "want"),
    [(20, 450, [0.302, 0.761, 0.995]), (8, 14, [0.5645, 0.7716, 0.9235])],
)
def test_published_probabilities_of_candidates(rows, bands, want):
    got = candidate_probability([0.7, 0.75, 0.8], bands, rows)
    np.testing.assert_allclose(got, want, atol=5e-5 if bands == 14 else 5e-4)
    assert candidate_probability([0, 1], bands, rows).tolist() == [0, 1]


@pytest.mark.parametrize("similarity", [0.1, 0.5, 0.9])
def test_signatures_agree_as_often_as_the_sets_are_similar(similarity):
    first, second = overlapping(similarity)
    exact = len(set(first.tolist()) & set(second.tolist())) / len(
        set(first.tolist()) | set(second.tolist())
    )
    assert jaccard(first, second) == pytest.approx(exact)
    places = 4000
    agree = (signature(first, places) == signature(second, places)).mean()
    assert abs(agree - exact) < 4 * np.sqrt(exact * (1 - exact) / places)


def test_pairs_become_candidates_as_often_as_the_formula_says():
    exact, found = [], 0
    for trial in range(200):
        sets = [np.sort(part + np.uint64(7919 * trial)) for part in overlapping(0.6, 120)]
        exact.append(jaccard(*sets))
        found += len(near_pairs(sets, 0.0, bands=5, rows=4)[0])
    want = float(candidate_probability(exact, 5, 4).mean())
    assert abs(found / 200 - want) < 4 * np.sqrt(want * (1 - want) / 200)


def test_near_duplicates_are_found_and_stay_connected():
    generator = np.random.default_rng(0)
    originals = generator.integers(0, 5000, (40, 300))
    copies = np.repeat(originals[:10], 6, axis=0)
    for row in copies:
        row[generator.integers(0, 300, 3)] = generator.integers(0, 5000, 3)
    sets = [np.unique(ngram_hashes(tokens, 5)) for tokens in [*originals, *copies]]
    pairs, similarity = near_pairs(sets, 0.8)
    family = np.concatenate([np.arange(40), np.repeat(np.arange(10), 6)])
    assert (family[pairs[:, 0]] == family[pairs[:, 1]]).all()
    assert similarity.min() >= 0.8
    for pair, value in zip(pairs, similarity, strict=True):
        assert jaccard(*(sets[number] for number in pair)) == value
    near = [k for k in range(40, 100) if jaccard(sets[family[k]], sets[k]) >= 0.8]
    assert set(near) <= set(pairs.ravel().tolist())


def test_empty_sets_are_like_nothing():
    sets = [np.empty(0, dtype=np.uint64)] * 2
    assert len(near_pairs(sets, 0.5)[0]) == 0
    assert jaccard(*sets) == 1


def longest_shared(texts, length, number):
    """By comparing every passage with every other."""
    passages = [
        {tuple(text[k : k + length]) for k in range(len(text) - length + 1)} for text in texts
    ]
    others = set().union(*(p for k, p in enumerate(passages) if k != number))
    text, covered = texts[number], [False] * len(texts[number])
    for start in range(len(text) - length + 1):
        if tuple(text[start : start + length]) in others:
            covered[start : start + length] = [True] * length
    starts = [tuple(text[k : k + length]) in others for k in range(len(text) - length + 1)]
    best = run = 0
    for hit in [*starts, False]:
        run = run + 1 if hit else 0
        best = max(best, run + length - 1 if run else 0)
    return best


@settings(max_examples=50)
@given(
    texts=st.lists(st.lists(st.integers(0, 2), max_size=14), min_size=1, max_size=4),
    length=st.integers(1, 4),
)
def test_shared_passages_are_those_of_brute_force(texts, length):
    result = shared_passages([np.array(text, dtype=int) for text in texts], length)
    assert result.longest.tolist() == [longest_shared(texts, length, k) for k in range(len(texts))]
    for number, other in enumerate(result.other.tolist()):
        assert (other >= 0) == (result.longest[number] > 0)
        assert other != number


@settings(max_examples=50)
@given(
    texts=st.lists(st.lists(st.integers(0, 2), max_size=14), min_size=1, max_size=5),
    length=st.integers(1, 4),
)
def test_other_texts_with_a_passage_are_counted_as_by_brute_force(texts, length):
    def passages(text):
        return [tuple(text[k : k + length]) for k in range(len(text) - length + 1)]

    counts = others_with_passage([np.array(text, dtype=int) for text in texts], length)
    for number, text in enumerate(texts):
        others = [set(passages(other)) for k, other in enumerate(texts) if k != number]
        expected = [sum(passage in other for other in others) for passage in passages(text)]
        assert counts[number].tolist() == expected
