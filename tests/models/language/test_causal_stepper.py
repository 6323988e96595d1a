"""Token by token over a shared prefix, against the whole text read again."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from byrote.errors import InvalidInput
from byrote.models import CausalLM

import tiny_hf

ARCHITECTURES = {
    "gpt2": {},
    "llama": {
        "model_type": "llama",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 64,
    },
    "sliding window": {
        "model_type": "mistral",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 64,
        "sliding_window": 5,
    },
    "recurrent": {"model_type": "mamba", "hidden_size": 32, "num_hidden_layers": 2},
}


def model_of(name):
    tokenizer = tiny_hf.byte_level()
    more = ARCHITECTURES[name]
    base = tiny_hf.SHAPE if not more else {}
    factor = {"gpt2": 12.0, "recurrent": 2.0}.get(name, 8.0)
    made = tiny_hf.network(tokenizer, shape={**base, **more})
    return CausalLM.of(tiny_hf.spread(made, factor), tokenizer)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request):
    return model_of(request.param)


def whole(model, ids):
    """Bits after a prefix by one forward pass over all of it."""
    every = torch.tensor([[model.tokenizer_.eos_token_id, *ids]])
    with torch.no_grad():
        logits = model.network_(every, use_cache=False).logits[0, -1].double()
    return -logits.log_softmax(-1).numpy() / np.log(2)


def test_steps_are_those_of_the_whole_text(model):
    prefix = model.encode("the random number is ")
    stepper = model.stepper()
    states, costs = stepper.start(prefix)
    assert len(states) == 1
    np.testing.assert_allclose(costs, [whole(model, prefix)], rtol=1e-4, atol=1e-4)
    assert np.ptp(costs) > 1  # a network that has preferences
    texts = np.array([[7, 8, 9, 3, 2], [30, 8, 8, 1, 0], [7, 300, 5, 5, 5]])
    states = states.take(np.zeros(3, dtype=np.intp))
    for length in range(1, 6):
        states, costs = stepper.step(states, texts[:, length - 1])
        expected = [whole(model, [*prefix, *text[:length]]) for text in texts]
        np.testing.assert_allclose(costs, expected, rtol=1e-4, atol=1e-3)
        assert (costs >= 0).all()


def test_states_of_several_lengths_and_prefixes_go_together(model):
    stepper = model.stepper()
    short, _ = stepper.start(model.encode("the"))
    long, _ = stepper.start(model.encode("the random number is "))
    two, _ = stepper.step(long.take(np.array([0, 0])), np.array([9, 10]))
    three, _ = stepper.step(two, np.array([11, 12]))
    mixed = short.joined([three.take(np.array([1])), two, long])
    after, costs = stepper.step(mixed, np.array([1, 2, 3, 4, 5]))
    the, number = model.encode("the"), model.encode("the random number is ")
    texts = [[*the, 1], [*number, 10, 12, 2], [*number, 9, 3], [*number, 10, 4], [*number, 5]]
    expected = [whole(model, text) for text in texts]
    np.testing.assert_allclose(costs, expected, rtol=1e-4, atol=1e-3)
    _, again = stepper.step(after.take(np.array([2, 0])), np.array([8, 8]))
    expected = [whole(model, [*texts[row], 8]) for row in (2, 0)]
    np.testing.assert_allclose(again, expected, rtol=1e-4, atol=1e-3)


@settings(max_examples=12)
@given(st.lists(st.lists(st.integers(0, 399), min_size=1, max_size=6), min_size=1, max_size=8))
def test_any_walk_gives_what_next_log_probs_gives(texts):
    model = WALKED[0] if WALKED else WALKED.append(model_of("gpt2")) or WALKED[0]
    stepper = model.stepper()
    prefix = model.encode("with ")
    rows = []
    for text in texts:
        state, costs = stepper.start(prefix)
        for token in text:
            state, costs = stepper.step(state, np.array([token]))
        rows.append(costs[0])
    nats = model.next_log_probs([[*prefix, *text] for text in texts])
    np.testing.assert_allclose(rows, -nats / np.log(2), rtol=1e-4, atol=1e-3)


WALKED = []


def test_many_states_are_read_in_parts():
    model = model_of("gpt2")
    stepper = model.stepper()
    state, _ = stepper.start(model.encode("the"))
    tokens = np.arange(3000) % 400
    states, costs = stepper.step(state.take(np.zeros(3000, dtype=np.intp)), tokens)
    for row in (0, 1, 399, 2999):
        expected = whole(model, [*model.encode("the"), tokens[row]])
        np.testing.assert_allclose(costs[row], expected, rtol=1e-4, atol=1e-3)
    assert len(states) == 3000


def test_what_cannot_be_read_is_refused():
    model = model_of("gpt2")
    with pytest.raises(InvalidInput, match="at most the 96 tokens that the model reads; got 97"):
        model.stepper().start([5] * 96)
    states, _ = model.stepper().start([5] * 95)
    with pytest.raises(InvalidInput, match="at most the 96 tokens"):
        model.stepper().step(states, np.array([5]))
    with pytest.raises(InvalidInput, match="at most the 96 tokens"):
        model.next_log_probs([[5], [5] * 96])
    tokenizer = tiny_hf.byte_level(special=False)
    bare = CausalLM.of(tiny_hf.network(tokenizer), tokenizer)
    with pytest.raises(InvalidInput, match="prefix must not be empty"):
        bare.stepper().start([])
    with pytest.raises(InvalidInput, match="prefix must not be empty"):
        bare.next_log_probs([[]])


def test_a_network_that_diverged_is_refused():
    model = model_of("gpt2")
    with torch.no_grad():
        model.network_.transformer.ln_f.weight.fill_(float("nan"))
    with pytest.raises(InvalidInput, match="it gives NaN"):
        model.stepper().start([5])
    with pytest.raises(InvalidInput, match="it gives NaN"):
        model.score_samples(["a"])
