"""What extraction reports, greedy completion, and how often one must ask."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import byrote
from byrote import Canary, InvalidInput
from byrote.attacks.discoverable_extraction import (
    discovery_probability,
    greedy_completions,
    samples_to_discover,
)
from byrote.attacks.extraction import extract_with_ranks
from byrote.attacks.ranks import find_ranks

from chains import Broken, Chain, Merging, OneString, Table, digit_table, plain_rank, plain_table
from languages import Ngram

CANARY = Canary("ab {digits:3}", secret="345")


@pytest.mark.parametrize("kind", [Chain, Merging])
@pytest.mark.parametrize("seed", range(4))
def test_text_and_rank_are_those_of_brute_force(kind, seed):
    model = kind(seed, order=2)
    after = 1 if kind is Merging else 3  # " 1" and "b 28" merge with the prefix
    table = plain_table(model, CANARY, after)
    found = byrote.extract(model, CANARY, top=4)
    best = np.argsort(table, kind="stable")[:4]
    assert [text for text, _ in found.completions] == [f"{place:03d}" for place in best]
    assert [bits for _, bits in found.completions] == table[best].tolist()
    assert found.certified
    assert found.certified_count == 4
    assert found.rank == found.rank_low == found.rank_high == plain_rank(table, table[345])
    assert found.secret_bits == table[345]
    assert found.queries <= found.rank_queries
    assert found.matches is False


def test_a_memorized_secret_is_certain_after_few_queries():
    canary = Canary("{digits:9}", secret="281265017")
    found = byrote.extract(OneString("281265017", 0.5), canary, batch_size=1)
    assert (found.text, found.certified, found.rank, found.matches) == ("281265017", True, 1, True)
    assert found.queries == 225
    assert repr(found) == (
        "Extraction('*********', 9.000 bits, 225 queries, certified,"
        " secret's rank 1 of 1,000,000,000)"
    )


def test_without_secret_and_another_prefix():
    model, canary = Chain(3), Canary("ab {digits:2}")
    found = byrote.extract(model, canary)
    assert np.isnan(found.rank)
    assert found.matches is None
    other = byrote.extract(model, canary, prefix="b1")
    table = plain_table(model, Canary("b1{digits:2}"))
    assert other.text == f"{table.argmin():02d}"
    assert other.bits == table.min()


def test_a_budget_too_small_is_said():
    canary = Canary("ab {digits:6}", secret="123456")
    model = Chain(2)
    model.stepper = lambda: Table(model)
    table = digit_table(model, canary.prefix, 6)
    rank = plain_rank(table, table[123456])
    for queries in (1, 3, 50, 2000):
        found = byrote.extract(model, canary, max_queries=queries, batch_size=8)
        assert found.queries <= queries
        assert found.rank_low <= rank <= found.rank_high
        assert not found.certified or found.bits == table.min()
    none = byrote.extract(model, canary, max_queries=1)
    assert none.text is None
    assert not none.certified
    assert repr(none) == "Extraction(nothing found, 1 queries, not certified)"


@pytest.mark.parametrize("top", [1, 5, 40])
def test_one_search_gives_what_two_searches_give(top):
    canary, texts = Canary("ab {digits:3}"), ["123", "999", "050"]
    model = Chain(1)
    extraction, ranks = extract_with_ranks(model, canary, texts, top=top)
    alone = byrote.extract(model, canary, top=top)
    assert (extraction.completions, extraction.certified_count) == (
        alone.completions,
        alone.certified_count,
    )
    assert extraction.queries == alone.queries
    apart = find_ranks(model, canary, texts, method="search", max_queries=50_000)
    np.testing.assert_array_equal(ranks.rank, apart.rank)
    np.testing.assert_allclose(ranks.bits, apart.bits)
    assert ranks.queries < extraction.queries + apart.queries
    assert len(extract_with_ranks(model, canary, [], top=top)[1]) == 0


@settings(max_examples=25)
@given(st.integers(0, 99), st.booleans(), st.integers(0, 999))
def test_greedy_takes_the_likeliest_at_each_step(seed, words, place):
    canary = CANARY
    if words:
        canary = Canary("a{w} {digits:1}", words={"w": ["0", "12", "a34", "a35 9", "777777"]})
    canary = canary.with_secret(canary.secrets_in(canary.format.at(place % canary.space_size)))
    model, own, texts = Chain(seed, order=2), canary.completion, list(canary.format)
    done = greedy_completions(model, canary)
    assert [each.prefix for each in done] == list(range(len(own)))
    for each in done:
        text = own[: each.prefix]
        while text not in texts:
            allowed = {t[len(text)] for t in texts if t.startswith(text)}
            costs = {c: -model.row(model.encode(canary.prefix + text))[model.strings.index(c)]
                     for c in allowed}  # fmt: skip
            text += max(costs, key=costs.get)
        assert each.text == text
        assert each.matches == (text == own)
        assert own not in repr(each)


def test_greedy_needs_the_part_that_is_not_predicted():
    canary = Canary("{digits:9}", secret="281265017")
    model = OneString("999965017", 0.5)
    found = [each.matches for each in greedy_completions(model, canary)]
    assert found == [False] * 4 + [True] * 5  # "2812" gives "65017"


def test_samples_to_discover_published():
    bits = -np.log2(0.001)
    assert [samples_to_discover(bits, p) for p in (0.1, 0.5, 0.9)] == [106, 693, 2302]
    assert discovery_probability(bits, 693) >= 0.5 > discovery_probability(bits, 692)


@given(st.floats(0.01, 60), st.integers(1, 10**6))
def test_discovery_is_the_complement_of_n_failures(bits, n):
    with localcontext(prec=60):
        want = 1 - (1 - Decimal(2.0**-bits)) ** n
    np.testing.assert_allclose(discovery_probability(bits, n), float(want), rtol=1e-12)


@settings(deadline=None)
@given(st.floats(0, 1e-3), st.integers(1, 5))
def test_a_completion_that_is_nearly_certain_is_missed_as_rarely_as_it_should_be(bits, n):
    with localcontext(prec=60):
        want = (1 - Decimal(2) ** -Decimal(bits)) ** n
    missed = 1 - discovery_probability(bits, n)
    np.testing.assert_allclose(missed, float(want), rtol=1e-12, atol=1e-15)


@settings(deadline=None)
@given(st.floats(0, 80), st.integers(1, 2**53))
def test_samples_to_discover_is_the_inverse_of_the_probability(bits, n):
    p = discovery_probability(bits, n)
    assume(0 < p < 1)  # rounding to 1 forgets n
    least = int(samples_to_discover(bits, p))
    assert least <= n
    assert discovery_probability(bits, least) >= p
    if least > 1 and least - 1 == float(least - 1):
        assert discovery_probability(bits, least - 1) < p


@settings(deadline=None)
@given(st.floats(0.5, 60), st.floats(1e-9, 1, exclude_max=True))
def test_the_least_number_of_samples_is_the_formulas(bits, p):
    with localcontext(prec=60):
        exact = (1 - Decimal(p)).ln() / (1 - Decimal(2) ** -Decimal(bits)).ln()
    least = samples_to_discover(bits, p)
    assert least >= 1
    assert least == max(1, math.ceil(exact)) or abs(Decimal(least) - exact) <= 1 + abs(
        exact * Decimal(1e-12 / (1 - p))  # p near 1 is known no better
    )


@pytest.mark.parametrize("bits", [0.3, 1.0, 5.0, 17.2, 40.0])
def test_a_number_of_samples_comes_back_from_its_probability(bits):
    last = min(400, int(9 * 2**bits))
    assert [samples_to_discover(bits, discovery_probability(bits, n)) for n in range(1, last)] == [
        *range(1, last)
    ]


def test_discovery_at_the_ends():
    assert discovery_probability(0, 1) == samples_to_discover(0, 0.5) == 1
    assert discovery_probability(np.inf, 9) == 0
    assert samples_to_discover(np.inf, 0.5) == np.inf


CASES = [
    ("top", lambda: byrote.extract(Chain(0), CANARY, top=0), "top must"),
    ("budget", lambda: byrote.extract(Chain(0), CANARY, max_queries=0), "max_queries must"),
    ("frontier", lambda: byrote.extract(Chain(0), CANARY, max_frontier=0), "max_frontier must"),
    ("batch", lambda: byrote.extract(Chain(0), CANARY, batch_size=0), "batch_size must"),
    (
        "lacking",
        lambda: byrote.extract(Chain(0), Canary("{letters:2}")),
        "no token contains U\\+0041",
    ),
    ("nan", lambda: byrote.extract(Broken(np.nan), CANARY), "NaN"),
    ("no secret", lambda: greedy_completions(Chain(0), Canary("{digits:2}")), "have a secret"),
    ("bits", lambda: discovery_probability(-1, 3), "bits must"),
    ("samples", lambda: discovery_probability(1, 0), "n must"),
    ("probability", lambda: samples_to_discover(1, 1.0), "p must"),
]


@pytest.mark.parametrize(("case", "call", "message"), CASES, ids=[case[0] for case in CASES])
def test_bad_input(case, call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


class Four:
    """What a language model of a user must have, and nothing else."""

    def __init__(self, model):
        self.encode, self.decode = model.encode, model.decode
        self.next_log_probs, self.score_samples = model.next_log_probs, model.score_samples


def fitted_ngram():
    return Ngram(order=4).fit([f"line {k}: the pin is {k * 37 % 100:02d}\n" for k in range(40)])


def test_four_methods_are_a_language_model():
    model, canary = fitted_ngram(), Canary("pin is {digits:2}", secret="37")
    whole, four = (byrote.extract(one, canary, top=5) for one in (model, Four(model)))
    assert four.completions == whole.completions
    assert (four.certified, four.rank) == (True, whole.rank)
    secrets = [canary.drawn(seed) for seed in range(3)]
    for method in ("exact", "search", "sampled"):
        whole, four = (
            byrote.expose(one, secrets, method=method, references=50)
            for one in (model, Four(model))
        )
        assert (four.bits == whole.bits).all()


@pytest.mark.parametrize("name", ["encode", "decode", "next_log_probs"])
def test_a_method_that_is_missing_is_named(name):
    model = Four(fitted_ngram())
    delattr(model, name)
    for call in (byrote.extract, lambda model, canary: byrote.expose(model, [canary])):
        with pytest.raises(InvalidInput, match=f"Four has no {name}"):
            call(model, CANARY)
