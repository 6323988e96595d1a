"""Windows against enumeration; published numbers of discoverable extraction."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byrote.attacks.decoding import PLAIN, Decoding
from byrote.attacks.discoverable_extraction import discovery_probability, samples_to_discover
from byrote.attacks.near_verbatim import near_verbatim
from byrote.attacks.recitation import cut_windows, longest_run, window_costs, window_starts
from byrote.models.language.steppers import PrefixStepper

from chains import Chain

SAMPLERS = [
    PLAIN,
    Decoding(top_k=2),
    Decoding(temperature=0.5),
    Decoding(top_k=3, temperature=1.7),
]


def next_probabilities(model, ids, decoding):
    """By the definition: p^(1/T), the k most likely, normalized."""
    p = np.exp(model.next_log_probs([ids])[0]) ** (1 / decoding.temperature)
    k = decoding.top_k or len(p)
    p = np.where(p >= np.sort(p)[::-1][min(k, len(p)) - 1], p, 0)
    return p / p.sum()


def every_suffix(model, prefix, length, decoding):
    """Yield all suffixes with their probabilities."""
    for suffix in itertools.product(range(len(model.strings)), repeat=length):
        p = 1.0
        for place, token in enumerate(suffix):
            p *= next_probabilities(model, [*prefix, *suffix[:place]], decoding)[token]
        yield suffix, p


@pytest.mark.parametrize("decoding", SAMPLERS, ids=str)
def test_probabilities_of_windows_are_those_of_brute_force(decoding):
    model, prefix = Chain(3, alphabet="abcd", order=2), [0, 1]
    table = dict(every_suffix(model, prefix, 3, decoding))
    assert math.fsum(table.values()) == pytest.approx(1)
    windows = np.array([[*prefix, *suffix] for suffix in table])
    hits, bits = window_costs(model, windows, 2, [PLAIN, decoding])
    np.testing.assert_allclose(np.exp2(-bits[1]), list(table.values()), rtol=1e-9, atol=0)
    likeliest = [
        int(next_probabilities(model, row[:2], PLAIN).argmax()) for row in windows.tolist()
    ]
    np.testing.assert_array_equal(hits[:, 0], windows[:, 2] == likeliest)


def test_tokens_outside_the_k_most_likely_are_never_sampled_and_ties_belong_to_them():
    costs = np.array([[1.0, 2.0, 3.0, 3.0, 9.0]])
    assert np.isinf(Decoding(top_k=2).costs(costs)[0]).tolist() == [False, False, True, True, True]
    assert np.isinf(Decoding(top_k=3).costs(costs)[0]).tolist() == [
        False,
        False,
        False,
        False,
        True,
    ]
    assert Decoding(top_k=9).costs(costs) is costs


def levenshtein(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 5),
    sharp=st.sampled_from([0.3, 3.0, 30.0]),
    suffix=st.lists(st.integers(0, 2), min_size=1, max_size=4),
    edits=st.integers(0, 3),
    decoding=st.sampled_from([PLAIN, Decoding(top_k=2)]),
    batch_size=st.sampled_from([1, 3, 16]),
    max_queries=st.sampled_from([1, 2, 5, 20, 10**6]),
)
def test_bounds_on_near_verbatim_suffixes_hold_and_meet(
    seed, sharp, suffix, edits, decoding, batch_size, max_queries
):
    model, prefix = Chain(seed, alphabet="abc", order=2, sharp=sharp), [0]
    every = every_suffix(model, prefix, len(suffix), decoding)
    truth = math.fsum(p for other, p in every if levenshtein(other, suffix) <= edits)
    low, high, queries = near_verbatim(
        PrefixStepper(model),
        np.array(prefix),
        np.array(suffix),
        edits=edits,
        decoding=decoding,
        batch_size=batch_size,
        max_queries=max_queries,
        precision=0,
    )
    assert low <= truth * (1 + 1e-12)
    assert truth <= high * (1 + 1e-12)
    assert queries <= max_queries
    if max_queries == 10**6:
        assert low == pytest.approx(high, rel=1e-8, abs=1e-300)


def test_the_unlikely_has_an_upper_bound_as_small():
    """One minus the probability elsewhere would end at the rounding of 1."""
    nats = np.log([1e-10, 1 - 1e-10])

    class Sure:
        def next_log_probs(self, prefixes):
            return np.tile(nats, (len(prefixes), 1))

    low, high, _ = near_verbatim(
        PrefixStepper(Sure()), np.array([0]), np.array([0, 0]), edits=0, precision=0
    )
    assert low == pytest.approx(1e-20)
    assert high == pytest.approx(1e-20)


def test_children_that_are_never_read_stay_in_the_upper_bound(monkeypatch):
    monkeypatch.setattr("byrote.attacks.near_verbatim._CHILDREN", 2)
    model, suffix = Chain(1, alphabet="abcd", sharp=0.5), (0, 1, 2)
    every = every_suffix(model, [3], 3, PLAIN)
    truth = math.fsum(p for other, p in every if levenshtein(other, suffix) <= 2)
    low, high, _ = near_verbatim(
        PrefixStepper(model), np.array([3]), np.array(suffix), edits=2, precision=0
    )
    assert low < truth < high


@pytest.mark.parametrize(
    ("p_z", "counts"),
    [
        (1e-3, {0.1: 106, 0.5: 693, 0.9: 2302, 0.999: 6905}),
        (1e-6, {0.1: 105_361, 0.5: 693_147, 0.9: 2_302_584}),
    ],
)
def test_published_numbers_of_samples(p_z, counts):
    bits = -math.log2(p_z)
    for p, n in counts.items():
        assert samples_to_discover(bits, p) == n
        assert discovery_probability(bits, n) >= p > discovery_probability(bits, n - 1)


def test_the_rarest_suffix_is_not_lost_to_rounding():
    assert 1 - (1 - 1e-17) ** 10**17 == 0  # the formula as it stands
    assert discovery_probability(-math.log2(1e-17), 10**17) == pytest.approx(1 - 1 / math.e)
    assert discovery_probability(math.inf, 10**17) == 0
    assert samples_to_discover(math.inf, 0.5) == math.inf


@given(
    tokens=st.integers(0, 30),
    prefix=st.integers(1, 5),
    suffix=st.integers(1, 5),
    stride=st.integers(1, 7),
)
def test_windows_are_all_that_fit(tokens, prefix, suffix, stride):
    starts = window_starts(tokens, prefix, suffix, stride)
    fits = [s for s in range(0, tokens + 1, stride) if s + prefix + suffix <= tokens]
    assert starts.tolist() == fits
    cut = cut_windows(range(tokens), starts, prefix + suffix)
    assert cut.tolist() == [list(range(s, s + prefix + suffix)) for s in fits]


@given(data=st.data(), suffix=st.integers(1, 4), stride=st.integers(1, 6))
def test_the_longest_run_goes_on_across_windows(data, suffix, stride):
    count = data.draw(st.integers(1, 6))
    flags = st.lists(st.booleans(), min_size=suffix, max_size=suffix)
    hits = np.array(data.draw(st.lists(flags, min_size=count, max_size=count)))
    starts = stride * np.arange(count)
    by_place = {}
    for row, start in zip(hits, starts, strict=True):
        for offset, hit in enumerate(row):
            by_place.setdefault(start + offset, []).append(hit)
    line = [all(by_place.get(place, [False])) for place in range(max(by_place) + 1)]
    runs = [len(list(run)) for hit, run in itertools.groupby(line) if hit]
    assert longest_run(hits, starts) == max(runs, default=0)
