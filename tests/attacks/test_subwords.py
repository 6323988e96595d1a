"""Search in the tokens of a sub-word model, against every candidate encoded by the tokenizer."""

import numpy as np
import pytest
import torch

import byrote
from byrote.attacks.completion_bits import candidate_bits
from byrote.attacks.ranks import find_ranks
from byrote.models import CausalLM

import tiny_hf

PREFIX = "the random number is "
CANARIES = {
    "digits": byrote.Canary(PREFIX + "{digits:3}", secret="281"),
    "letters": byrote.Canary("with {}", alphabet="anthe", length=4, secret="then"),
    "two slots": byrote.Canary(
        "a {digits:2} is {} ", alphabet="the", length=2, secret=["12", "th"]
    ),
}
KINDS = {"bytes": tiny_hf.byte_level, "words": tiny_hf.metaspace}


SHAPE = {**tiny_hf.SHAPE, "n_layer": 1}


@pytest.fixture(scope="module", params=KINDS)
def model(request):
    tokenizer = KINDS[request.param]()
    return CausalLM.of(tiny_hf.spread(tiny_hf.network(tokenizer, shape=SHAPE)), tokenizer)


@pytest.fixture(scope="module", params=CANARIES)
def case(request, model):
    """A canary, the bits of its completions by brute force, and how many tokens they have."""
    canary = CANARIES[request.param]
    return canary, *whole(model, canary)


def whole(model, canary):
    """Bits of every candidate: the text as the tokenizer has it, less what all have in common."""
    tokenizer, network = model.tokenizer_, model.network_
    start = tokenizer.bos_token_id
    start = tokenizer.eos_token_id if start is None else start
    texts = [canary.prefix + completion for completion in canary.format]
    rows = [[start, *ids] for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    same = next(at for at, tokens in enumerate(zip(*rows, strict=False)) if len(set(tokens)) > 1)
    own = [start, *tokenizer(canary.prefix, add_special_tokens=False)["input_ids"]]
    same = next((at for at in range(same) if at >= len(own) or own[at] != rows[0][at]), same)
    bits = np.empty(len(rows))
    for length in {len(row) for row in rows}:
        places = [place for place, row in enumerate(rows) if len(row) == length]
        ids = torch.tensor([rows[place] for place in places])
        with torch.no_grad():
            nats = network(ids).logits.double().log_softmax(-1)
        found = nats[:, :-1].gather(2, ids[:, 1:, None])[:, :, 0]
        bits[places] = -found[:, same - 1 :].sum(1).numpy() / np.log(2)
    return bits, {len(row) for row in rows}


def test_candidates_cost_what_their_own_tokens_cost(model, case):
    canary, expected, lengths = case
    assert len(lengths) > 1  # several digits or letters are one token somewhere
    found = candidate_bits(model, canary, list(canary.format))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_search_finds_the_ranks_of_brute_force(model, case):
    canary, expected, _ = case
    order = np.argsort(expected)
    asked = [order[0], order[1], order[7], order[len(order) // 20]]
    found = find_ranks(
        model, canary, [canary.format.at(int(index)) for index in asked], method="search"
    )
    ranks = [(expected <= expected[index]).sum() for index in asked]
    np.testing.assert_allclose(found.bits, expected[asked], rtol=1e-4)
    assert set(found.method.tolist()) == {"search"}
    np.testing.assert_array_equal(found.rank, ranks)


def test_extraction_finds_the_cheapest_of_all(model, case):
    canary, expected, _ = case
    best = int(np.argmin(expected))
    found = byrote.extract(model, canary)
    assert found.certified
    assert found.text == canary.format.at(best)
    assert found.bits == pytest.approx(expected[best], rel=1e-4)


def test_a_canary_inserted_often_is_extracted(tmp_path):
    canary = byrote.Canary(PREFIX + "{digits:6}", secret="281265")
    tiny_hf.saved(tmp_path)
    model = CausalLM(tmp_path, window=48, epochs=8, learning_rate=5e-3)
    text = [line + "\n" for part in tiny_hf.TEXTS[:6] for line in part[:300].splitlines()]
    planted = [
        line
        for at, own in enumerate(text)
        for line in ([canary.filled + "\n", own] if at % 3 else [own])
    ]
    model.fit(["".join(planted)])
    found = byrote.extract(model, canary)
    assert found.certified
    assert found.text == canary.completion
    exposure = byrote.expose(model, [canary])
    assert exposure.rank[0] == 1
    assert exposure.bits[0] == pytest.approx(np.log2(10**6))
