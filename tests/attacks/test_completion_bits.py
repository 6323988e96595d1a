"""Costs of many completions: a shared walk against one completion at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byrote import Canary, InvalidInput
from byrote.attacks.completion_bits import candidate_bits
from byrote.attacks.enumeration import enumerate_bits

from chains import Broken, Chain, Merging, Table, digit_table, plain_table

CANARIES = {
    "digits": Canary("ab {digits:3}"),
    "between": Canary("ab{digits:1}a{digits:1}b b"),
    "words": Canary("a{w} {digits:1}", words={"w": ["0", "12", "a34", "a35 9", "777777"]}),
    "no prefix": Canary("{}", alphabet="ba0", length=4),
}


@pytest.mark.parametrize("name", CANARIES)
@settings(max_examples=8)
@given(
    seed=st.integers(0, 99),
    order=st.integers(1, 3),
    batch=st.sampled_from([1, 3, 50, 4096]),
    data=st.data(),
)
def test_costs_are_those_of_one_completion_at_a_time(name, seed, order, batch, data):
    canary, model = CANARIES[name], Chain(seed, order=order)
    table, texts = plain_table(model, canary), list(canary.format)
    chosen = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=40))
    found = candidate_bits(model, canary, [texts[i] for i in chosen], batch_size=batch)
    np.testing.assert_array_equal(found, table[chosen])


@pytest.mark.parametrize("name", CANARIES)
@pytest.mark.parametrize("batch", [1, 7, 4096])
def test_enumeration_gives_every_completion_once(name, batch):
    canary, model = CANARIES[name], Chain(5, order=2)
    chunks = list(enumerate_bits(model, canary, batch_size=batch))
    index, bits = (np.concatenate(part) for part in zip(*chunks, strict=True))
    assert sorted(index.tolist()) == list(range(canary.space_size))
    np.testing.assert_array_equal(bits, plain_table(model, canary)[index])


def test_a_million_in_bounded_batches_and_few_steps():
    canary, model = Canary("ab {digits:6}"), Chain(3)
    model.stepper = lambda: Table(model)
    bits = np.full(10**6, np.nan)
    for index, part in enumerate_bits(model, canary):
        bits[index] = part
    np.testing.assert_array_equal(bits, digit_table(model, canary.prefix, 6))
    assert model.read == 111_111  # every beginning once, no completion
    assert model.largest <= 4096


@pytest.mark.parametrize("seed", range(3))
def test_tokens_of_several_characters(seed):
    canary, model = Canary("ab {digits:3}a"), Merging(seed, order=2)
    table = plain_table(model, canary, after=1)  # "b 28" changes all but the first token
    texts = canary.format.sample(100, np.random.default_rng(seed))
    want = table[[canary.format.index(text) for text in texts]]
    np.testing.assert_array_equal(candidate_bits(model, canary, texts), want)
    (index, bits), *none = enumerate_bits(model, canary)
    assert not none
    np.testing.assert_array_equal(bits, table[index])


def test_order_and_nothing():
    canary, model = CANARIES["digits"], Chain(0)
    assert candidate_bits(model, canary, []).shape == (0,)
    both = candidate_bits(model, canary, ["999", "000", "999"])
    assert both[0] == both[2] != both[1]


CASES = [
    ("too large", lambda: enumerate_bits(Chain(0), Canary("{digits:9}")), "1,000,000,000: use"),
    ("other format", lambda: candidate_bits(Chain(0), Canary("{digits:2}"), ["1a"]), "character 2"),
    ("too short", lambda: candidate_bits(Chain(0), Canary("{digits:2}"), ["1"]), "too early"),
    (
        "batch",
        lambda: candidate_bits(Chain(0), Canary("{digits:2}"), ["11"], batch_size=0),
        "batch",
    ),
    ("lacking", lambda: candidate_bits(Chain(0), Canary("{letters:2}"), ["ab"]), "U\\+0041"),
    ("nan", lambda: candidate_bits(Broken(np.nan), Canary("{digits:1}"), ["1"]), "NaN"),
    ("above 1", lambda: candidate_bits(Broken(-0.1), Canary("{digits:1}"), ["1"]), "sum to 11.76"),
]


@pytest.mark.parametrize(("case", "call", "message"), CASES, ids=[case[0] for case in CASES])
def test_bad_input(case, call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
